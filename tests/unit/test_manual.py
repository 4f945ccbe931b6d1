"""The manual pages: every command, option and setting stands in them, and roff has nothing to complain of."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from config.test_described import ALL
from sms_milter.cli import app, manual
from sms_milter.config.schema import declared

PAGES = manual.pages()


def read(name: str) -> str:
    """A page as a terminal shows it, without bold and underlined; what roff complains of fails."""
    done = subprocess.run(
        ["groff", "-man", "-wall", "-Tutf8", "-P-cbou"],
        input=PAGES[name].encode(),
        capture_output=True,
        check=True,
        timeout=30,
    )
    assert done.stderr == b""
    return " ".join(done.stdout.decode().split())


def options(command: Any, name: str = "") -> Iterator[tuple[str, str]]:
    for below, one in getattr(command, "commands", {}).items():
        yield from options(one, f"{name} {below}".strip())
    for one in () if hasattr(command, "commands") else command.params:
        yield from ((name, option) for option in one.opts if option.startswith("--") and option != "--help")


@pytest.mark.parametrize("name", PAGES)
def test_roff_reads_it_and_it_has_the_usual_sections(name: str) -> None:
    text = read(name)
    assert [text.index(one) for one in ("NAME", "DESCRIPTION", "SEE ALSO")] == sorted(
        text.index(one) for one in ("NAME", "DESCRIPTION", "SEE ALSO")
    )


def test_every_option_of_every_command_is_told() -> None:
    told = {name: read(name) for name in ("sms-milter.8", "sms-milter-queue.8")}
    known = list(options(typer.main.get_command(app)))
    assert len(known) > 30
    for command, option in known:
        page = told["sms-milter-queue.8" if command.startswith("queue ") else "sms-milter.8"]
        assert f"sms-milter {command}" in page
        assert option in page.partition(f"sms-milter {command} ")[2], (command, option)


def test_every_setting_is_told_with_its_meaning() -> None:
    page = read("sms-milter.yaml.5")
    for section in ALL:
        for name, setting in declared(section).items():
            words = setting.doc.replace("`", "").replace("…", "...").split()
            assert f" {name} {' '.join(words)}" in page.replace("- ", "-"), name


def test_hyphens_and_dots_mean_themselves() -> None:
    assert "\\-\\-config" in PAGES["sms-milter.8"]
    assert not [line for line in PAGES["sms-milter.yaml.5"].splitlines() if line.startswith("'")]


def test_they_are_written_into_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert manual.main([str(tmp_path)]) == 0
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == PAGES
    assert manual.main([]) == 64
    assert "usage" in capsys.readouterr().err
