"""A name server on the loopback that knows what a test tells it. It can be silent, or fail."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

SILENT, FAILING = "silent", "failing"  # in place of records


class DnsServer:
    """`zone`: records by name and type, such as {("acme.example", "TXT"): ['"v=spf1 -all"']}, or by name and
    "*" a word above. Records may be added at any time; `asked` are the questions so far.
    """

    def __init__(self, zone: Mapping[tuple[str, str], Sequence[str] | str] | None = None) -> None:
        self.zone = dict(zone or {})
        self.asked: list[tuple[str, str]] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> DnsServer:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    @property
    def address(self) -> str:
        """IP:PORT."""
        return f"127.0.0.1:{self._socket.getsockname()[1]}"

    def _serve(self) -> None:
        while True:
            octets, client = self._socket.recvfrom(4096)
            if not octets:
                return
            with contextlib.suppress(dns.exception.DNSException):
                answer = self._answer(dns.message.from_wire(octets))
                if answer is not None:
                    self._socket.sendto(answer.to_wire(max_size=65000), client)

    def _answer(self, question: dns.message.Message) -> dns.message.Message | None:
        (asked,) = question.question
        name, kind = asked.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(asked.rdtype)
        self.asked.append((name, kind))
        word = self.zone.get((name, "*"))
        if word == SILENT:
            return None
        answer = dns.message.make_response(question, recursion_available=True)
        answer.flags |= dns.flags.AA
        records = self.zone.get((name, kind))
        if word == FAILING:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif records:
            answer.answer.append(dns.rrset.from_text_list(asked.name, 60, "IN", kind, list(records)))
        elif not any(name == one for one, _ in self.zone):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer


def text_record(text: str) -> str:
    """A TXT record, cut into the strings of at most 255 octets that it consists of."""
    return " ".join(f'"{text[at : at + 250]}"' for at in range(0, len(text), 250))
