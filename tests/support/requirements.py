"""What the tests with real parts need of the machine; each answers why it cannot be had, "" when it can."""

from __future__ import annotations

import os
import shutil

from support.sendmail import unpacked


def missing(mta: str) -> str:
    """Why `postfix` or `sendmail` cannot be run here."""
    if os.geteuid() != 0:
        return "MTAs must be started as root"
    if mta == "postfix":
        return "" if shutil.which("postfix", path="/usr/sbin") else "Postfix is not installed"
    return "" if unpacked() else "Debian's sendmail packages cannot be downloaded"
