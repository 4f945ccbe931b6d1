"""SMTP clients under load that behave as real ones: a mail that was not answered 250 is sent again."""

from __future__ import annotations

import queue
import random
import threading
import time
from dataclasses import dataclass, field
from itertools import count

from support.smtp_dialogue import SmtpDialogue

_SENDER = "bob@customer.example"
_PATIENCE_SECONDS = 90.0
_MAILS_PER_CONNECTION = 10
_PAUSE_SECONDS = 0.05  # a real client waits for minutes


@dataclass
class Clients:
    """`threads` clients of `port` share `numbers`, one mail with one SMS each, until all are answered 250.

    `hasty` clients vanish right after the final dot the first time, as if the 250 had been lost on its way.
    """

    port: int
    numbers: list[str]
    threads: int = 6
    hasty: bool = False
    accepted: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)  # replies that were not 250, in order

    def __enter__(self) -> Clients:
        self._waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
        for number in self.numbers:
            self._waiting.put(number)
        self._give_up_at = time.monotonic() + _PATIENCE_SECONDS
        self._threads = [threading.Thread(target=self._client, daemon=True) for _ in range(self.threads)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.finish()

    def finish(self) -> None:
        """Wait until every mail is accepted."""
        for thread in self._threads:
            thread.join()

    def _client(self) -> None:
        connection: SmtpDialogue | None = None
        for turn in count(1):
            if connection is not None and turn % _MAILS_PER_CONNECTION == 0:
                connection.close()
                connection = None
            try:
                number = self._waiting.get_nowait()
            except queue.Empty:
                break
            if self.hasty:
                self._send_and_vanish(number)
            while number not in self.accepted and time.monotonic() < self._give_up_at:
                connection = self._deliver(connection, number)
        if connection is not None:
            connection.close()

    def _deliver(self, connection: SmtpDialogue | None, number: str) -> SmtpDialogue | None:
        """One attempt; the connection for the next mail, None when a new one is needed."""
        reply = "no connection"
        try:
            connection = connection or self._connection()
            *_, reply = connection.mail(_SENDER, [f"{number}@sms.example.com"], _mail(number))
        except (OSError, AssertionError):
            pass
        if reply.startswith("250"):
            self.accepted.add(number)
            return connection
        self.refused.append(reply)
        if connection is not None:
            connection.close()
        time.sleep(_PAUSE_SECONDS * random.random())
        return None

    def _send_and_vanish(self, number: str) -> None:
        connection = self._connection()
        for command in (f"MAIL FROM:<{_SENDER}>", f"RCPT TO:<{number}@sms.example.com>", "DATA"):
            connection.say(command)
        connection.send(_mail(number) + b".\r\n")
        connection.vanish()

    def _connection(self) -> SmtpDialogue:
        connection = SmtpDialogue(self.port)
        connection.greet(as_client="192.0.2.10")
        return connection


def _mail(number: str) -> bytes:
    return f"Message-ID: <{number}@customer.example>\r\nSubject: {number}\r\n\r\n".encode()
