"""docs/log.md has every line that the code can write, and no other."""

from __future__ import annotations

import re

import pytest

from sms_milter.logline import read
from support.log_forms import DOCUMENT, forms, templates


def test_there_is_something_to_compare() -> None:
    assert len(templates()) > 60
    assert len(forms()) > 70


def test_every_line_of_the_code_is_in_the_document() -> None:
    telling = [form for form in forms() if not form.empty]
    missing = [
        f"{place}: {template!r}"
        for template, place in templates().items()
        if not any(form.covers(template) for form in telling)
    ]
    assert not missing


def test_every_line_of_the_document_is_in_the_code() -> None:
    stale = [
        form.written
        for form in forms()
        if not form.empty and not any(form.covers(template) for template in templates())
    ]
    assert not stale


def examples() -> list[str]:
    block = re.findall(r"^[A-Z][a-z]{2} \d.*$", DOCUMENT.read_text(), re.MULTILINE)
    return [line.partition("]: ")[2] for line in block if "]: " in line]


@pytest.mark.parametrize("line", examples())
def test_the_examples_are_of_these_forms(line: str) -> None:
    assert any(form.whole.fullmatch(line) for form in forms())
    assert read(line).mta_queue_id
