"""What takes messages that go by another channel than SMS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from sms_milter.model import (
    Handed,
    LeasedPart,
    WebAnswer,
)


class Outlet(Protocol):
    """What takes the errands of one channel; all methods return at once."""

    @property
    def free(self) -> int:
        """How many more it could work on now."""

    def take(self, part: LeasedPart) -> None:
        """Begin to hand it over."""

    def done(self) -> list[Handed]:
        """What has come of those taken, each once."""


class Web(Protocol):
    """The way to web services."""

    def ask(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> WebAnswer:
        """Make one HTTP request and wait for its answer, whatever its status; redirects are not followed.

        Raises NotSent, or NoAnswer when it may have arrived.
        """
