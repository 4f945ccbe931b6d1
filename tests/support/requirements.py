"""What the tests with real parts need of the machine.

What not every machine can have answers why it cannot be had, "" when it can. What deploy/packages brings is
there, or the test fails.
"""

from __future__ import annotations

import os
import shutil
import subprocess

from support.sendmail_packages import unpacked


def missing(mta: str) -> str:
    """Why `postfix` or `sendmail` cannot be run here."""
    if os.geteuid() != 0:
        return "MTAs must be started as root"
    if mta == "postfix":
        return "" if shutil.which("postfix", path="/usr/sbin") else "Postfix is not installed"
    if subprocess.run(["unshare", "--uts", "--mount", "true"], capture_output=True).returncode:
        return "Sendmail needs a namespace of its own, which this system does not give"
    return "" if unpacked() else "Debian's sendmail packages cannot be downloaded"


def program(name: str) -> str:
    """Where a program of deploy/packages is; AssertionError when it is missing."""
    found = shutil.which(name)
    assert found, f"{name} is not installed; tests/run installs what deploy/packages names"
    return found
