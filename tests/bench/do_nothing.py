"""A milter that does nothing, written the usual way with pymilter: one process, class layer, defaults.

The same callbacks as do_nothing.c, and DISCARD at the end. Run: `python do_nothing.py SOCKET`.
"""

from __future__ import annotations

import sys
from typing import Any

import Milter


class DoNothing(Milter.Base):
    """Looks at nothing and claims each mail."""

    def connect(self, name: str, family: int, address: Any) -> int:
        return int(Milter.CONTINUE)

    def envfrom(self, sender: str, *parameters: str) -> int:
        return int(Milter.CONTINUE)

    def envrcpt(self, recipient: str, *parameters: str) -> int:
        return int(Milter.CONTINUE)

    def data(self) -> int:
        return int(Milter.CONTINUE)

    def header(self, name: str, value: str) -> int:
        return int(Milter.CONTINUE)

    def body(self, octets: bytes) -> int:
        return int(Milter.CONTINUE)

    def eom(self) -> int:
        return int(Milter.DISCARD)


if __name__ == "__main__":
    Milter.factory = DoNothing
    Milter.runmilter("do-nothing", sys.argv[1], 300)
