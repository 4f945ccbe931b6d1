"""SMSCs written by others, each in its own process: PyPI's smpp34 and npm's smpp.

Neither shares code with us, so mistakes in encoding cannot cancel out. Both answer every bind and submit_sm,
and tell what they got as JSON lines. What they do depends on the end of the destination:

    …11    refused: ESME_RINVDSTADR
    …03    accepted, the receipt says EXPIRED
    others accepted, the receipt (if one is asked for) says DELIVRD
    …0070707  and then the phone answers "Yes, I do!" to where the message came from

A script (`support.played`) goes before that.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from support.places import CACHE, free_port, wait_until

_SUPPORT = Path(__file__).parent
NODE_FOLDER = CACHE / "smsc_node"


@dataclass(frozen=True)
class Submitted:
    """One submit_sm as the SMSC got it; fields that its library does not show are missing in `fields`."""

    fields: dict[str, Any]
    message_id: str  # "" when it was refused
    taken: bool = True

    @property
    def originator(self) -> str:
        return str(self.fields["source_addr"])

    @property
    def destination(self) -> str:
        return str(self.fields["destination_addr"])

    @property
    def short_message(self) -> bytes:
        return bytes.fromhex(self.fields["short_message"])


@dataclass
class Smsc:
    """Listens on `port` of 127.0.0.1 while it is entered; `received` grows as submit_sm come.

    `delay_ms` is how long it thinks about each submit_sm.
    """

    library: Literal["smpp34", "node"] = "smpp34"
    delay_ms: int = 0
    port: int = 0
    received: list[Submitted] = field(default_factory=list)
    bound: int = 0
    binds: int = 0
    receipts_open: int = 0  # sent, or waiting for a bind, and not taken yet
    ended: bool = False  # by itself, or by whoever is not its test

    def __enter__(self) -> Smsc:
        self.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.kill()

    def start(self) -> None:
        """Run it on its port; returns when it listens."""
        self.port = self.port or free_port()
        self._listening, self._playing = threading.Event(), threading.Event()
        self.ended = self._killed = False
        self._process = subprocess.Popen(
            [*_command(self.library), str(self.port), str(self.delay_ms)],
            stdin=subprocess.PIPE,  # it ends when we do
            stdout=subprocess.PIPE,
            cwd=_SUPPORT.parent,
            env={**os.environ, "NODE_PATH": str(NODE_FOLDER / "node_modules")},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            wait_until(lambda: self._listening.is_set() or self.ended, f"the SMSC ({self.library}) to listen")
            self.check()
        except AssertionError:
            self.kill()
            raise

    def kill(self) -> None:
        """End it without a word; what it got stays in `received`."""
        self._killed = True
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def play(self, script: Mapping[str, Any]) -> None:
        """Do from now on what `script` says (`support.played`); what came so far is forgotten."""
        self.clear()
        self.binds = self.receipts_open = 0
        self._playing.clear()
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(script).encode() + b"\n")
        self._process.stdin.flush()
        wait_until(self._playing.is_set, f"the SMSC ({self.library}) to take its script")

    def check(self) -> None:
        """AssertionError when it has ended: what it said of that stands in pytest's captured stderr."""
        assert not self.ended, f"the SMSC ({self.library}) has ended: {self._process.poll()}"

    def clear(self) -> None:
        """Forget what came so far."""
        self.check()
        self.received.clear()

    def wait_for(self, count: int, seconds: float = 10.0) -> list[Submitted]:
        """What came, as soon as it is `count` submit_sm."""
        wait_until(
            lambda: len(self.received) >= count or self.ended, f"{count} submit_sm at the SMSC", seconds
        )
        self.check()
        return list(self.received)

    def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            for line in self._process.stdout:
                self._hear(json.loads(line))
        finally:
            self.bound, self.ended = 0, not self._killed

    def _hear(self, event: dict[str, Any]) -> None:
        kind = event.pop("event")
        if kind == "submit":
            taken, message_id = event.pop("taken"), event.pop("message_id")
            self.received.append(Submitted(event, message_id, taken))
        elif kind == "listening":
            self._listening.set()
        elif kind == "playing":
            self._playing.set()
        elif kind.startswith("receipt"):
            self.receipts_open += 1 if kind == "receipt" else -1
        elif kind == "bind_refused":
            self.binds += 1
        else:
            self.bound += 1 if kind == "bound" else -1
            self.binds += kind == "bound"


def _command(library: str) -> list[str]:
    if library == "node":
        return ["node", str(_SUPPORT / "smsc_node" / "server.js")]
    return [sys.executable, "-m", "support.smsc_smpp34"]


def node_is_missing() -> str:
    """Why npm's smpp cannot be used here; "" when it can. Installs it into the cache at the first use."""
    if not shutil.which("node") or not shutil.which("npm"):
        return "node and npm are not installed"
    if not (NODE_FOLDER / "node_modules" / "smpp").exists():
        NODE_FOLDER.mkdir(parents=True, exist_ok=True)
        shutil.copy(_SUPPORT / "smsc_node" / "package.json", NODE_FOLDER)
        done = subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund"], cwd=NODE_FOLDER, capture_output=True, text=True
        )
        if done.returncode:
            return f"npm cannot install smpp: {done.stderr.strip()[-200:]}"
    return ""
