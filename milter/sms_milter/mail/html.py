"""What a reader sees of HTML, as lines of text; in one pass, whatever the markup is like."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

_TAG = re.compile(r"<([/!?]?)([A-Za-z][A-Za-z0-9]*)")
_UNSEEN = frozenset({"script", "style"})
_LINE_ENDS = frozenset({"br", "/p", "/div", "/tr", "/li"})


def text_of(html: str) -> str:
    """The text: white space as one blank, lines where a browser breaks them, entities as their characters."""
    text = unescape("".join(_seen(" ".join(html.split())))).replace("\u00a0", " ")
    return "\n".join([line.strip(" ") for line in text.split("\n")]).strip("\n")


def _seen(html: str) -> Iterator[str]:
    """What stands between the tags, and the line ends that they make."""
    at = 0
    while (start := html.find("<", at)) >= 0:
        yield html[at:start]
        if html.startswith("<!--", start):
            at = _behind(html, "-->", start + 4)
        elif tag := _TAG.match(html, start):
            name = (tag[1] + tag[2]).lower()
            if name in _LINE_ENDS:
                yield "\n"
            at = _behind(html, ">", start)
            if name in _UNSEEN:
                at = _behind_element(html, name, at)
        else:
            yield "<"
            at = start + 1
    yield html[at:]


def _behind(html: str, end: str, start: int) -> int:
    """The place after the next `end`; that of the end of all when there is none."""
    found = html.find(end, start)
    return len(html) if found < 0 else found + len(end)


def _behind_element(html: str, name: str, start: int) -> int:
    closing = re.compile(f"</{name}", re.IGNORECASE).search(html, start)
    return _behind(html, ">", closing.end()) if closing else len(html)
