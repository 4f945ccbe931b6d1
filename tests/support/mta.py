"""The MTA's side of the milter protocol, octet by octet: what no real MTA would let a test do."""

from __future__ import annotations

import socket
import struct
from types import TracebackType

ALL_STEPS = 0x1FFFFF
ALL_ACTIONS = 0x1FF


class Mta:
    """One SMTP connection as an MTA shows it to a milter on 127.0.0.1."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.actions = self.steps = 0

    def __enter__(self) -> Mta:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._socket.close()

    def send(self, command: str, content: bytes = b"") -> None:
        self.raw(struct.pack("!I", 1 + len(content)) + command.encode() + content)

    def raw(self, octets: bytes) -> None:
        self._socket.sendall(octets)

    def answer(self) -> tuple[str, bytes]:
        """The next packet; ("", b"") when the milter has closed."""
        head = self._read(4)
        if len(head) < 4:
            return "", b""
        packet = self._read(struct.unpack("!I", head)[0])
        return packet[:1].decode(), packet[1:]

    def _read(self, count: int) -> bytes:
        octets = b""
        while len(octets) < count:
            try:
                more = self._socket.recv(count - len(octets))
            except ConnectionResetError:
                return b""
            if not more:
                return b""
            octets += more
        return octets

    # --- a dialogue -----------------------------------------------------------------------------------------

    def negotiate(self, steps: int = ALL_STEPS, actions: int = ALL_ACTIONS) -> None:
        self.send("O", struct.pack("!III", 6, actions, steps))
        command, content = self.answer()
        assert command == "O"
        _, self.actions, self.steps = struct.unpack("!III", content[:12])

    def macros(self, command: str, **values: str) -> None:
        pairs = b"".join(f"{name}\0{value}\0".encode() for name, value in values.items())
        self.send("D", command.encode() + pairs)

    def connect(self, address: str = "192.0.2.10", name: str = "client.example", port: int = 4711) -> None:
        family = b"6" if ":" in address else b"4"
        self.send("C", name.encode() + b"\0" + family + struct.pack("!H", port) + address.encode() + b"\0")
        self._await(0x1000)

    def mail(self, sender: str, *parameters: str, queue_id: str = "") -> None:
        if queue_id:
            self.macros("M", i=queue_id)
        self.send("M", b"".join(f"{part}\0".encode() for part in (sender, *parameters)))
        self._await(0x4000)

    def rcpt(self, recipient: str) -> tuple[str, bytes]:
        self.send("R", recipient.encode() + b"\0")
        return self.answer()

    def data(self) -> tuple[str, bytes]:
        self.send("T")
        return self.answer()

    def header(self, name: str, value: bytes) -> None:
        self.send("L", name.encode() + b"\0" + value + b"\0")
        self._await(0x80)

    def body(self, chunk: bytes) -> None:
        self.send("N")
        self._await(0x40000)
        self.send("B", chunk)
        self._await(0x80000)

    def end(self) -> list[tuple[str, bytes]]:
        """End of message: all packets up to the verdict."""
        self.send("E")
        packets = [self.answer()]
        while packets[-1][0] in "-p":
            packets.append(self.answer())
        return packets

    def _await(self, silent_step: int) -> None:
        if not self.steps & silent_step:
            assert self.answer()[0] == "c"
