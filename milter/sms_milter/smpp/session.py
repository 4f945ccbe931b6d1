"""One SMPP session from the ESME's side, without I/O and without a clock.

Octets and a time go in, events and octets come out. Owns sequence numbers and timers, follows the table of
`states`, and promises that each submit ends in exactly one of Accepted, Refused and Uncertain. Refuses to
know sockets, queues and texts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Final, NoReturn

from sms_milter.errors import DecodeError, LocalProtocolError, RemoteProtocolError
from sms_milter.smpp import codec, status
from sms_milter.smpp.codec import Frame
from sms_milter.smpp.events import (
    Accepted,
    BindRefused,
    Bound,
    Broken,
    CancelAnswered,
    Delivery,
    Event,
    Key,
    LateResponse,
    Odd,
    Refused,
    Unbound,
    Uncertain,
)
from sms_milter.smpp.options import SessionOptions
from sms_milter.smpp.states import Signal, State, follow
from sms_milter.smpp.window import Window

_RESPONSES: Final = 200  # whose times are remembered

Watch = Callable[[Frame, bool], None]  # hears of every PDU, and whether we sent it


class Session:
    """One session on one connection. `now` is seconds on any clock that does not run backwards.

    `first_sequence` lets numbers go on from an earlier session, so that log lines stay unambiguous.
    """

    def __init__(self, options: SessionOptions, first_sequence: int = 1) -> None:
        self.options = options
        self.state = State.CLOSED
        self.bind_status: int | None = None  # the SMSC's answer to our bind
        self.submitted = self.accepted = self.refused = self.uncertain = 0
        self.watch: Watch | None = None
        self.response_seconds: deque[float] = deque(maxlen=_RESPONSES)  # of the last that were accepted
        self._next_sequence = first_sequence
        self._reader = codec.FrameReader()
        self._out: list[bytes] = []
        self._events: list[Event] = []
        size = 0 if options.kind == "receiver" else options.window
        self._window = Window(size, options.response_timeout_seconds)
        self._cancels: dict[int, Key] = {}
        self._bind_sequence = self._unbind_sequence = self._enquire_sequence = 0  # 0: not sent
        self._their_unbind = 0  # its sequence number, 0: not received
        self._heard_at = 0.0
        self._enquired_at: float | None = None
        self._partial_since: float | None = None
        self._state_ends_at: float | None = None

    # --- what we want ---------------------------------------------------------------------------------------

    def connected(self, now: float) -> None:
        """The connection stands: bind. Raises LocalProtocolError unless closed and every option fits."""
        following = follow(self.state, Signal.CONNECT)
        sequence = self._new_sequence()
        pdu = self.options.bind(sequence)
        self.state = following
        self._heard_at = now
        self._state_ends_at = now + self.options.bind_timeout_seconds
        self._bind_sequence = sequence
        self._out.append(pdu)

    def reserve(self, count: int) -> list[int]:
        """The next `count` sequence numbers; they are not given again (SMPP 3.4 §5.1.4)."""
        first = self._next_sequence
        last = first + count - 1
        self._next_sequence = last % codec.HIGHEST_SEQUENCE + 1
        if last <= codec.HIGHEST_SEQUENCE:
            return list(range(first, last + 1))
        return [*range(first, codec.HIGHEST_SEQUENCE + 1), *range(1, self._next_sequence)]

    def _new_sequence(self) -> int:
        return self.reserve(1)[0]

    def submit(self, key: Key, sequence: int, body: bytes, now: float) -> None:
        """Queue a submit_sm with a reserved `sequence`; its response timer starts now.

        Raises LocalProtocolError unless bound and within the window.
        """
        window = self._window
        waiting = window.open
        used = len(waiting) + len(window.missed)
        if self.state is not State.BOUND or used >= window.size or sequence in waiting:
            self._refuse_to_submit(sequence)
        self._out.append(codec.stamp(sequence, body))
        waiting[sequence] = (key, now)
        self.submitted += 1

    def cancel(self, key: Key, submit: bytes, message_id: str) -> None:
        """Queue a cancel_sm for what was submitted with that body (SMPP 3.4 §4.9.1). It takes no place in the
        window; without an answer nothing has happened. Raises LocalProtocolError unless bound.
        """
        follow(self.state, Signal.SUBMIT)
        sequence = self._new_sequence()
        self._cancels[sequence] = key
        self._out.append(codec.cancel_sm(sequence, submit, message_id))

    def _refuse_to_submit(self, sequence: int) -> NoReturn:
        follow(self.state, Signal.SUBMIT)
        if sequence in self._window.open:
            raise LocalProtocolError(f"sequence number {sequence} is under way already")
        raise LocalProtocolError(f"the window of {self.window} is full")

    def acknowledge(self, sequence: int, command_status: int, now: float, data_sm: bool = False) -> None:
        """Answer a Delivery; without effect once the session is over (the SMSC will send it again)."""
        del now
        self.state = follow(self.state, Signal.ACKNOWLEDGE)
        if self._alive:
            respond = codec.data_sm_resp if data_sm else codec.deliver_sm_resp
            self._out.append(respond(sequence, command_status))

    def unbind(self, now: float) -> None:
        """Come to an end in bounded time: open submits may be answered, then unbind; go on calling `tick`."""
        before = self.state
        self.state = follow(before, Signal.UNBIND)
        if before is State.BINDING:
            self._events.append(Unbound("given up before it was bound"))
        elif before is State.BOUND:
            self._state_ends_at = now + self.options.drain_timeout_seconds
            self._leave_when_drained(now)

    def closed(self, now: float, why: str = "connection lost") -> list[Event]:
        """The connection is gone: every open submit becomes Uncertain."""
        del now
        self.state = follow(self.state, Signal.CLOSE)
        self._reader = codec.FrameReader()
        self._out.clear()
        self._cancels.clear()
        self._bind_sequence = self._unbind_sequence = self._enquire_sequence = 0
        self._their_unbind = 0
        self._enquired_at = self._partial_since = self._state_ends_at = None
        keys = self._window.clear()
        self.uncertain += len(keys)
        self._events += [Uncertain(key, why) for key in keys]
        return self._take_events()

    # --- what can be seen -----------------------------------------------------------------------------------

    @property
    def window(self) -> int:
        """How many submits may be open at most; none on a receiver bind."""
        return self._window.size

    @property
    def free(self) -> int:
        """How many more submits may be made now."""
        return self._window.free if self.state is State.BOUND else 0

    @property
    def open(self) -> int:
        """How many submits wait for their response."""
        return len(self._window.open)

    @property
    def ready(self) -> bool:
        """Whether submits may be made, window permitting."""
        return self.state is State.BOUND

    @property
    def finished(self) -> bool:
        """Whether the connection should be closed, once `outbound` has left."""
        return self.state is State.ENDED

    @property
    def next_sequence(self) -> int:
        """The number that `reserve` gives next."""
        return self._next_sequence

    def outbound(self) -> bytes:
        """All octets that wait to be sent, given once."""
        if not self._out:
            return b""
        if self.watch is not None:
            for pdu in self._out:
                self.watch(codec.split(pdu), True)
        octets = b"".join(self._out)
        self._out.clear()
        return octets

    def deadline(self) -> float | None:
        """When `tick` must be called even if nothing arrives; None when there is nothing to wait for."""
        if self._events:
            return self._heard_at
        if not self._alive:
            return None
        dues = (self._state_ends_at, self._window.due_at(), self._enquire_due_at(), self._partial_due_at())
        return min((due for due in dues if due is not None), default=None)

    # --- what arrives ---------------------------------------------------------------------------------------

    def receive(self, data: bytes, now: float) -> list[Event]:
        """Octets from the SMSC, in any pieces. Raises LocalProtocolError without a connection."""
        if self.state is State.CLOSED:
            raise LocalProtocolError("octets received while closed")
        wrong: codec.BadLength | None = None
        try:
            frames = self._reader.feed(data)
        except codec.BadLength as fault:
            frames, wrong = fault.frames, fault
        if self.watch is not None:
            for frame in frames:
                self.watch(frame, False)
        if frames:
            self._heard_at = now
            self._enquired_at = None
            self._take_all(frames, now)
        if wrong is not None and self._alive:
            self._out.append(codec.generic_nack(wrong.sequence, status.RINVCMDLEN))
            self._break(str(wrong))
        self._watch_partial(now, progress=bool(frames))
        self._leave_when_drained(now)
        return self._take_events()

    def _take_all(self, frames: list[Frame], now: float) -> None:
        waiting, events, times = self._window.open, self._events, self.response_seconds
        for frame in frames:
            if frame[0] == codec.SUBMIT_SM_RESP and not frame[1]:
                submit = waiting.pop(frame[2], None)
                if submit is not None:
                    self.accepted += 1
                    self._window.answered_at = now
                    seconds = now - submit[1]
                    times.append(seconds)
                    events.append(Accepted(submit[0], codec.parse_message_id(frame[3]), seconds))
                    continue
            self._take(frame, now)

    def _take(self, frame: Frame, now: float) -> None:
        command_id = frame[0]
        take = _TAKERS.get(command_id, Session._unknown)
        if self.state is State.ENDED and command_id not in (codec.SUBMIT_SM_RESP, codec.GENERIC_NACK):
            return
        try:
            take(self, frame, now)
        except RemoteProtocolError as fault:
            self._decline(frame, status.RINVBNDSTS, str(fault))
        except DecodeError as fault:
            self._decline(frame, status.RINVCMDLEN, str(fault))

    def _decline(self, frame: Frame, command_status: int, why: str) -> None:
        """An odd PDU costs at most itself; a request gets a negative answer."""
        command_id, _, sequence, _ = frame
        self._events.append(Odd(why))
        if command_id == codec.DELIVER_SM:
            self._out.append(codec.deliver_sm_resp(sequence, command_status))
        elif command_id == codec.DATA_SM:
            self._out.append(codec.data_sm_resp(sequence, command_status))
        elif not command_id & codec.RESPONSE:
            self._out.append(codec.generic_nack(sequence, command_status))

    def _unknown(self, frame: Frame, now: float) -> None:
        del now
        self._decline(frame, status.RINVCMDID, f"command_id {frame[0]:08X} means nothing here")

    def _ignore(self, frame: Frame, now: float) -> None:
        """Heard, and that is all (enquire_link_resp, alert_notification, outbind)."""

    def _submit_answered(self, frame: Frame, now: float) -> None:
        _, command_status, sequence, body = frame
        self.state = follow(self.state, Signal.ANSWER)
        self._window.answered_at = now
        if sequence in self._window.open:
            self._refused(sequence, command_status, codec.parse_error_text(body))
        elif self._window.is_late(sequence):
            self._answered_late(
                sequence, command_status, "" if command_status else codec.parse_message_id(body)
            )
        else:
            raise RemoteProtocolError(f"submit_sm_resp with unknown sequence number {sequence}")

    def _refused(self, sequence: int, command_status: int, text: str) -> None:
        key, _ = self._window.open.pop(sequence)
        self.refused += 1
        self._events.append(Refused(key, command_status, text))
        verdict = status.classify(command_status)
        if verdict.kind is status.Class.LINK:
            self._break(f"the SMSC does not take us for bound: {verdict}")

    def _answered_late(self, sequence: int, command_status: int, message_id: str) -> None:
        key = self._window.take_late(sequence)
        self._events.append(LateResponse(key, sequence, command_status, message_id))

    def _cancel_answered(self, frame: Frame, now: float) -> None:
        del now
        _, command_status, sequence, _ = frame
        self.state = follow(self.state, Signal.ANSWER)
        if sequence not in self._cancels:
            raise RemoteProtocolError(f"cancel_sm_resp with unknown sequence number {sequence}")
        self._events.append(CancelAnswered(self._cancels.pop(sequence), command_status))

    def _nacked(self, frame: Frame, now: float) -> None:
        """SMPP 3.4 §4.3: the answer to whatever request has its sequence number."""
        _, command_status, sequence, _ = frame
        command_status = command_status or status.RUNKNOWNERR
        if sequence and sequence == self._their_unbind:
            # SMSCs that do not know their own unbind_resp (seen: smpp34 1.5) count their requests apart from
            # ours: a submit with the same number is not what is meant.
            self._break(f"generic_nack {status.classify(command_status)} for our unbind_resp")
        elif sequence in self._window.open:
            self._window.answered_at = now
            self._refused(sequence, command_status, "generic_nack")
        elif self._window.is_late(sequence):
            self._window.answered_at = now
            self._answered_late(sequence, command_status, "")
        elif sequence in self._cancels:
            self._cancel_answered(frame, now)
        elif sequence and sequence == self._bind_sequence:
            self._bind_answered((0, command_status, sequence, b""), now)
        elif sequence and sequence == self._unbind_sequence:
            self._unbind_answered(frame, now)
        elif not sequence or sequence != self._enquire_sequence:
            self._break(f"generic_nack {status.classify(command_status)} for sequence number {sequence}")

    def _bind_answered(self, frame: Frame, now: float) -> None:
        del now
        _, command_status, sequence, body = frame
        if sequence != self._bind_sequence:
            raise RemoteProtocolError(f"bind response with unknown sequence number {sequence}")
        self.state = follow(self.state, Signal.BIND_REFUSED if command_status else Signal.BIND_ACCEPTED)
        self._state_ends_at = None
        self.bind_status = command_status
        self._events.append(
            BindRefused(command_status) if command_status else Bound(*codec.parse_bind_resp(body))
        )

    def _delivered(self, frame: Frame, now: float) -> None:
        del now
        command_id, _, sequence, body = frame
        if self.options.kind == "transmitter":
            raise RemoteProtocolError("a delivery on a transmitter bind")
        self.state = follow(self.state, Signal.DELIVERY)
        data_sm = command_id == codec.DATA_SM
        pdu = codec.parse_data_sm(body) if data_sm else codec.parse_deliver_sm(body)
        self._events.append(Delivery(sequence, pdu, data_sm))

    def _enquired(self, frame: Frame, now: float) -> None:
        del now
        self._out.append(codec.enquire_link_resp(frame[2]))

    def _unbind_received(self, frame: Frame, now: float) -> None:
        before = self.state
        self.state = follow(before, Signal.UNBIND_RECEIVED)
        self._out.append(codec.unbind_resp(frame[2]))
        self._their_unbind = frame[2]
        if self.state is State.ENDED:
            self._events.append(Unbound("unbound by the SMSC"))
        elif before is not State.RELEASED:
            self._state_ends_at = now + self.options.drain_timeout_seconds

    def _unbind_answered(self, frame: Frame, now: float) -> None:
        del now, frame
        self.state = follow(self.state, Signal.UNBIND_ANSWERED)
        self._events.append(Unbound("unbound"))

    # --- time -----------------------------------------------------------------------------------------------

    def tick(self, now: float) -> list[Event]:
        """Let time pass: what has waited too long, and what is to be asked."""
        if self._alive:
            self._give_up_submits(now)
            self._give_up_state(now)
            self._give_up_partial(now)
            self._enquire(now)
        return self._take_events()

    def _give_up_submits(self, now: float) -> None:
        timeout = self.options.response_timeout_seconds
        keys = self._window.give_up(now)
        self.uncertain += len(keys)
        self._events += [Uncertain(key, f"no response within {timeout:g} s") for key in keys]
        if keys and self._enquires and self._enquired_at is None:
            self._send_enquire_link(now)
        if self._window.give_up_places(now):
            self._break(f"no response to anything for {2 * timeout:g} s")

    def _give_up_state(self, now: float) -> None:
        if self._state_ends_at is None or now < self._state_ends_at or not self._alive:
            return
        if self.state is State.BINDING:
            self._break(f"no answer to the bind within {self.options.bind_timeout_seconds:g} s")
        elif self.state is State.UNBINDING:
            self.state = follow(self.state, Signal.BREAKDOWN)
            self._events.append(Unbound(f"no unbind_resp within {self.options.unbind_timeout_seconds:g} s"))
        else:
            self._leave(now)

    def _leave_when_drained(self, now: float) -> None:
        if not self._window.open and self.state in (State.DRAINING, State.RELEASED):
            self._leave(now)

    def _leave(self, now: float) -> None:
        self.state = follow(self.state, Signal.DRAINED)
        if self.state is State.UNBINDING:
            self._state_ends_at = now + self.options.unbind_timeout_seconds
            self._unbind_sequence = self._new_sequence()
            self._out.append(codec.unbind(self._unbind_sequence))
        else:
            self._events.append(Unbound("unbound by the SMSC"))

    @property
    def _enquires(self) -> bool:
        return self.state in (State.BOUND, State.DRAINING) and self.options.enquire_link_seconds > 0

    def _enquire_due_at(self) -> float | None:
        if not self._enquires:
            return None
        if self._enquired_at is not None:
            return self._enquired_at + self.options.enquire_timeout_seconds
        return self._heard_at + self.options.enquire_link_seconds

    def _enquire(self, now: float) -> None:
        due = self._enquire_due_at()
        if due is None or now < due:
            return
        if self._enquired_at is not None:
            self._break(f"no answer to enquire_link within {self.options.enquire_timeout_seconds:g} s")
            return
        self._send_enquire_link(now)

    def _send_enquire_link(self, now: float) -> None:
        self._enquired_at = now
        self._enquire_sequence = self._new_sequence()
        self._out.append(codec.enquire_link(self._enquire_sequence))

    def _watch_partial(self, now: float, *, progress: bool) -> None:
        if not self._reader.partial:
            self._partial_since = None
        elif progress or self._partial_since is None:
            self._partial_since = now

    def _partial_due_at(self) -> float | None:
        if self._partial_since is None:
            return None
        return self._partial_since + self.options.partial_timeout_seconds

    def _give_up_partial(self, now: float) -> None:
        due = self._partial_due_at()
        if due is not None and due <= now and self._alive:
            self._break(f"half a PDU for {self.options.partial_timeout_seconds:g} s")

    # --- small things ---------------------------------------------------------------------------------------

    @property
    def _alive(self) -> bool:
        return self.state is not State.CLOSED and self.state is not State.ENDED

    def _break(self, why: str) -> None:
        if self._alive:
            self.state = follow(self.state, Signal.BREAKDOWN)
            self._events.append(Broken(why))

    def _take_events(self) -> list[Event]:
        events = self._events
        self._events = []
        return events


_TAKERS: Final[Mapping[int, Callable[[Session, Frame, float], None]]] = {
    codec.SUBMIT_SM_RESP: Session._submit_answered,
    codec.CANCEL_SM_RESP: Session._cancel_answered,
    codec.GENERIC_NACK: Session._nacked,
    codec.DELIVER_SM: Session._delivered,
    codec.DATA_SM: Session._delivered,
    codec.ENQUIRE_LINK: Session._enquired,
    codec.ENQUIRE_LINK_RESP: Session._ignore,
    codec.ALERT_NOTIFICATION: Session._ignore,
    codec.OUTBIND: Session._ignore,
    codec.UNBIND: Session._unbind_received,
    codec.UNBIND_RESP: Session._unbind_answered,
    **{codec.RESPONSE | command_id: Session._bind_answered for command_id in codec.BIND_COMMANDS.values()},
}
