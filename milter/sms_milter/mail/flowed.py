"""format=flowed: paragraphs that a mail program broke softly become one line again (RFC 3676)."""

from __future__ import annotations

from collections.abc import Iterator

_SIGNATURE = "-- "


def unflow(text: str, *, delsp: bool = False) -> str:
    """Join the flowed lines of `text`, whose lines end with LF.

    `delsp`: the space of a soft break is no part of the text (RFC 3676 §4.2). Quoted paragraphs keep their
    depth as `>` marks in front. Space-stuffing is undone (RFC 3676 §4.4).
    """
    return "\n".join(_paragraphs(text.split("\n"), delsp))


def _paragraphs(lines: list[str], delsp: bool) -> Iterator[str]:
    depth, gathered = 0, ""
    open_ = False
    for line in lines:
        content = line.lstrip(">")
        quotes = len(line) - len(content)
        content = content.removeprefix(" ")
        signature = content == _SIGNATURE
        # RFC 3676 §4.5, §4.3: where the quote depth changes a paragraph ends in spite of a soft break, and so
        # it does before a signature.
        if open_ and (quotes != depth or signature):
            yield _quoted(depth, gathered)
            gathered = ""
        depth = quotes
        open_ = content.endswith(" ") and not signature
        gathered += content[:-1] if open_ and delsp else content
        if not open_:
            yield _quoted(depth, gathered)
            gathered = ""
    if open_:
        yield _quoted(depth, gathered)


def _quoted(depth: int, text: str) -> str:
    return f"{'>' * depth} {text}" if depth else text
