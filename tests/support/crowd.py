"""Many SMTP clients of several MTAs: what one answers neither 250 nor 5yz is sent again, to the next one."""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

from support.smtp_dialogue import SmtpDialogue

_PAUSE_SECONDS = 0.05  # a real client waits for minutes
_MAILS_PER_CONNECTION = 20


@dataclass(frozen=True)
class Letter:
    """One mail: it keeps its Message-ID however often it is sent."""

    name: str
    client: str  # the address that it comes from, by XCLIENT
    sender: str
    numbers: tuple[str, ...]

    @property
    def octets(self) -> bytes:
        return f"Message-ID: <{self.name}@customer.example>\r\nSubject: {self.name}\r\n\r\n".encode()


@dataclass
class Crowd:
    """`threads` clients share `letters`; each turn goes to another of the `ports`."""

    ports: Sequence[int]
    letters: Sequence[Letter]
    threads: int = 6
    patience_seconds: float = 120.0
    accepted: dict[str, Letter] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)  # for good: name to reply
    deferred: list[str] = field(default_factory=list)  # replies that asked for another try, in order

    def __enter__(self) -> Crowd:
        self._waiting: queue.SimpleQueue[Letter] = queue.SimpleQueue()
        for letter in self.letters:
            self._waiting.put(letter)
        self._give_up_at = time.monotonic() + self.patience_seconds
        self._threads = [
            threading.Thread(target=self._client, args=(number,), daemon=True)
            for number in range(self.threads)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.finish()

    def finish(self) -> None:
        """Wait until every mail is answered for good."""
        for thread in self._threads:
            thread.join()

    @property
    def answered(self) -> int:
        """How many letters are done with."""
        return len(self.accepted) + len(self.refused)

    def _client(self, first_turn: int) -> None:
        turns = count(first_turn)
        connection: SmtpDialogue | None = None
        sent, client = 0, ""
        while True:
            try:
                letter = self._waiting.get_nowait()
            except queue.Empty:
                break
            while letter.name not in self.accepted and letter.name not in self.refused:
                if time.monotonic() > self._give_up_at:
                    return
                if connection is not None and (client != letter.client or sent >= _MAILS_PER_CONNECTION):
                    connection.close()
                    connection = None
                try:
                    if connection is None:
                        connection = SmtpDialogue(self.ports[next(turns) % len(self.ports)])
                        connection.greet(as_client=letter.client)
                        sent, client = 0, letter.client
                    self._send(connection, letter)
                    sent += 1
                except (OSError, AssertionError) as failure:
                    if letter.name not in self.refused:
                        self.deferred.append(str(failure))
                    if connection is not None:
                        connection.close()
                        connection = None
                    time.sleep(_PAUSE_SECONDS * random.random())
        if connection is not None:
            connection.close()

    def _send(self, connection: SmtpDialogue, letter: Letter) -> None:
        """One attempt; AssertionError when it needs another connection afterwards."""
        reply = connection.say(f"MAIL FROM:<{letter.sender}>")
        for number in letter.numbers:
            if reply.startswith("2"):
                reply = connection.say(f"RCPT TO:<{number}@sms.example.com>")
        if reply.startswith("2"):
            reply = connection.say("DATA")
        if reply.startswith("354"):
            connection.send(letter.octets + b".\r\n")
            reply = connection.reply()
        if reply.startswith("2"):
            self.accepted[letter.name] = letter
        elif reply.startswith("5"):
            self.refused[letter.name] = reply
        if not reply.startswith("2"):
            raise AssertionError(reply)  # Postfix makes a connection with errors wait
