"""The example of docs/encoding.md runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

_PAGE = Path(__file__).parents[3] / "docs" / "encoding.md"


def test_the_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("1", (100, 40)).save(tmp_path / "logo.png")
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", _PAGE.read_text(), re.DOTALL)
    names: dict[str, object] = {}
    exec(example, names)
    assert "0 0 50756d7020333a20" in capsys.readouterr().out
    (logo,) = names["message"].parts  # type: ignore[attr-defined]
    assert logo.short_message[:14].hex() == "060504158200006" + "2f21000480e01"
