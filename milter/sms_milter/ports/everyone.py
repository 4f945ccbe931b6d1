"""What every role needs: the log, counts, and bells to wake each other."""

from __future__ import annotations

from typing import Protocol

from sms_milter.metrics import Metric


class Journal(Protocol):
    """The log. One line per decision and outcome; severities have one meaning each.

    info — it happened; warning — someone should look today; error — one mail or part suffered;
    critical — we stop.
    """

    def debug(self, line: str) -> None:
        """For developers; off unless asked for."""

    def info(self, line: str) -> None:
        """It happened."""

    def warning(self, line: str) -> None:
        """Someone should look today."""

    def error(self, line: str) -> None:
        """One mail or part suffered."""

    def critical(self, line: str) -> None:
        """We stop."""


class Meter(Protocol):
    """Counts what happens, for whoever watches; returns at once, any thread may call."""

    def count(self, metric: Metric, *labels: str, by: int = 1) -> None:
        """It happened once more, or `by` times; a value for each of the metric's labels."""

    def took(self, metric: Metric, seconds: float, *labels: str) -> None:
        """It happened, and took so long."""

    def close(self) -> None:
        """The process ends: hand on what is left."""


class Doorbell(Protocol):
    """Wakes a role of this host at once; never blocks, never fails."""

    def ring(self) -> None:
        """New work is committed."""
