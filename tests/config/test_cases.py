"""Folders that a postmaster can read: `bad` ones with the exact sentences, `good` ones with the notes."""

from __future__ import annotations

from pathlib import Path

import pytest

from sms_milter.config.load import load
from sms_milter.errors import ConfigError

HERE = Path(__file__).parent
BAD = sorted(HERE.glob("bad/*"))
GOOD = sorted(HERE.glob("good/*"))
NAME = Path("sms-milter.yaml")


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.name)
def test_a_bad_configuration_is_refused_with_every_fault(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(case)
    with pytest.raises(ConfigError) as refused:
        load(NAME)
    assert f"{refused.value}\n" == Path("expected").read_text()


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.name)
def test_a_good_configuration_loads_and_says_what_has_no_effect(
    case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(case)
    assert "".join(f"{note}\n" for note in load(NAME).notes) == Path("notes").read_text()


def test_there_are_cases() -> None:
    assert len(BAD) >= 25
    assert len(GOOD) >= 5


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.name)
def test_no_sentence_shows_a_secret(case: Path) -> None:
    expected = (case / "expected").read_text()
    for secret in ("nottobe", "nöttobe", "not-to-be-shown"):
        assert secret not in expected


def test_a_hidden_secret_was_really_there() -> None:
    # Keeps the test above able to fail.
    texts = [path.read_text() for path in HERE.glob("bad/*secret*/*") if path.is_file()]
    assert any("not-to-be-shown" in text for text in texts)
    assert any("nottobeshown" in text for text in texts)
