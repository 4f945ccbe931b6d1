"""The milter: libmilter's callbacks translated into `intake.Transaction`, its verdict into milter actions.

The one door to pymilter (its C module; the class layer above it is not used: fewer frames at every callback,
and octets instead of text). Callbacks run on libmilter's own threads, which hop between callbacks: nothing
here touches a database or keeps a thread-local. A callback without reply must never raise: libmilter would
leave the MTA waiting for its timeout.
"""

from __future__ import annotations

import os
import re
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import milter  # pymilter's C extension

from sms_milter import reply
from sms_milter.gate import Gate
from sms_milter.intake import Transaction, Verdict
from sms_milter.logline import line, place
from sms_milter.mail.address import esmtp_parameters
from sms_milter.metrics import UNMETERED
from sms_milter.model import Action, Certificate, Client
from sms_milter.ports import Intake, Journal, Meter
from sms_milter.reply import Reply

# Steps of the protocol that we switch off (milter.md §7.1): HELO, but for SPF, and unknown commands are not
# needed; nothing is refused at connect, MAIL, header or body, so the MTA need not wait for our answer there;
# EOH tells us nothing.
_STEPS_OFF = (
    milter.P_NOHELO
    | milter.P_NOUNKNOWN
    | milter.P_NR_EOH
    | milter.P_NR_CONN
    | milter.P_NR_MAIL
    | milter.P_NR_HDR
    | milter.P_NR_BODY
)
# The default list would make Postfix resolve every recipient once more (milter.md §0.14).
_MACROS = {
    milter.M_ENVFROM: "i {auth_authen} {tls_version}",
    milter.M_ENVRCPT: "i",
    milter.M_EOM: "i",
}
# {cert_subject} is the common name with Postfix, which knows none of the names before it; with Sendmail it is
# the whole distinguished name.
_CERTIFICATE = ("{verify}", "{cn_subject}", "{cn_issuer}", "{cert_subject}", "{cert_issuer}")
_FINGERPRINTS = ("{cert_fp}", "{cert_md5}")

_IO_TIMEOUT_SECONDS = 7210  # libmilter's own default; must exceed the MTA's idle time


class Connection:
    """One SMTP connection as the MTA shows it to us."""

    __slots__ = ("client", "failed", "steps", "transaction")

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.client = Client()
        self.transaction: Transaction | None = None
        self.failed = False  # a callback failed: this mail gets an honest 451


Step = Callable[..., Any]


def _silent(flag: int) -> Callable[[Step], Step]:
    """A callback without reply. It never raises: libmilter would let the MTA wait for its timeout."""

    def guard(step: Step) -> Step:
        def callback(self: Milter, ctx: Any, *arguments: Any) -> int:
            connection = ctx.getpriv()
            try:
                step(self, ctx, connection, *arguments)
            except Exception:  # noqa: BLE001 -- whatever it is, the mail gets its 451 at end of message
                self.unforeseen(connection)
            return int(milter.NOREPLY if connection and connection.steps & flag else milter.CONTINUE)

        return callback

    return guard


def _answering(step: Step) -> Step:
    """A callback with a verdict; an error of ours is answered 451."""

    def callback(self: Milter, ctx: Any, *arguments: Any) -> int:
        connection = ctx.getpriv()
        try:
            if connection.failed or connection.transaction is None:
                return _answer(ctx, reply.INTERNAL_ERROR)
            return int(step(self, ctx, connection, *arguments))
        except Exception:  # noqa: BLE001 -- undecided means try again
            self.unforeseen(connection)
            return _answer(ctx, reply.INTERNAL_ERROR)

    return callback


class Milter:
    """The callbacks of one worker process, and the count of what is open in it."""

    def __init__(
        self,
        gate: Gate,
        intake: Intake,
        journal: Journal,
        meter: Meter = UNMETERED,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._gate, self._intake, self._journal, self._meter = gate, intake, journal, meter
        self._clock = clock
        self._steps_off, self._macros = _STEPS_OFF, dict(_MACROS)
        if gate.asks_helo:
            self._steps_off &= ~milter.P_NOHELO
        if gate.asks_certificate:
            self._macros[milter.M_ENVFROM] += " " + " ".join([*_CERTIFICATE, *_FINGERPRINTS])
        self._lock = threading.Lock()
        self._open: set[int] = set()  # connections
        self._busy: set[int] = set()  # connections within a mail

    # --- connection -----------------------------------------------------------------------------------------

    def negotiate(self, ctx: Any, options: list[int]) -> int:
        """Ask for what we use and nothing else; what the MTA does not offer is not used."""
        steps = options[1] & self._steps_off
        if options[0] & milter.SETSYMLIST:
            for stage, names in self._macros.items():
                ctx.setsymlist(stage, names)
        options[0] &= milter.DELRCPT
        options[1] = steps
        options[2] = options[3] = 0
        ctx.setpriv(Connection(steps))
        return int(milter.CONTINUE)

    def connect(self, ctx: Any, name: str, _family: int, address: Any) -> int:
        """A client is there; nothing is decided yet, the MTA may carry other mail for it."""
        if ctx.getpriv() is None:
            ctx.setpriv(Connection(0))  # an MTA that does not negotiate
        return int(self._connected(ctx, name, address))

    @_silent(milter.P_NR_CONN)
    def _connected(self, _ctx: Any, connection: Connection, name: str, address: Any) -> None:
        with self._lock:
            self._open.add(id(connection))
        if isinstance(address, tuple):
            connection.client = Client.at(address[0], name, address[1])
        else:
            connection.client = Client("", name)

    @_silent(0)
    def helo(self, _ctx: Any, connection: Connection, name: str) -> None:
        """HELO or EHLO, where SPF is asked for."""
        connection.client = replace(connection.client, helo=name)

    def close(self, ctx: Any) -> int:
        """The end of a connection; it may come without `connect`."""
        connection = ctx.getpriv()
        if connection is not None:
            ctx.setpriv(None)
            with self._lock:
                self._open.discard(id(connection))
                self._busy.discard(id(connection))
        return int(milter.CONTINUE)

    # --- envelope -------------------------------------------------------------------------------------------

    @_silent(milter.P_NR_MAIL)
    def mail(self, ctx: Any, connection: Connection, sender: bytes, *parameters: bytes) -> None:
        """MAIL FROM: a mail's state begins here and nowhere else; no abort follows an end of message."""
        connection.failed = False
        connection.transaction = None
        with self._lock:
            self._busy.add(id(connection))
        queue_id = ctx.getsymval("i") or ""
        client = connection.client
        connection.transaction = Transaction(
            self._gate,
            self._intake,
            self._journal,
            client,
            _text(sender),
            esmtp_parameters([_text(parameter) for parameter in parameters]),
            sasl_user=ctx.getsymval("{auth_authen}") or "",
            tls_version=ctx.getsymval("{tls_version}") or "",
            certificate=_certificate(ctx) if self._gate.asks_certificate else Certificate(),
            mta_queue_id=queue_id,
            # sendmail(1) through non_smtpd_milters: no port, and a queue id from MAIL on (milter.md §3.1).
            local=bool(queue_id) and client.port == 0 and client.name == "localhost",
            meter=self._meter,
            clock=self._clock,
        )

    @_answering
    def recipient(self, ctx: Any, connection: Connection, recipient: bytes, *parameters: bytes) -> int:
        """RCPT TO: the one place where SMTP has a reply per recipient."""
        transaction = connection.transaction
        assert transaction is not None
        transaction.mta_queue_id = transaction.mta_queue_id or ctx.getsymval("i") or ""
        given = esmtp_parameters([_text(parameter) for parameter in parameters])
        why = transaction.recipient(_text(recipient), given)
        return int(milter.CONTINUE) if why is None else _answer(ctx, why)

    @_answering
    def data(self, _ctx: Any, connection: Connection) -> int:
        """DATA: mail without an SMS recipient passes unseen from here on."""
        assert connection.transaction is not None
        if connection.transaction.concerns_us:
            return int(milter.CONTINUE)
        self._mail_over(connection)
        return int(milter.ACCEPT)

    # --- content --------------------------------------------------------------------------------------------

    @_silent(milter.P_NR_HDR)
    def header(self, _ctx: Any, connection: Connection, name: str, value: bytes) -> None:
        """One header field."""
        assert connection.transaction is not None
        connection.transaction.header(name, value)

    @_silent(milter.P_NR_BODY)
    def body(self, _ctx: Any, connection: Connection, chunk: bytes) -> None:
        """At most 65,535 octets of the body."""
        assert connection.transaction is not None
        connection.transaction.body(chunk)

    def end_of_message(self, ctx: Any) -> int:
        """The decision. When we claim the mail its SMS are committed; only then does the MTA hear of it."""
        try:
            return int(self._decide(ctx))
        finally:
            self.abort(ctx)

    @_answering
    def _decide(self, ctx: Any, connection: Connection) -> int:
        transaction = connection.transaction
        assert transaction is not None
        transaction.mta_queue_id = ctx.getsymval("i") or transaction.mta_queue_id
        return _act(ctx, transaction.decide(ctx.progress))

    def abort(self, ctx: Any) -> int:
        """RSET, a lost client, another milter's verdict: the mail is off."""
        connection = ctx.getpriv()
        if connection is not None:
            self._mail_over(connection)
        return int(milter.CONTINUE)

    def _mail_over(self, connection: Connection) -> None:
        connection.transaction = None
        with self._lock:
            self._busy.discard(id(connection))

    def unforeseen(self, connection: Connection | None) -> None:
        """An error of ours: the mail gets 451, the log says where it happened."""
        queue_id = ""
        if connection is not None:
            connection.failed = True
            if connection.transaction is not None:
                queue_id = connection.transaction.mta_queue_id
        self._journal.error(line(queue_id, status=f"internal error ({place()})"))

    # --- draining -------------------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether any connection is within a mail."""
        return bool(self._busy)

    @property
    def open(self) -> bool:
        """Whether any connection is open."""
        return bool(self._open)


def _certificate(ctx: Any) -> Certificate:
    """What the MTA tells of the client's certificate, if it has verified it: Postfix tells of no others,
    Sendmail says OK in {verify}.
    """
    verify, own_subject, own_issuer, subject, issuer = [ctx.getsymval(name) or "" for name in _CERTIFICATE]
    if verify:
        if verify != "OK":
            return Certificate()
        subject, issuer = _plain(own_subject), _plain(own_issuer)
    fingerprint = next(filter(None, map(ctx.getsymval, _FINGERPRINTS)), "")
    return Certificate(subject, issuer, fingerprint.replace(":", "").lower())


def _plain(name: str) -> str:
    """A name as it stands in the certificate: Sendmail writes what is special in SMTP as + and two digits."""
    return re.sub("\\+([0-9A-F]{2})", lambda found: chr(int(found[1], 16)), name)


def _act(ctx: Any, verdict: Verdict) -> int:
    match verdict.action:
        case Action.DISCARD:
            return int(milter.DISCARD)
        case Action.STRIP:
            for raw in verdict.remove:
                ctx.delrcpt(raw)
            return int(milter.CONTINUE)
        case Action.PASS:
            return int(milter.CONTINUE)
        case _:
            return _answer(ctx, verdict.reply or reply.INTERNAL_ERROR)


def _answer(ctx: Any, why: Reply) -> int:
    ctx.setreply(str(why.code), why.enhanced, why.text.replace("%", "%%"))
    return int(milter.TEMPFAIL if why.is_temporary else milter.REJECT)


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")


class Listener:
    """The listening socket as libmilter holds it in this process."""

    def __init__(self, listening: socket.socket) -> None:
        self._descriptor = _hand_over(listening)

    def stop(self) -> None:
        """Take no more connections, keep the open ones: an idle socket takes the place of the listening one.

        libmilter knows no such thing; telling it to stop would cut running dialogues (milter.md §7.5).
        """
        with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as idle:
            idle.bind(os.path.join(folder, "idle"))
            idle.listen(1)
            idle.setblocking(False)
            os.dup2(idle.fileno(), self._descriptor)


def _hand_over(listening: socket.socket) -> int:
    """Make libmilter listen on our socket; returns the descriptor it uses.

    Debian's and Ubuntu's libmilter take `fd:N`. Elsewhere it opens a private socket of its own and ours is
    put in that one's place, which also keeps a stopping worker from unlinking the path that all workers
    share.
    """
    try:
        milter.setconn(f"fd:{listening.fileno()}")
        milter.opensocket(False)
    except milter.error:
        with tempfile.TemporaryDirectory() as folder:
            before = _listening_descriptors()
            milter.setconn(f"unix:{folder}/private")
            milter.opensocket(False)
            (descriptor,) = _listening_descriptors() - before
            os.dup2(listening.fileno(), descriptor)
            return int(descriptor)
    return listening.fileno()


def _listening_descriptors() -> set[int]:
    found = set()
    for descriptor in range(3, os.sysconf("SC_OPEN_MAX") if os.sysconf("SC_OPEN_MAX") < 4096 else 4096):
        try:
            with socket.socket(fileno=os.dup(descriptor)) as candidate:
                if candidate.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    found.add(descriptor)
        except OSError:
            continue
    return found


def serve(callbacks: Milter, listening: socket.socket, ready: Callable[[Listener], None]) -> None:
    """Run libmilter on `listening` (non-blocking, shared by all workers) until the process ends.

    `ready` gets the listener just before the first connection can come. Leave the process with `os._exit`:
    libmilter's threads do not survive the interpreter's end.
    """
    milter.set_flags(milter.DELRCPT)
    milter.set_connect_callback(callbacks.connect)
    milter.set_helo_callback(callbacks.helo)
    milter.set_envfrom_callback(callbacks.mail)
    milter.set_envrcpt_callback(callbacks.recipient)
    milter.set_header_callback(callbacks.header)
    milter.set_body_callback(callbacks.body)
    milter.set_eom_callback(callbacks.end_of_message)
    milter.set_abort_callback(callbacks.abort)
    milter.set_close_callback(callbacks.close)
    milter.set_exception_policy(milter.TEMPFAIL)
    milter.register("sms-milter", data=callbacks.data, negotiate=callbacks.negotiate)
    milter.settimeout(_IO_TIMEOUT_SECONDS)
    ready(Listener(listening))
    milter.main()
