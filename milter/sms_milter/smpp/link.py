"""One link: the connection under a session.

Waits, reads, feeds, writes and connects again. What a PDU means, and when to give up, is the session's.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from sms_milter.model import LinkState, LinkStatus
from sms_milter.ports import Journal
from sms_milter.smpp.codec import Frame
from sms_milter.smpp.dialling import Dial, Tls, reason
from sms_milter.smpp.events import BindRefused, Bound, Broken, Event, Odd, Unbound
from sms_milter.smpp.options import SessionOptions
from sms_milter.smpp.reconnect import Backoff
from sms_milter.smpp.session import Session
from sms_milter.smpp.sparing import Sparing
from sms_milter.smpp.states import State
from sms_milter.smpp.status import RINVCMDID, classify
from sms_milter.smpp.trace import Trace

_READ_OCTETS: Final = 65536
_READS: Final = 16  # per pump, so that one SMSC cannot keep the loop to itself
_SAME_FAILURE_SECONDS: Final = 600.0
_ODDITIES_SECONDS: Final = 60.0
_NOT_OURS: Final = "another dispatcher has this bind"

_STATES: Final = {
    State.CLOSED: LinkState.DOWN,
    State.BINDING: LinkState.BINDING,
    State.BOUND: LinkState.BOUND,
    State.DRAINING: LinkState.UNBINDING,
    State.UNBINDING: LinkState.UNBINDING,
    State.RELEASED: LinkState.UNBINDING,
    State.ENDED: LinkState.UNBINDING,
}
_NEWS: Final = frozenset({Bound, BindRefused, Unbound, Broken, Odd})


class Link:
    """A connection that is always wanted, and its session. Every method returns at once.

    The owner's loop: wait for `fileno`, `deadline` or `wake`; `pump`; submit and acknowledge; `flush`.
    `wake` is called from another thread when a connection attempt has ended. Of `hosts` the first that can be
    reached is taken, at each attempt anew. `number` counts the binds to one SMSC; transmitter and receiver
    have the same. `needed` is False while a receiver stands by.
    """

    def __init__(
        self,
        *,
        smsc: str,
        name: str,
        number: int = 1,
        hosts: Sequence[str],
        port: int,
        tls: Tls | bool | None,
        session_options: SessionOptions,
        backoff: Backoff,
        wake: Callable[[], None],
        journal: Journal,
        trace: Trace,
    ) -> None:
        self.smsc = smsc
        self.name = name
        self.number = number
        self._hosts, self._port = hosts, port
        self._tls = Tls() if tls is True else (tls or None)
        self._options = session_options
        self._backoff = backoff
        self._wake = wake
        self._journal = journal
        self._trace = trace
        self._watched = False
        self._dial: Dial | None = None
        self._dial_at = 0.0
        self._socket: socket.socket | None = None
        self._peer = ""
        self._session: Session | None = None
        self._next_sequence = 1
        self._unsent = b""
        self._more = False  # octets may wait that no poll would show
        self._fault = ""  # why the connection is of no use any more
        self._stopping = False
        self._permitted = True  # the bind is ours to have
        self._receiver: Link | None = None  # beside us, if we must become a transmitter
        self.needed = True
        self._past = (0, 0, 0, 0)  # submitted, accepted, refused, uncertain of earlier sessions
        self._note = ""
        self._seen_state = LinkState.DOWN
        self._since = 0.0
        self._failures = Sparing(_SAME_FAILURE_SECONDS, new_texts=True)
        self._oddities = Sparing(_ODDITIES_SECONDS, new_texts=False)

    # --- what can be seen -----------------------------------------------------------------------------------

    @property
    def session(self) -> Session | None:
        """The session on the present connection, None while there is none.

        One that ended in a `pump` can be seen until the next, closed.
        """
        return self._session

    @property
    def state(self) -> LinkState:
        """What the link is doing."""
        if self._dial is not None:
            return LinkState.CONNECTING
        return LinkState.DOWN if self._session is None else _STATES[self._session.state]

    @property
    def wants_write(self) -> bool:
        """Whether octets wait for the connection to take them."""
        return bool(self._unsent)

    def fileno(self) -> int:
        """What to poll; -1 while there is no connection."""
        return -1 if self._socket is None else self._socket.fileno()

    def deadline(self) -> float | None:
        """When `pump` must be called even if nothing arrives; in the past for at once."""
        if self._socket is not None and self._session is not None:
            return 0.0 if self._more or self._fault else self._session.deadline()
        return None if self._dial is not None or self._rests else self._dial_at

    def status(self, now: float) -> LinkStatus:
        """For `sms-milter status`."""
        self._watch_state(now)
        submitted, accepted, refused, uncertain = self._counts()
        return LinkStatus(
            smsc=self.smsc,
            bind=self.name,
            state=self.state,
            since=self._since,
            window_used=self._session.open if self._session else 0,
            window=self._options.window,
            submitted=submitted,
            accepted=accepted,
            refused=refused,
            uncertain=uncertain,
            note=self._note if self._permitted else _NOT_OURS,
        )

    def _counts(self) -> tuple[int, int, int, int]:
        present = self._session
        if present is None:
            return self._past
        submitted, accepted, refused, uncertain = self._past
        return (
            submitted + present.submitted,
            accepted + present.accepted,
            refused + present.refused,
            uncertain + present.uncertain,
        )

    def _watch_state(self, now: float) -> None:
        state = self.state
        if state is not self._seen_state or not self._since:
            self._seen_state, self._since = state, now

    # --- the owner's loop -----------------------------------------------------------------------------------

    def pump(self, now: float) -> list[Event]:
        """Read what has arrived, let time pass; connect when it is time. What came of it."""
        self._forget_closed_session()
        if self._dial is not None and self._dial.done:
            self._take_connection(self._dial, now)
        session = self._session
        if session is None:
            self._dial_when_due(now)
            events: list[Event] = []
        else:
            events = self._hear(session, now)
            events += session.tick(now)
            self._heed(events, now)
            if self._fault or session.finished:
                events += self._hang_up(session, now)
        self._watch_state(now)
        return events

    def flush(self) -> None:
        """Write what waits, as far as the connection takes it; the rest goes with the next call."""
        if self._socket is None or self._session is None:
            return
        fresh = self._session.outbound()
        unsent = self._unsent + fresh if self._unsent else fresh
        try:
            while unsent:
                unsent = unsent[self._socket.send(unsent) :]
        except (BlockingIOError, InterruptedError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            pass
        except OSError as error:
            self._fault = self._fault or f"connection lost: {reason(error)}"
            unsent = b""
        self._unsent = unsent

    def shutdown(self, now: float) -> None:
        """Unbind and stay down; `pump` until the state is DOWN, which takes a bounded time."""
        self._stopping = True
        self._give_up_dial()
        if self._session is not None:
            self._session.unbind(now)
            self.flush()

    def permit(self, now: float, *, on: bool) -> None:
        """Whether this bind is ours to have; another dispatcher may have it instead."""
        if on is self._permitted:
            return
        self._permitted = on
        self._dial_at = now
        if not on:
            self._info(_NOT_OURS)
            self._give_up_dial()
            if self._session is not None:
                self._session.unbind(now)
                self.flush()

    def fall_back_to(self, receiver: Link) -> None:
        """With an SMSC that knows no bind_transceiver we become a transmitter, and `receiver` is needed."""
        self._receiver = receiver
        receiver.needed = False

    def close(self, now: float) -> list[Event]:
        """Drop the connection now and stay down. What became of open submits."""
        self._stopping = True
        self._give_up_dial()
        if self._socket is None or self._session is None:
            return []
        self._fault = self._fault or "closed by us"
        return self._hang_up(self._session, now)

    # --- connecting -----------------------------------------------------------------------------------------

    @property
    def _rests(self) -> bool:
        """Whether no connection is wanted."""
        return self._stopping or not self._permitted or not self.needed

    def _dial_when_due(self, now: float) -> None:
        if self._dial is None and not self._rests and now >= self._dial_at:
            self._dial = Dial(self._hosts, self._port, self._tls, self._wake, self.name)

    def _give_up_dial(self) -> None:
        if self._dial is not None:
            self._dial.abandon()
            self._dial = None

    def _take_connection(self, dial: Dial, now: float) -> None:
        self._dial = None
        if dial.connection is None:
            self._retry_later(dial.failure, now)
            return
        self._socket = dial.connection
        self._peer = dial.peer
        self._unsent, self._more, self._fault = b"", False, ""
        self._session = Session(self._options, self._next_sequence)
        self._session.watch = self._log_pdu if self._watched else None
        self._session.connected(now)
        self.flush()

    def _retry_later(self, why: str, now: float, bind_status: int = 0) -> None:
        pause = self._backoff.pause(now, bind_status)
        self._dial_at = now + pause
        self._note = why
        text = self._failures.text(why, now)
        if text is not None:
            self._warn(f"{text}; next attempt in {pause:.0f} s")

    def watch(self, *, on: bool) -> None:
        """Whether every PDU goes to the log from now on."""
        if on is not self._watched:
            self._watched = on
            self._info("PDUs are logged from here on" if on else "PDUs are not logged any more")
        if self._session is not None:
            self._session.watch = self._log_pdu if on else None

    def _log_pdu(self, frame: Frame, sent: bool) -> None:
        self._info(self._trace.line(frame, sent=sent))

    # --- the connection -------------------------------------------------------------------------------------

    def _hear(self, session: Session, now: float) -> list[Event]:
        events: list[Event] = []
        for _ in range(_READS):
            data = self._read()
            if not data:
                self._more = False
                return events
            events += session.receive(data, now)
            if len(data) < _READ_OCTETS and self._tls is None:
                self._more = False
                return events
        self._more = True
        return events

    def _read(self) -> bytes:
        """What has arrived; nothing also at the end of the connection, which becomes our fault to heed."""
        assert self._socket is not None
        try:
            data = self._socket.recv(_READ_OCTETS)
        except (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return b""
        except OSError as error:
            self._fault = self._fault or f"connection lost: {reason(error)}"
            return b""
        if not data:
            self._fault = self._fault or "connection closed by the SMSC"
        return data

    def _hang_up(self, session: Session, now: float) -> list[Event]:
        """The connection has ended, or is to end."""
        self.flush()  # an unbind_resp or a generic_nack may wait
        assert self._socket is not None
        self._socket.close()
        self._socket = None
        why = self._note if session.finished else self._fault
        events = session.closed(now, why)
        self._next_sequence = session.next_sequence
        self._unsent, self._more, self._fault = b"", False, ""
        doubts = f" ({len(events)} without response)" if events else ""
        if self._rests:
            self._note = why
            self._info(why + doubts)
        else:
            if session.bind_status == RINVCMDID and self._receiver is not None:
                self._become_transmitter(self._receiver)
            if session.accepted:
                self._backoff.worked()
            self._retry_later(why + doubts, now, session.bind_status or 0)
        return events

    def _become_transmitter(self, receiver: Link) -> None:
        """SMPP 3.4 §4.1: an SMSC of the older version binds each way apart."""
        self._receiver = None
        self._options = replace(self._options, kind="transmitter")
        receiver.needed = True
        self._warn("the SMSC knows no bind_transceiver: transmitter and receiver from here on")

    def _forget_closed_session(self) -> None:
        if self._socket is None and self._session is not None:
            self._past = self._counts()
            self._session = None

    # --- the log --------------------------------------------------------------------------------------------

    def _heed(self, events: list[Event], now: float) -> None:
        for event in events:
            if type(event) in _NEWS:
                self._tell(event, now)

    def _tell(self, event: Event, now: float) -> None:
        match event:
            case Bound():
                self._backoff.bound(now)
                self._failures.reset()
                self._note = ""
                kind = self._options.kind
                self._info(f"bound to {self._peer} as {self._options.system_id} ({kind})")
            case BindRefused(command_status):
                self._note = f"bind refused: {classify(command_status)}"
            case Broken(why) | Unbound(why):
                self._note = why
            case Odd(why):
                text = self._oddities.text(why, now)
                if text is not None:
                    self._warn(text)
            case _:
                pass

    def _info(self, text: str) -> None:
        self._journal.info(f"smsc={self.smsc} bind={self.name}: {text}")

    def _warn(self, text: str) -> None:
        self._journal.warning(f"smsc={self.smsc} bind={self.name}: {text}")
