"""The guides' examples are golden cases and promise what these expect; no link leads nowhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
GOLDEN = ROOT / "tests" / "golden"

_EXAMPLE = re.compile(
    r"^Example `(?P<case>[^`]+)`, to (?P<to>[^:]+):\n\n```\n(?P<mail>.*?)```\n\n(?P<told>(?:>[^\n]*\n)+)",
    re.MULTILINE | re.DOTALL,
)
EXAMPLES = [
    found for guide in sorted(DOCS.glob("guide-*.md")) for found in _EXAMPLE.finditer(guide.read_text())
]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.glob("*.md")), *sorted(ROOT.glob("contrib/*.md"))]


def expected(case: str) -> Any:
    return yaml.safe_load((GOLDEN / f"{case}.yaml").read_text())


def promised(outcome: Any) -> list[str]:
    """What a case expects, as the guides tell it."""
    if outcome["reply"] is not None:
        return ["{code} {enhanced} {text}".format(**outcome["reply"])]
    shown = [f"{one['destination']}: {one['text'] or one['kind']}" for one in outcome["messages"]]
    return [*shown, *(f"answer: {one['subject']}" for one in outcome["answers"])]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["case"])
def test_an_example_is_a_case_and_promises_what_that_expects(example: re.Match[str]) -> None:
    case = expected(example["case"])
    assert example["mail"].rstrip("\n") == (GOLDEN / f"{example['case']}.eml").read_text().rstrip("\n")
    assert re.findall(r"`([^`]+)`", example["to"]) == case["recipients"]
    assert re.findall(r"^> (.+)$", example["told"], re.MULTILINE) == promised(case["expect"])


def test_each_dialect_has_a_guide_with_examples_of_success_and_of_refusal() -> None:
    refused = [one for one in EXAMPLES if expected(one["case"])["expect"]["reply"] is not None]
    assert {one["case"].partition("/")[0] for one in EXAMPLES} == {"aspsms", "clickatell", "hsl", "smscentre"}
    assert len(refused) >= 3


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as forges make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path) if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_document_is_in_the_index() -> None:
    index = set(re.findall(r"\]\(([\w-]+\.md)\)", (DOCS / "README.md").read_text()))
    assert index == {page.name for page in DOCS.glob("*.md")} - {"README.md"}


def said_by_the_code() -> str:
    """All text of the program, with literals that are joined by the compiler joined."""
    sources = "\n".join(path.read_text() for path in sorted((ROOT / "milter").rglob("*.py")))
    return re.sub(r'"\s*\n\s*f?"', "", sources)


def test_what_troubleshooting_looks_for_is_what_the_log_says() -> None:
    rows = re.findall(r"^\| (.*?) \|", (DOCS / "troubleshooting.md").read_text(), re.MULTILINE)
    phrases = [phrase for row in rows for phrase in re.findall(r"`([^`]+)`", row)]
    code = said_by_the_code()
    assert len(phrases) > 20
    assert [phrase for phrase in phrases if phrase.rstrip() not in code] == []
