"""Postfix's own load generator: one mail after the other, each to a new number."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from types import TracebackType

from support.requirements import program

SENDER = "load@local.example"  # of the account `local` of the tests' configuration


@dataclass
class SmtpSource:
    """Clients side by side hand in `mails`, to numbers that end in `ending`.

    Each mail has a connection of its own, or each client keeps one (`one_connection`). Unless they are
    `stubborn`, the first reply that is not the wanted one ends them all.
    """

    port: int
    mails: int
    ending: str = "0447973"
    one_connection: bool = False
    stubborn: bool = False

    def __enter__(self) -> SmtpSource:
        self._process = subprocess.Popen(
            [
                *(program("smtp-source"), "-N", "-f", SENDER, "-t", f"{self.ending}@sms.example.com"),
                *("-s", "4", "-m", str(self.mails), *(["-A"] if self.stubborn else [])),
                *(["-d"] if self.one_connection else []),
                f"inet:127.0.0.1:{self.port}",
            ],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    @property
    def running(self) -> bool:
        """Whether it still sends."""
        return self._process.poll() is None

    def finish(self) -> str:
        """Wait until all mails were sent; what it complained about, "" if every reply was the wanted one."""
        said, _ = self._process.communicate(timeout=120)
        assert bool(self._process.returncode) == (bool(said) and not self.stubborn), said
        return said


def taken(postfix_log: str) -> list[str]:
    """The numbers that were answered 250 and are no longer with Postfix."""
    return re.findall(r"milter-discard: END-OF-MESSAGE .* to=<(\d+)@sms\.example\.com>", postfix_log)
