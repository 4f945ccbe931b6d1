"""What a rule finds, and what monitoring makes of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """CRITICAL: mail or SMS are lost, doubled, refused or stuck. WARNING: someone should look.
    UNKNOWN: something could not be examined.
    """

    CRITICAL = "critical"
    WARNING = "warning"
    UNKNOWN = "unknown"


# The codes of Nagios plug-ins.
_CODES = {Severity.CRITICAL: 2, Severity.WARNING: 1, Severity.UNKNOWN: 3}


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake. `name` stays the same from version to version; `where` is the service, file, domain or
    SMSC that has it; `mend` is a shell command, or what to write into which file.
    """

    severity: Severity
    name: str
    where: str
    says: str
    mend: str


def exit_code(findings: Iterable[Finding]) -> int:
    """0 all well, 1 warnings, 2 something critical, 3 nothing worse than that we could not look."""
    found = {one.severity for one in findings}
    return next((code for severity, code in _CODES.items() if severity in found), 0)
