"""What a process of this host needs where its queue is: the queue, doorbells, its turn, the time of day."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from sms_milter.ports import Doorbell
from sms_milter.queue.store import Store


class Ear(Protocol):
    """A role's own end of its doorbell: readable when it was rung, and at first, when it may have been."""

    def fileno(self) -> int:
        """For `select` and its kin."""

    def clear(self) -> None:
        """Take note of all rings so far; look for work afterwards, not before."""

    def close(self) -> None:
        """Hear no more."""


class Home(Protocol):
    """Made by the process that uses it, after it was forked."""

    @property
    def host(self) -> str:
        """The name of this host among those that share the queue."""

    def queue(self) -> Store:
        """A way to the queue of its own for whoever asks; opened on first use."""

    def now(self) -> float:
        """The time of day that all hosts go by, in seconds since the epoch."""

    def doorbell(self, *roles: str) -> Doorbell:
        """Wakes these roles on all hosts of the queue: "dispatch", "courier", "report"."""

    def listener(self, role: str) -> Ear:
        """What a role hears. Raises OSError if it cannot be made."""

    def turn(self, role: str) -> Callable[[], bool]:
        """Tells whether the role is ours, from now on or already; as soon as who had it ends or dies.

        Of "dispatch" each host has one, of the others a queue. Raises QueueUnavailable.
        """

    def close(self) -> None:
        """Let go of doorbells and turns."""
