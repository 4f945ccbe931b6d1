"""A milter that does nothing, written the usual way with pymilter: one process, its class layer.

The same callbacks, protocol steps and macros as do_nothing.c, and DISCARD at the end.
Run: `python do_nothing.py SOCKET`.
"""

from __future__ import annotations

import sys
from typing import Any

import Milter
import milter


class DoNothing(Milter.Base):
    """Looks at nothing and claims each mail."""

    def negotiate(self, options: list[int]) -> int:
        # Milter.symlist is broken on Python 3, so the macros are asked for here.
        for stage, names in (
            (milter.M_CONNECT, "{daemon_name}"),
            (milter.M_ENVFROM, "i {auth_authen} {tls_version}"),
            (milter.M_ENVRCPT, "i"),
            (milter.M_DATA, "i"),
            (milter.M_EOM, "i"),
        ):
            self._ctx.setsymlist(stage, names)
        options[0] = Milter.DELRCPT
        return int(super().negotiate(options))

    @Milter.noreply
    def connect(self, name: str, family: int, address: Any) -> int:
        return int(Milter.CONTINUE)

    @Milter.noreply
    def envfrom(self, sender: str, *parameters: str) -> int:
        return int(Milter.CONTINUE)

    def envrcpt(self, recipient: str, *parameters: str) -> int:
        return int(Milter.CONTINUE)

    def data(self) -> int:
        return int(Milter.CONTINUE)

    @Milter.noreply
    def header(self, name: str, value: str) -> int:
        return int(Milter.CONTINUE)

    @Milter.noreply
    def body(self, octets: bytes) -> int:
        return int(Milter.CONTINUE)

    def eom(self) -> int:
        return int(Milter.DISCARD)


if __name__ == "__main__":
    Milter.factory = DoNothing
    Milter.set_flags(Milter.DELRCPT)
    Milter.runmilter("do-nothing", sys.argv[1], 300)
