"""npm's smpp: reads PDUs, the elements of their user data header, and texts, national tables among them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from support.requirements import program
from support.smsc import NODE_FOLDER, node_is_missing

_SCRIPT = Path(__file__).with_name("node_smpp.js")


def pdus(octets: Sequence[bytes]) -> list[dict[str, Any]]:
    """Its fields of each PDU; `message` is text, or octets in `hex`."""
    assert not node_is_missing(), node_is_missing()
    done = subprocess.run(
        [program("node"), _SCRIPT],
        input="".join(one.hex() + "\n" for one in octets),
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "NODE_PATH": str(NODE_FOLDER / "node_modules")},
    )
    assert done.returncode == 0, done.stderr
    read = [json.loads(line) for line in done.stdout.split("\n") if line]
    assert len(read) == len(octets)
    return read
