"""The link against a scripted SMSC on the loopback: connections are real, the clock is ours."""

from __future__ import annotations

import select
import shutil
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sms_milter.logline import Numbers
from sms_milter.model import LinkState, SubmitSm
from sms_milter.smpp import codec
from sms_milter.smpp.dialling import Tls, connect
from sms_milter.smpp.events import Accepted, BindRefused, Bound, Broken, Delivery, Event, Unbound, Uncertain
from sms_milter.smpp.link import Link
from sms_milter.smpp.options import SessionOptions
from sms_milter.smpp.reconnect import Backoff
from sms_milter.smpp.trace import Trace
from support.places import make_certificate

PATIENCE_SECONDS = 10.0  # only a failing test waits that long
BODY = codec.compose(SubmitSm(destination_addr="447973100000", short_message=b"Hello")).body
BIND_RESP = codec.frame(0x80000009, 0, 1, b"SMSC\0")
DELIVERY = b"\0\1\x0144\0\5\0ME\0\4\0\0\0\0\0\0\0\0\4id:1"


class Even:
    """A chance without jitter."""

    def random(self) -> float:
        return 0.5


class Notebook:
    """A journal that remembers."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def debug(self, line: str) -> None:
        self.lines.append(("debug", line))

    def info(self, line: str) -> None:
        self.lines.append(("info", line))

    def warning(self, line: str) -> None:
        self.lines.append(("warning", line))

    def error(self, line: str) -> None:
        self.lines.append(("error", line))

    def critical(self, line: str) -> None:
        self.lines.append(("critical", line))

    def said(self, severity: str) -> list[str]:
        return [line for level, line in self.lines if level == severity]


class Peer:
    """An SMSC that does what the test tells it, one connection at a time."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(PATIENCE_SECONDS)
        self._context = context
        self.port: int = self._listening.getsockname()[1]
        self.connection: socket.socket = self._listening

    def accept(self) -> None:
        connection, _ = self._listening.accept()
        connection.settimeout(PATIENCE_SECONDS)
        if self._context is not None:
            connection = self._context.wrap_socket(connection, server_side=True)
        self.connection = connection

    def send(self, octets: bytes) -> None:
        self.connection.sendall(octets)

    def read(self) -> codec.Frame:
        """The next PDU."""
        head = self._exactly(16)
        length = int.from_bytes(head[:4], "big")
        (pdu,) = codec.FrameReader().feed(head + self._exactly(length - 16))
        return pdu

    def _exactly(self, count: int) -> bytes:
        octets = b""
        while len(octets) < count:
            more = self.connection.recv(count - len(octets))
            assert more, "the link closed the connection"
            octets += more
        return octets

    def at_end(self) -> bool:
        return self.connection.recv(1) == b""

    def hang_up(self) -> None:
        if self.connection is not self._listening:
            self.connection.close()

    def close(self) -> None:
        self.hang_up()
        self._listening.close()


class Desk:
    """A link, its peer and its journal; `until` is the owner's loop."""

    def __init__(
        self,
        *,
        port: int,
        host: str = "127.0.0.1",
        tls: Tls | bool | None = None,
        window: int = 10,
        more: str = "",
        kind: codec.BindKind = "transceiver",
    ) -> None:
        self.journal = Notebook()
        self.woken = threading.Event()
        self.now = 1000.0
        self.link = Link(
            smsc="primary",
            name="primary/1",
            hosts=(host, more) if more else (host,),
            port=port,
            tls=tls,
            session_options=SessionOptions("acme", "secret", window=window, kind=kind),
            backoff=Backoff(Even()),
            wake=self.woken.set,
            journal=self.journal,
            trace=Trace(Numbers(masked=False)),
        )

    def step(self) -> list[Event]:
        events = self.link.pump(self.now)
        self.link.flush()
        return events

    def until(self, condition: Callable[[list[Event]], object]) -> list[Event]:
        """Run the loop until `condition` holds of the events so far."""
        events: list[Event] = []
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            events += self.step()
            if condition(events):
                return events
            assert time.monotonic() < end, f"{self.link.state}, {events}, {self.journal.lines}"
            if self.link.fileno() >= 0:
                select.select([self.link.fileno()], [], [], 0.02)
            else:
                self.woken.wait(0.02)

    def until_state(self, state: LinkState) -> list[Event]:
        return self.until(lambda _: self.link.state is state)

    def until_event(self, kind: type) -> list[Event]:
        return self.until(lambda events: any(isinstance(event, kind) for event in events))

    def bind(self, peer: Peer) -> None:
        self.step()
        assert self.link.state is LinkState.CONNECTING
        peer.accept()
        self.until_state(LinkState.BINDING)
        command_id, _, sequence, _ = peer.read()
        assert command_id == codec.BIND_TRANSCEIVER
        peer.send(codec.frame(0x80000009, 0, sequence, b"SMSC\0"))
        self.until_event(Bound)

    def submit(self, key: str) -> int:
        session = self.link.session
        assert session is not None
        (sequence,) = session.reserve(1)
        session.submit(key, sequence, BODY, self.now)
        return sequence


@pytest.fixture
def peer() -> Iterator[Peer]:
    with closing(Peer()) as made:
        yield made


@pytest.fixture
def desk(peer: Peer) -> Iterator[Desk]:
    made = Desk(port=peer.port)
    yield made
    made.link.close(made.now)


# --- a good day ---------------------------------------------------------------------------------------------


def test_a_link_binds_submits_and_unbinds(peer: Peer, desk: Desk) -> None:
    assert (desk.link.state, desk.link.fileno(), desk.link.session) == (LinkState.DOWN, -1, None)
    assert desk.link.deadline() == 0.0
    desk.bind(peer)
    assert desk.link.state is LinkState.BOUND
    sequence = desk.submit("part-1")
    desk.link.flush()
    assert peer.read() == (codec.SUBMIT_SM, 0, sequence, BODY)
    peer.send(codec.frame(codec.SUBMIT_SM_RESP, 0, sequence, b"5F1A2B\0"))
    assert desk.until_event(Accepted) == [Accepted("part-1", "5F1A2B")]
    desk.link.shutdown(desk.now)
    assert desk.link.state is LinkState.UNBINDING
    command_id, _, sequence, _ = peer.read()
    assert command_id == codec.UNBIND
    peer.send(codec.unbind_resp(sequence))
    assert desk.until_state(LinkState.DOWN) == [Unbound("unbound")]
    assert peer.at_end()
    assert desk.link.deadline() is None
    assert desk.step() == []
    assert (desk.link.session, desk.link.state) == (None, LinkState.DOWN)


def test_the_log_names_the_bind_and_never_the_password(peer: Peer, desk: Desk) -> None:
    desk.bind(peer)
    assert desk.journal.lines == [
        (
            "info",
            f"smsc=primary bind=primary/1: bound to 127.0.0.1:{peer.port} as acme (transceiver)",
        )
    ]


def test_pdus_are_logged_while_the_link_is_watched(peer: Peer, desk: Desk) -> None:
    desk.link.watch(on=True)
    desk.bind(peer)
    sequence = desk.submit("part-1")
    desk.link.flush()
    peer.read()
    peer.send(codec.frame(codec.SUBMIT_SM_RESP, 0, sequence, b"5F1A2B\0"))
    desk.until_event(Accepted)
    desk.link.watch(on=False)
    desk.submit("part-2")
    desk.link.flush()
    said = [line.removeprefix("smsc=primary bind=primary/1: ") for _, line in desk.journal.lines]
    assert [line.partition(" sequence")[0] for line in said if line[0] in "<>"] == [
        "> bind_transceiver",
        "< bind_transceiver_resp",
        "> submit_sm",
        "< submit_sm_resp",
    ]
    assert "PDUs are not logged any more" in said
    assert "secret" not in repr(said)


def test_pdus_arrive_in_any_pieces(peer: Peer, desk: Desk) -> None:
    desk.bind(peer)
    pdu = codec.frame(codec.DELIVER_SM, 0, 7, DELIVERY)
    peer.send(pdu[:20])
    desk.until(lambda _: desk.link.session and desk.link.session.deadline() == desk.now + 10.0)
    peer.send(pdu[20:] + codec.enquire_link(8))
    (event,) = desk.until_event(Delivery)
    assert isinstance(event, Delivery)
    session = desk.link.session
    assert session is not None
    session.acknowledge(event.sequence, 0, desk.now)
    desk.link.flush()
    answers = {peer.read()[:3], peer.read()[:3]}
    assert answers == {(codec.DELIVER_SM_RESP, 0, 7), (codec.ENQUIRE_LINK_RESP, 0, 8)}


def test_much_at_once_is_read_in_turns(peer: Peer, desk: Desk) -> None:
    desk.bind(peer)
    count = 100_000
    writer = threading.Thread(target=peer.send, args=(codec.enquire_link(8) * count,))
    writer.start()
    answered = 0
    desk.link.pump(desk.now)
    while answered < count:
        select.select([desk.link.fileno()], [], [], 0.02)
        desk.link.pump(desk.now)
        session = desk.link.session
        assert session is not None
        answered += len(session.outbound()) // 16
    writer.join()
    assert answered == count


def test_what_was_left_unread_is_asked_for_at_once(
    peer: Peer, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.bind(peer)
    monkeypatch.setattr("sms_milter.smpp.link._READS", 1)
    monkeypatch.setattr("sms_milter.smpp.link._READ_OCTETS", 16)
    peer.send(codec.enquire_link(8))
    desk.until(lambda _: desk.link.deadline() == 0.0)
    assert peer.read()[:3] == (codec.ENQUIRE_LINK_RESP, 0, 8)
    desk.step()
    assert desk.link.deadline() == desk.now + 30.0


def test_what_the_connection_does_not_take_waits(peer: Peer) -> None:
    desk = Desk(port=peer.port, window=1000)
    desk.bind(peer)
    session = desk.link.session
    assert session is not None
    sent = bytearray()
    for sequence in session.reserve(session.free):
        session.submit(sequence, sequence, bytes(60_000), desk.now)
        sent += codec.stamp(sequence, bytes(60_000))
        desk.link.flush()
        if desk.link.wants_write:
            break
    assert desk.link.wants_write
    received = bytearray()
    while len(received) < len(sent):
        received += peer.connection.recv(1 << 20)
        desk.link.flush()
    assert received == sent
    assert not desk.link.wants_write
    desk.link.close(desk.now)


def test_status_counts_across_connections(peer: Peer, desk: Desk) -> None:
    desk.bind(peer)
    one, two = desk.submit("a"), desk.submit("b")
    desk.link.flush()
    shown = desk.link.status(desk.now)
    assert (shown.smsc, shown.bind, shown.state) == ("primary", "primary/1", LinkState.BOUND)
    assert (shown.window_used, shown.window, shown.submitted, shown.since) == (2, 10, 2, 1000.0)
    peer.send(codec.frame(codec.SUBMIT_SM_RESP, 0, one, b"1\0"))
    desk.until_event(Accepted)
    peer.hang_up()
    desk.now += 5.0
    assert desk.until_state(LinkState.DOWN) == [Uncertain("b", "connection lost: Connection reset by peer")]
    for _ in range(2):
        shown = desk.link.status(desk.now)
        counts = (shown.submitted, shown.accepted, shown.refused, shown.uncertain, shown.window_used)
        assert counts == (2, 1, 0, 1, 0)
        assert (shown.state, shown.since) == (LinkState.DOWN, 1005.0)
        assert "Connection reset" in shown.note
        desk.step()
    desk.now += 60.0
    desk.bind(peer)
    assert desk.submit("c") > two
    assert desk.link.status(desk.now).submitted == 3
    assert desk.link.status(desk.now).note == ""


# --- bad days -----------------------------------------------------------------------------------------------


def test_the_smsc_closing_leaves_submits_uncertain_and_the_session_closed(peer: Peer, desk: Desk) -> None:
    desk.bind(peer)
    desk.submit("a")
    desk.link.flush()
    peer.read()
    peer.send(codec.enquire_link(5)[:9])
    peer.hang_up()
    session = desk.link.session
    why = "connection closed by the SMSC"
    assert desk.until_state(LinkState.DOWN) == [Uncertain("a", why)]
    assert desk.link.session is session  # to be seen with its last events
    assert session is not None
    assert not session.ready
    session.acknowledge(7, 0, desk.now)
    assert desk.step() == []
    assert desk.link.session is None
    assert desk.journal.said("warning") == [
        f"smsc=primary bind=primary/1: {why} (1 without response); next attempt in 1 s"
    ]
    assert desk.link.deadline() == desk.now + 1.0


def test_each_loss_of_a_bind_is_told_and_a_long_life_forgets_the_pauses(peer: Peer, desk: Desk) -> None:
    pauses = []
    for lived in (0.0, 0.0, 60.0):
        desk.bind(peer)
        desk.now += lived
        peer.hang_up()
        desk.until_state(LinkState.DOWN)
        deadline = desk.link.deadline()
        assert deadline is not None
        pauses.append(deadline - desk.now)
        desk.now = deadline
    assert pauses == [1.0, 2.0, 1.0]
    assert len(desk.journal.said("warning")) == 3


def test_a_refused_bind_waits_long_for_credentials(peer: Peer, desk: Desk) -> None:
    desk.step()
    peer.accept()
    desk.until_state(LinkState.BINDING)
    peer.read()
    peer.send(codec.frame(0x80000009, 0x0E, 1))
    assert desk.until_state(LinkState.DOWN) == [BindRefused(0x0E)]
    assert peer.at_end()
    assert desk.link.deadline() == desk.now + 300.0
    (line,) = desk.journal.said("warning")
    assert "bind refused: RINVPASWD 0x0000000E (password invalid); next attempt in 300 s" in line
    assert "secret" not in line


def test_the_smscs_unbind_is_answered_before_the_end(peer: Peer, desk: Desk) -> None:
    desk.bind(peer)
    peer.send(codec.unbind(9))
    assert desk.until_state(LinkState.DOWN) == [Unbound("unbound by the SMSC")]
    assert peer.read()[:3] == (codec.UNBIND_RESP, 0, 9)
    assert peer.at_end()


def test_a_stream_out_of_step_is_nacked_before_the_end(peer: Peer, desk: Desk) -> None:
    desk.bind(peer)
    peer.send(bytes(16))
    assert [type(event) for event in desk.until_state(LinkState.DOWN)] == [Broken]
    assert peer.read()[:3] == (codec.GENERIC_NACK, 2, 0)


def test_an_smsc_that_never_answers_is_left(peer: Peer, desk: Desk) -> None:
    desk.bind(peer)
    desk.submit("a")
    desk.link.flush()
    assert desk.link.deadline() == desk.now + 30.0
    desk.now += 30.0
    desk.step()
    assert [peer.read()[0], peer.read()[0]] == [codec.SUBMIT_SM, codec.ENQUIRE_LINK]
    desk.now += 10.0
    events = desk.step()
    why = "no answer to enquire_link within 10 s"
    assert events == [Broken(why), Uncertain("a", why)]
    assert desk.link.state is LinkState.DOWN


def test_nobody_listening_is_told_once_with_its_cause() -> None:
    with closing(Peer()) as peer:
        port = peer.port
    desk = Desk(port=port)
    for wait in (1.0, 2.0, 4.0):
        desk.step()
        desk.until_state(LinkState.DOWN)
        assert desk.link.deadline() == desk.now + wait
        desk.now += wait
    where = f"127.0.0.1:{port}"
    assert desk.journal.lines == [
        (
            "warning",
            f"smsc=primary bind=primary/1: cannot connect to {where}: {where}: Connection refused;"
            " next attempt in 1 s",
        )
    ]
    assert desk.link.status(desk.now).note.endswith("Connection refused")
    desk.now += 600.0
    desk.step()
    desk.until_state(LinkState.DOWN)
    assert "(and 2 more since then)" in desk.journal.lines[-1][1]
    desk.link.close(desk.now)


def test_oddities_do_not_flood_the_log(peer: Peer, desk: Desk) -> None:
    desk.bind(peer)
    for sequence in (90, 91, 92):
        peer.send(codec.frame(codec.SUBMIT_SM_RESP, 0, sequence, b"1\0") + codec.enquire_link(sequence))
        desk.until(lambda _: desk.link.session and select.select([peer.connection], [], [], 0)[0])
        peer.read()
    assert [line.rpartition(" ")[2] for line in desk.journal.said("warning")] == ["90"]


def test_an_unresolvable_name_says_so() -> None:
    for host in ("no-such-host.invalid", "a..b", "x" * 70 + ".invalid"):
        with pytest.raises(OSError, match="cannot resolve"):
            connect(host, 2775, None, 1.0)


def test_all_addresses_are_tried(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Peer()) as other:
        dead = other.port
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in (dead, peer.port)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with connect("smsc.example", 2775, None, 5.0) as connection:
        assert connection.getpeername()[1] == peer.port
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert not connection.getblocking()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found[:1] * 2)
    with pytest.raises(OSError, match=f"127.0.0.1:{dead}: Connection refused; 127.0.0.1:{dead}: "):
        connect("smsc.example", 2775, None, 5.0)


# --- ending -------------------------------------------------------------------------------------------------


def test_the_next_host_is_tried_when_one_cannot_be_reached(peer: Peer) -> None:
    desk = Desk(port=peer.port, host="no-such-host.invalid", more="127.0.0.1")
    desk.bind(peer)
    assert f"bound to 127.0.0.1:{peer.port}" in desk.journal.said("info")[0]
    desk.link.close(desk.now)


def test_all_hosts_are_named_when_none_can_be_reached() -> None:
    desk = Desk(port=1, host="no-such-host.invalid", more="127.0.0.1")
    desk.until(lambda _: desk.journal.said("warning"))
    (line,) = desk.journal.said("warning")
    assert "cannot resolve no-such-host.invalid" in line
    assert "cannot connect to 127.0.0.1:1: " in line


def next_bind(peer: Peer, desk: Desk, status: int = 0) -> int:
    """The command_id of the next bind, which is answered with `status`."""
    desk.step()
    peer.accept()
    desk.until_state(LinkState.BINDING)
    command_id, _, sequence, _ = peer.read()
    peer.send(codec.frame(0x80000000 | command_id, status, sequence))
    return command_id


def test_an_smsc_without_bind_transceiver_gets_a_transmitter_and_a_receiver(peer: Peer, desk: Desk) -> None:
    with closing(Peer()) as other:
        receiver = Desk(port=other.port, kind="receiver")
        desk.link.fall_back_to(receiver.link)
        receiver.step()
        assert (receiver.link.needed, receiver.link.state) == (False, LinkState.DOWN)
        assert next_bind(peer, desk, status=0x03) == 0x00000009
        desk.until_event(BindRefused)
        assert peer.at_end()
        peer.connection.close()
        assert receiver.link.needed
        desk.now += 2
        assert next_bind(peer, desk) == 0x00000002
        assert next_bind(other, receiver) == 0x00000001
        assert any("knows no bind_transceiver" in line for line in desk.journal.said("warning"))
        receiver.link.close(receiver.now)


def test_a_bind_that_is_not_ours_is_given_up_and_taken_again(peer: Peer, desk: Desk) -> None:
    desk.bind(peer)
    desk.link.permit(desk.now, on=False)
    command_id, _, sequence, _ = peer.read()
    assert command_id == codec.UNBIND
    peer.send(codec.unbind_resp(sequence))
    desk.until_state(LinkState.DOWN)
    peer.connection.close()
    desk.now += 100
    desk.step()
    assert desk.link.state is LinkState.DOWN
    assert desk.link.status(desk.now).note == "another dispatcher has this bind"
    desk.link.permit(desk.now, on=True)
    assert next_bind(peer, desk) == 0x00000009


def test_shutdown_before_the_first_connection_stays_down(peer: Peer, desk: Desk) -> None:
    desk.link.shutdown(desk.now)
    assert desk.step() == []
    assert (desk.link.state, desk.link.deadline()) == (LinkState.DOWN, None)


def test_shutdown_while_connecting_drops_the_attempt(peer: Peer, desk: Desk) -> None:
    desk.step()
    assert desk.link.state is LinkState.CONNECTING
    desk.link.shutdown(desk.now)
    assert desk.link.state is LinkState.DOWN
    peer.accept()
    assert peer.at_end()


def test_shutdown_is_bounded_when_the_smsc_is_silent(peer: Peer, desk: Desk) -> None:
    desk.bind(peer)
    desk.submit("a")
    desk.link.shutdown(desk.now)
    desk.now += 5.0
    desk.step()
    assert desk.link.state is LinkState.UNBINDING
    desk.now += 5.0
    why = "no unbind_resp within 5 s"
    assert desk.step() == [Unbound(why), Uncertain("a", why)]
    assert desk.link.state is LinkState.DOWN
    assert desk.journal.said("warning") == []


def test_close_tells_what_is_open(peer: Peer, desk: Desk) -> None:
    desk.bind(peer)
    desk.submit("a")
    assert desk.link.close(desk.now) == [Uncertain("a", "closed by us")]
    assert desk.link.close(desk.now) == []
    assert desk.link.state is LinkState.DOWN


# --- TLS ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the certificates, is not installed")
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def tls_peer(certificate: tuple[Path, Path]) -> Iterator[Peer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with closing(Peer(context)) as made:
        yield made


def test_tls_carries_a_session(tls_peer: Peer, certificate: tuple[Path, Path]) -> None:
    desk = Desk(port=tls_peer.port, host="localhost", tls=Tls(ca_file=str(certificate[0])))
    desk.bind(tls_peer)
    sequence = desk.submit("a")
    desk.link.flush()
    assert tls_peer.read()[0] == codec.SUBMIT_SM
    # More than one pump reads, in records that no poll shows once the first has been read.
    tls_peer.send(codec.frame(codec.SUBMIT_SM_RESP, 0, sequence, b"1\0") + codec.enquire_link(8) * 3000)
    assert Accepted("a", "1") in desk.until_event(Accepted)
    for _ in range(3000):
        desk.step()
        tls_peer.connection.settimeout(PATIENCE_SECONDS)
        assert tls_peer.read()[:3] == (codec.ENQUIRE_LINK_RESP, 0, 8)
    tls_peer.hang_up()
    desk.until_state(LinkState.DOWN)
    desk.link.close(desk.now)


def test_much_over_tls_at_once_is_read_in_turns(tls_peer: Peer, certificate: tuple[Path, Path]) -> None:
    desk = Desk(port=tls_peer.port, host="localhost", tls=Tls(ca_file=str(certificate[0])))
    desk.bind(tls_peer)
    count = 60_000
    writer = threading.Thread(target=tls_peer.send, args=(codec.enquire_link(8) * count,))
    writer.start()
    answered = 0
    while answered < count:
        deadline = desk.link.deadline()
        if deadline is None or deadline > desk.now:
            select.select([desk.link.fileno()], [], [], PATIENCE_SECONDS)
        desk.link.pump(desk.now)
        session = desk.link.session
        assert session is not None
        answered += len(session.outbound()) // 16
    writer.join()
    desk.link.close(desk.now)


def refusing(tls_peer: Peer, desk: Desk) -> str:
    """Why a handshake came to nothing."""

    def accept() -> None:
        with pytest.raises(OSError):  # noqa: PT011 — the words are OpenSSL's
            tls_peer.accept()

    accepting = threading.Thread(target=accept)
    accepting.start()
    desk.step()
    desk.until_state(LinkState.DOWN)
    accepting.join()
    (line,) = desk.journal.said("warning")
    desk.link.close(desk.now)
    return line


def test_an_unknown_authority_is_not_trusted(tls_peer: Peer) -> None:
    line = refusing(tls_peer, Desk(port=tls_peer.port, host="localhost", tls=True))
    assert "certificate not accepted: self-signed certificate" in line


def test_another_host_name_is_not_trusted(tls_peer: Peer, certificate: tuple[Path, Path]) -> None:
    tls = Tls(ca_file=str(certificate[0]), server_name="other.example")
    line = refusing(tls_peer, Desk(port=tls_peer.port, host="127.0.0.1", tls=tls))
    assert "certificate not accepted: Hostname mismatch" in line


def test_a_missing_file_is_named(peer: Peer) -> None:
    desk = Desk(port=peer.port, tls=Tls(ca_file="/no/such/ca.pem"))
    desk.step()
    desk.until_state(LinkState.DOWN)
    assert "cannot use the TLS files /no/such/ca.pem: No such file" in desk.journal.said("warning")[0]
