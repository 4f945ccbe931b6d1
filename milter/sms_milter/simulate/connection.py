"""One ESME's connection to the simulated SMSC: reads its PDUs, answers them, carries receipts to it.

What one read brings is answered with one write, so that a whole window costs two system calls.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from time import time

from sms_milter.simulate import wire
from sms_milter.simulate.network import Network, Taken
from sms_milter.simulate.phone import Segment, segment_of
from sms_milter.simulate.receipt import compose_receipt, is_wanted
from sms_milter.simulate.script import Act, ReceiptRule, Rule, Stat
from sms_milter.simulate.wire import GENERIC_NACK, RESPONSE, BadPdu, Command, Pdu, Status, Submission, Tlv

_OCTETS_AT_ONCE = 262_144
_CANCELLED = ReceiptRule(stat="DELETED")
_REPEAT_SECONDS = 1.0  # until a receipt that was not taken comes again


class Connection:
    """From accept to close; `run` is its thread. The other methods are for any thread."""

    def __init__(self, network: Network, link: socket.socket) -> None:
        self.system_id = ""
        self._can_send = self._can_receive = False
        self._network = network
        self._link = link
        self._lock = threading.Lock()  # for what waits: octets to write, receipts to be acknowledged
        self._writing = threading.Lock()
        self._outbound: list[bytes] = []
        self._is_mute = False  # writes nothing more
        self._sequences = count(1)
        self._open_receipts: dict[int, tuple[Command, bytes]] = {}
        self._is_leaving = False  # closes after this read
        self.is_bound = False  # and nobody has unbound
        self._is_unbinding = False  # we asked for it
        self._commands: dict[int, Callable[[Pdu], None]] = {
            Command.BIND_RECEIVER: self._bind,
            Command.BIND_TRANSMITTER: self._bind,
            Command.BIND_TRANSCEIVER: self._bind,
            Command.SUBMIT_SM: self._submit,
            Command.DATA_SM: self._submit,
            Command.CANCEL_SM: self._cancel,
            Command.ENQUIRE_LINK: self._enquire_link,
            Command.UNBIND: self._unbind,
            Command.DELIVER_SM | RESPONSE: self._delivered,
            Command.DATA_SM | RESPONSE: self._delivered,
            Command.UNBIND | RESPONSE: self._unbound,
        }

    def run(self) -> None:
        """Serve until either side closes; then what was not acknowledged goes elsewhere or waits."""
        self._link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(OSError):  # the other side, or `close`, was faster
            self._serve()
        with self._lock:
            self._can_receive = False
            self._is_mute = True
            left_over = list(self._open_receipts.values())
            self._open_receipts.clear()
        self._link.close()
        self._network.left(self, lost=self.is_bound)
        for command, body in left_over:
            self._network.deliver(self.system_id, command, body)

    def close(self) -> None:
        """End the connection; its thread notices."""
        with suppress(OSError):  # it is closed already
            self._link.shutdown(socket.SHUT_RDWR)

    # --- writing ---

    def deliver(self, command: Command, body: bytes) -> bool:
        """Queue a deliver_sm or data_sm and never wait; False when this connection receives none."""
        with self._lock:
            if not self._can_receive:
                return False
            sequence = next(self._sequences)
            self._open_receipts[sequence] = (command, body)
            self._outbound.append(wire.compose(command, 0, sequence, body))
            return True

    def has_open_receipts(self) -> bool:
        """Whether a deliver_sm waits for its response."""
        return bool(self._open_receipts)

    def flush(self) -> None:
        """Write what is queued."""
        with self._writing:
            with self._lock:
                data = b"" if self._is_mute else b"".join(self._outbound)
                self._outbound.clear()
            if data:
                with suppress(OSError):  # reading will notice
                    self._write(data)

    def _write(self, data: bytes) -> None:
        size = self._network.options.fragment or len(data)
        for at in range(0, len(data), size):
            self._link.sendall(data[at : at + size])

    def _queue(self, octets: bytes) -> None:
        with self._lock:
            self._outbound.append(octets)

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        if seconds > 0:
            self._network.timetable.after(seconds, action)
        else:
            action()

    def _answer(self, pdu: Pdu, status: int = 0, body: bytes = b"", delay_seconds: float = 0.0) -> None:
        octets = wire.compose(pdu.command | RESPONSE, status, pdu.sequence, body)
        self._later(self._network.options.response_delay + delay_seconds, lambda: self._queue(octets))

    # --- reading ---

    def _serve(self) -> None:
        rest = b""
        while not self._is_leaving:
            data = self._link.recv(_OCTETS_AT_ONCE)
            if not data:
                return
            try:
                rest = self._read(rest + data)
            except BadPdu as fault:
                self._queue(wire.compose(GENERIC_NACK, fault.status, 0))
                self._is_leaving = True
            self.flush()

    def _read(self, data: bytes) -> bytes:
        """Answer the PDUs in `data`; gives the octets of the one that is not whole yet."""
        while True:
            pdus, data = wire.split_pdus(data)
            if not pdus:
                return data
            for pdu in pdus:
                if self._is_leaving or self._is_mute:
                    return b""
                self._commands.get(pdu.command, self._unknown)(pdu)

    def _unknown(self, pdu: Pdu) -> None:
        if not pdu.command & RESPONSE:
            self._queue(wire.compose(GENERIC_NACK, Status.COMMAND_ID, pdu.sequence))

    def _enquire_link(self, pdu: Pdu) -> None:
        self._answer(pdu)

    # --- bind and unbind ---

    def _bind(self, pdu: Pdu) -> None:
        if self._can_send or self._can_receive:
            self._answer(pdu, Status.ALREADY_BOUND)
            return
        try:
            bind = wire.parse_bind(pdu.body)
        except BadPdu as fault:
            self._answer(pdu, fault.status)
            return
        status = self._network.bind(self, bind)
        if status:
            self._answer(pdu, status)
            return
        self._can_send = pdu.command != Command.BIND_RECEIVER
        self._answer(pdu, body=wire.compose_bind_resp("simulator"))
        if pdu.command != Command.BIND_TRANSMITTER:
            self._later(self._network.options.response_delay, self._begin_receiving)

    def _begin_receiving(self) -> None:
        self._can_receive = True
        self._network.deliver_waiting(self.system_id)

    def _unbind(self, pdu: Pdu) -> None:
        self._can_send = self._can_receive = self.is_bound = False
        self._answer(pdu)
        self._is_leaving = not self._network.options.response_delay  # else the other side closes

    def _unbound(self, _: Pdu) -> None:
        self._is_leaving = self._is_unbinding
        self.is_bound &= not self._is_unbinding

    # --- submit_sm ---

    def _submit(self, pdu: Pdu) -> None:
        try:
            if not self._can_send:
                raise BadPdu(Status.BIND_STATE)
            parse = wire.parse_submit_sm if pdu.command == Command.SUBMIT_SM else wire.parse_data_sm
            submission = parse(pdu.body)
            segment = segment_of(submission)
        except BadPdu as fault:
            self._refuse(pdu, fault.status)
            return
        rule = self._network.rule_for(submission, pdu.body)
        match rule.act:
            case Act.REFUSE:
                self._refuse(pdu, rule.status)
            case Act.NACK:
                self._queue(wire.compose(GENERIC_NACK, rule.status, pdu.sequence))
            case Act.UNBIND:
                self._can_send, self._is_unbinding = False, True
                self._queue(wire.compose(Command.UNBIND, 0, next(self._sequences)))
            case Act.CLOSE:
                self._is_leaving = True
            case Act.STALL:
                self._half(pdu)
            case Act.SILENCE:
                pass
            case _:
                self._accept(pdu, submission, segment, rule)

    def _refuse(self, pdu: Pdu, status: int) -> None:
        self._network.refused()
        self._answer(pdu, status)

    def _half(self, pdu: Pdu) -> None:
        """Half a response, and nothing after it."""
        response = wire.compose(pdu.command | RESPONSE, 0, pdu.sequence, wire.compose_message_id("0"))
        self._queue(response[: len(response) // 2])
        self.flush()
        self._is_mute = True
        self._can_receive = False

    def _accept(self, pdu: Pdu, submission: Submission, segment: Segment, rule: Rule) -> None:
        """Take it; then answer, or whatever the rule has instead."""
        taken = self._network.take(submission, segment, pdu.octets, rule.id)
        delay = rule.delay + self._network.up_to(rule.jitter)
        now = time()
        if rule.receipt.when == "before":
            self._report(submission, segment, taken, rule, now)
        match rule.act:
            case Act.TAKE_AND_CLOSE:
                self._is_leaving = True
            case Act.CUT:
                self._half(pdu)
                self._is_leaving = True
            case Act.LOSE:
                pass
            case _:
                if rule.act is Act.OUTBIND:
                    outbind = wire.compose_outbind("simulator")
                    self._queue(wire.compose(Command.OUTBIND, 0, next(self._sequences), outbind))
                if rule.act is Act.UNKNOWN:
                    self._queue(wire.compose(wire.UNKNOWN_COMMAND, 0, next(self._sequences)))
                for _ in range(2 if rule.twice else 1):
                    self._answer(pdu, 0, _response(taken, rule), delay)
        if rule.receipt.when == "after":
            options = self._network.options
            self._network.on_the_way(taken.message_id, submission.destination)
            self._later(
                options.response_delay + delay + options.receipt_delay + rule.receipt.delay,
                lambda: self._arrive(submission, segment, taken, rule, now),
            )

    def _cancel(self, pdu: Pdu) -> None:
        try:
            cancelled = self._network.cancel(*wire.parse_cancel_sm(pdu.body))
        except BadPdu as fault:
            self._answer(pdu, fault.status)
            return
        self._answer(pdu, Status.OK if cancelled else Status.CANCEL_FAILED)

    # --- receipts ---

    def _arrive(
        self, submission: Submission, segment: Segment, taken: Taken, rule: Rule, submitted_at: float
    ) -> None:
        """At the phone, unless it was cancelled on the way."""
        if not self._network.arrived(taken.message_id, submission.destination):
            rule = rule.model_copy(update={"receipt": _CANCELLED})
        self._report(submission, segment, taken, rule, submitted_at)

    def _report(
        self, submission: Submission, segment: Segment, taken: Taken, rule: Rule, submitted_at: float
    ) -> None:
        """What was asked for, of the way and of the end."""
        which = rule.receipt
        if which.parts != "all" and segment.number != (1 if which.parts == "first" else segment.total):
            return
        stats: list[Stat] = [*which.interim, *[which.stat] * which.times]
        message_id = taken.id_in(which.id)
        for stat in stats:
            if is_wanted(submission.registered_delivery, stat):
                command, body = compose_receipt(
                    submission, segment.content, message_id, stat, which, submitted_at, time()
                )
                self._network.deliver(self.system_id, command, body, self)

    def _delivered(self, pdu: Pdu) -> None:
        with self._lock:
            delivery = self._open_receipts.pop(pdu.sequence, None)
        if delivery is None:
            return
        if pdu.status:
            self._later(_REPEAT_SECONDS, lambda: self._network.deliver(self.system_id, *delivery, self))
        else:
            self._network.acknowledged()


def _response(taken: Taken, rule: Rule) -> bytes:
    """The body of the submit_sm_resp, with what the rule puts behind its id."""
    body = wire.compose_message_id(taken.message_id)
    match rule.tlvs:
        case "vendor":
            return body + wire.compose_tlvs((Tlv.VENDOR, b"\x01\x02\x03"))
        case "no-nul":
            return body[:-1]
        case "wrong-length":
            return body + wire.compose_tlvs((Tlv.VENDOR, b"\x01"))[:-1]
    return body
