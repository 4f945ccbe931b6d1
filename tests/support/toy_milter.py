"""A milter that decides by the recipient's local part: shows that the tests' MTAs obey, without our service.

`refuse` is refused at RCPT, `late` after the final dot, the others are taken. Prints the header fields of
each mail, a JSON list a line.
Run: `python -m support.toy_milter SOCKET`.
"""

from __future__ import annotations

import json
import sys

import Milter

DOMAIN = "sms.example.com"


class ToyMilter(Milter.Base):
    """Takes recipients in DOMAIN."""

    def envfrom(self, address: str, *parameters: str) -> int:
        self.ours: list[str] = []
        self.others = 0
        self.late = False
        self.fields: list[list[str]] = []
        return int(Milter.CONTINUE)

    def header(self, name: str, value: str) -> int:
        self.fields.append([name, value])
        return int(Milter.CONTINUE)

    def envrcpt(self, address: str, *parameters: str) -> int:
        local, _, domain = address.strip("<>").rpartition("@")
        if domain.lower() != DOMAIN:
            self.others += 1
            return int(Milter.CONTINUE)
        if local == "refuse":
            self.setreply("550", "5.1.1", "not a number, 100%% sure")
            return int(Milter.REJECT)
        self.late |= local == "late"
        self.ours.append(address)
        return int(Milter.CONTINUE)

    def eom(self) -> int:
        print(json.dumps(self.fields), flush=True)
        if self.late:
            self.setreply("554", "5.6.0", "empty message")
            return int(Milter.REJECT)
        if self.ours and not self.others:
            return int(Milter.DISCARD)
        for address in self.ours:
            self.delrcpt(address)
        return int(Milter.CONTINUE)


if __name__ == "__main__":
    Milter.factory = ToyMilter
    Milter.set_flags(Milter.DELRCPT)
    Milter.runmilter("toy", sys.argv[1], 300)
