"""What this run of the tests has said in confidence, and all that came out: logs, listings, reports.

`said` and `saw` are called by the clients and services of the tests themselves: no test can forget to.
The last test of all (tests/integration/test_secrecy.py) compares.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

# Passwords that services and mails of the tests use. Long enough to stand nowhere by chance.
SMSC_PASSWORD = "kq7Vw2Zx"  # at most 8 octets (SMPP 3.4 §4.1.1)
DATABASE_PASSWORD = "zW4kT9qBn3"  # of the roles that hosts log in to PostgreSQL with
PASSWORDS = frozenset(
    {SMSC_PASSWORD, DATABASE_PASSWORD, "MyPass", "P=MyPass", "password:pw1", "$argon2id$", "202cb962ac59075b"}
)
_FEWEST_WORDS, _SHORTEST = 3, 16  # of a line that counts as a text of its own
_SUBJECT = re.compile(rb"^Subject:(.*)", re.IGNORECASE | re.MULTILINE)


class Secrecy:
    """What was said and seen. `logs`: of each service that was started, whether it was read since."""

    def __init__(self) -> None:
        self.texts: set[str] = set()
        self.seen: dict[str, Counter[str]] = {}  # lines by the kind of their source
        self.logs: dict[str, bool] = {}

    def said(self, octets: bytes) -> None:
        """A client has sent these octets: a command, or a mail. Its header may come back, but for Subject."""
        head, blank, body = octets.partition(b"\r\n\r\n")
        fields = _SUBJECT.findall(head)
        for line in [*fields, *(body if blank else b"" if fields else octets).split(b"\r\n")]:
            if b"@" not in line:
                self._remember(line.decode("utf-8", "replace"))

    def _remember(self, line: str) -> None:
        text = line.rpartition(":")[2].strip()  # SMSCentre's text stands behind its other fields
        declares = text.startswith("<?xml ")  # a fault in it is told with it
        if len(text) >= _SHORTEST and len(text.split()) >= _FEWEST_WORDS and not declares:
            self.texts.add(text)

    def saw(self, kind: str, output: str) -> None:
        """The tests have got this from us."""
        self.seen.setdefault(kind, Counter()).update(output.splitlines())

    def leaks(self) -> Iterator[tuple[str, str, str]]:
        """Kind of source, secret, and the line that holds it."""
        secrets = [*PASSWORDS, *self.texts]
        for kind, lines in self.seen.items():
            whole = "\n".join(lines)
            for secret in secrets:
                if secret in whole:
                    yield kind, secret, next(line for line in lines if secret in line)


RUN = Secrecy()
