"""Every pair of state and signal: a session does what its table says, and the page shows the table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sms_milter.errors import LocalProtocolError, RemoteProtocolError
from sms_milter.model import SubmitSm
from sms_milter.smpp import codec, drawing
from sms_milter.smpp.events import Event, Odd
from sms_milter.smpp.options import SessionOptions
from sms_milter.smpp.session import Session
from sms_milter.smpp.states import LOCAL, TRANSITIONS, Signal, State, follow

BODY = codec.compose(SubmitSm(destination_addr="447973100000", short_message=b"Hello")).body
DELIVERY = b"\0\1\x0144\0\5\0ME\0\4\0\0\0\0\0\0\0\0\4id:1"
BIND_SEQUENCE = 1
OPTIONS = SessionOptions("acme", response_timeout_seconds=100.0)


def _respond_to_bind(session: Session, status: int) -> list[Event]:
    return session.receive(codec.frame(0x80000009, status, BIND_SEQUENCE, b""), 0.0)


def _submit(session: Session) -> int:
    (sequence,) = session.reserve(1)
    session.submit("part", sequence, BODY, 0.0)
    return sequence


def in_state(state: State) -> tuple[Session, int]:
    """A session in `state`, and the sequence number of its one open submit (0 where there can be none)."""
    session = Session(OPTIONS)
    if state is State.CLOSED:
        return session, 0
    session.connected(0.0)
    if state is State.BINDING:
        return session, 0
    _respond_to_bind(session, 0)
    sequence = _submit(session)
    match state:
        case State.DRAINING:
            session.unbind(0.0)
        case State.UNBINDING:
            session.unbind(0.0)
            session.tick(5.0)
        case State.RELEASED:
            session.receive(codec.unbind(9), 0.0)
        case State.ENDED:
            session.receive(codec.generic_nack(0, 3), 0.0)
        case _:
            pass
    session.outbound()
    return session, sequence


def _drained(session: Session, sequence: int) -> list[Event]:
    return session.tick(5.0)


def _breakdown(session: Session, sequence: int) -> list[Event]:
    return session.receive(bytes(16), 0.0)


GIVE: dict[Signal, Callable[[Session, int], object]] = {
    Signal.CONNECT: lambda session, _: session.connected(0.0),
    Signal.SUBMIT: lambda session, _: _submit(session),
    Signal.ACKNOWLEDGE: lambda session, _: session.acknowledge(7, 0, 0.0),
    Signal.UNBIND: lambda session, _: session.unbind(0.0),
    Signal.CLOSE: lambda session, _: session.closed(0.0),
    Signal.BIND_ACCEPTED: lambda session, _: _respond_to_bind(session, 0),
    Signal.BIND_REFUSED: lambda session, _: _respond_to_bind(session, 0x0E),
    Signal.ANSWER: lambda session, sequence: session.receive(
        codec.frame(codec.SUBMIT_SM_RESP, 0x0B, sequence), 0.0
    ),
    Signal.DELIVERY: lambda session, _: session.receive(codec.frame(codec.DELIVER_SM, 0, 7, DELIVERY), 0.0),
    Signal.UNBIND_RECEIVED: lambda session, _: session.receive(codec.unbind(9), 0.0),
    Signal.UNBIND_ANSWERED: lambda session, _: session.receive(codec.unbind_resp(3), 0.0),
    Signal.DRAINED: _drained,
    Signal.BREAKDOWN: _breakdown,
}


@pytest.mark.parametrize("state", State)
def test_a_session_can_be_brought_into_each_state(state: State) -> None:
    assert in_state(state)[0].state is state


def expected_state(state: State, signal: Signal) -> State:
    following = TRANSITIONS[state].get(signal, state)
    # The answer to the only open submit is also its drain.
    if signal is Signal.ANSWER and Signal.DRAINED in TRANSITIONS[state]:
        return TRANSITIONS[state][Signal.DRAINED]
    return following


@pytest.mark.parametrize("signal", Signal)
@pytest.mark.parametrize("state", State)
def test_a_session_goes_where_the_table_says(state: State, signal: Signal) -> None:
    session, sequence = in_state(state)
    known = signal in TRANSITIONS[state]
    if signal in LOCAL and not known:
        with pytest.raises(LocalProtocolError):
            GIVE[signal](session, sequence)
        assert session.state is state
        return
    if state is State.CLOSED and signal not in LOCAL and signal is not Signal.DRAINED:
        with pytest.raises(LocalProtocolError):  # octets without a connection: the link's error, so ours
            GIVE[signal](session, sequence)
        return
    events = GIVE[signal](session, sequence)
    if not known and signal is Signal.DRAINED:
        return  # time passes in every state; what it does elsewhere is another signal
    assert session.state is expected_state(state, signal)
    if not known and signal not in LOCAL and state is not State.ENDED:
        assert isinstance(events, list)
        assert all(isinstance(event, Odd) for event in events)
        assert events


@pytest.mark.parametrize("signal", Signal)
@pytest.mark.parametrize("state", State)
def test_the_fault_is_with_whoever_gave_the_signal(state: State, signal: Signal) -> None:
    if signal in TRANSITIONS[state]:
        assert follow(state, signal) is TRANSITIONS[state][signal]
        return
    with pytest.raises(LocalProtocolError if signal in LOCAL else RemoteProtocolError):
        follow(state, signal)


def test_every_state_leads_to_closed() -> None:
    reached = {State.CLOSED}
    while True:
        more = {state for state, row in TRANSITIONS.items() if reached & set(row.values())} | reached
        if more == reached:
            break
        reached = more
    assert reached == set(State)


def test_the_page_shows_this_table() -> None:
    page = Path(__file__).parents[3] / "docs" / "smpp-session.md"
    assert page.read_text() == drawing.drawing(), "python -m sms_milter.smpp.drawing > docs/smpp-session.md"
