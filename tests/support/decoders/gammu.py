"""gammu, the tool for phones: reads TPDUs, joins their parts and takes Smart Messaging content apart."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from support.requirements import program

_SCRIPT = Path(__file__).with_name("gammu_messages.py")
_DEBIANS_PYTHON = "/usr/bin/python3"  # python3-gammu is built for it


def messages(tpdus: Sequence[Sequence[bytes]]) -> list[dict[str, Any]]:
    """Of each message in TPDUs: its `parts`, its `entries` if it is more than plain text, and its `card`."""
    done = subprocess.run(
        [program(_DEBIANS_PYTHON), "-I", _SCRIPT],
        input=json.dumps([[octets.hex() for octets in parts] for parts in tpdus]),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    read: list[dict[str, Any]] = json.loads(done.stdout)
    return read
