"""Comments cite rules in one form, `DOCUMENT §SECTION`, so that a reader can look them up."""

from __future__ import annotations

import re
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "milter" / "sms_milter"
DOCUMENT = re.compile(
    r"(SMPP|SMPP 3\.4|"
    r"GSM 03\.38|GSM 03\.40|3GPP TS 23\.0\d\d|RFC \d{3,5}|ENC|HSL|ASPSMS|CLK|SMSCentre|"
    r"DESIGN|milter\.md|smpp-practice\.md)"
    r" §[0-9A]"
)
MORE_OF_THE_SAME = re.compile(r"(§[0-9.]+)(?:(?:,| and| to|–) §[0-9.]+)+")
LINE_BREAK = re.compile(r"\s*\n\s*#? ?")


def test_every_section_mark_names_its_document() -> None:
    nameless = []
    for path in sorted(SOURCE.rglob("*.py")):
        text = MORE_OF_THE_SAME.sub(r"\1", LINE_BREAK.sub(" ", path.read_text()))
        for mark in re.finditer(r"§\d", text):
            if not DOCUMENT.search(text[max(0, mark.start() - 20) : mark.end()]):
                nameless.append(f"{path.name}: …{text[max(0, mark.start() - 40) : mark.end() + 10]}…")
    assert not nameless, "\n".join(nameless)
