"""The states of a session and what leads from one to another: one table.

`python -m sms_milter.smpp.drawing` draws it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

from sms_milter.errors import LocalProtocolError, RemoteProtocolError


class State(Enum):
    """Where a session stands."""

    CLOSED = "closed"  # no connection
    BINDING = "binding"  # bind sent
    BOUND = "bound"
    DRAINING = "draining"  # we want to unbind; open submits may still be answered
    UNBINDING = "unbinding"  # unbind sent
    RELEASED = "released"  # the SMSC unbound us; open submits may still be answered
    ENDED = "ended"  # nothing is left but to close the connection


class Signal(Enum):
    """What can befall a session. The value says it in the drawing."""

    CONNECT = "connected()"
    SUBMIT = "submit()"
    ACKNOWLEDGE = "acknowledge()"
    UNBIND = "unbind()"
    CLOSE = "closed()"
    BIND_ACCEPTED = "bind_resp, status 0"
    BIND_REFUSED = "bind_resp, other status"
    ANSWER = "submit_sm_resp or generic_nack for an open submit"
    DELIVERY = "deliver_sm or data_sm"
    UNBIND_RECEIVED = "unbind"
    UNBIND_ANSWERED = "unbind_resp"
    DRAINED = "no submit open, or drain time over"
    BREAKDOWN = "time over, or the stream makes no sense"


LOCAL: Final = frozenset({Signal.CONNECT, Signal.SUBMIT, Signal.ACKNOWLEDGE, Signal.UNBIND, Signal.CLOSE})
"""Signals that we give; where the table has none it is our bug. For the others it is the SMSC's."""

TRANSITIONS: Final[Mapping[State, Mapping[Signal, State]]] = {
    State.CLOSED: {
        Signal.CONNECT: State.BINDING,
        Signal.ACKNOWLEDGE: State.CLOSED,
        Signal.UNBIND: State.CLOSED,
        Signal.CLOSE: State.CLOSED,
    },
    State.BINDING: {
        Signal.UNBIND: State.ENDED,
        Signal.CLOSE: State.CLOSED,
        Signal.BIND_ACCEPTED: State.BOUND,
        Signal.BIND_REFUSED: State.ENDED,
        Signal.UNBIND_RECEIVED: State.ENDED,
        Signal.BREAKDOWN: State.ENDED,
    },
    State.BOUND: {
        Signal.SUBMIT: State.BOUND,
        Signal.ACKNOWLEDGE: State.BOUND,
        Signal.UNBIND: State.DRAINING,
        Signal.CLOSE: State.CLOSED,
        Signal.ANSWER: State.BOUND,
        Signal.DELIVERY: State.BOUND,
        Signal.UNBIND_RECEIVED: State.RELEASED,
        Signal.BREAKDOWN: State.ENDED,
    },
    State.DRAINING: {
        Signal.ACKNOWLEDGE: State.DRAINING,
        Signal.UNBIND: State.DRAINING,
        Signal.CLOSE: State.CLOSED,
        Signal.ANSWER: State.DRAINING,
        Signal.DELIVERY: State.DRAINING,
        Signal.UNBIND_RECEIVED: State.RELEASED,
        Signal.DRAINED: State.UNBINDING,
        Signal.BREAKDOWN: State.ENDED,
    },
    State.UNBINDING: {
        Signal.ACKNOWLEDGE: State.UNBINDING,
        Signal.UNBIND: State.UNBINDING,
        Signal.CLOSE: State.CLOSED,
        Signal.ANSWER: State.UNBINDING,
        Signal.DELIVERY: State.UNBINDING,
        Signal.UNBIND_RECEIVED: State.ENDED,
        Signal.UNBIND_ANSWERED: State.ENDED,
        Signal.BREAKDOWN: State.ENDED,
    },
    State.RELEASED: {
        Signal.ACKNOWLEDGE: State.RELEASED,
        Signal.UNBIND: State.RELEASED,
        Signal.CLOSE: State.CLOSED,
        Signal.ANSWER: State.RELEASED,
        Signal.DELIVERY: State.RELEASED,
        Signal.UNBIND_RECEIVED: State.RELEASED,
        Signal.DRAINED: State.ENDED,
        Signal.BREAKDOWN: State.ENDED,
    },
    State.ENDED: {
        Signal.ACKNOWLEDGE: State.ENDED,
        Signal.UNBIND: State.ENDED,
        Signal.CLOSE: State.CLOSED,
        Signal.ANSWER: State.ENDED,
    },
}


def follow(state: State, signal: Signal) -> State:
    """The state after `signal`. Raises LocalProtocolError or RemoteProtocolError where the table has none."""
    following = TRANSITIONS[state].get(signal)
    if following is None:
        wrong = LocalProtocolError if signal in LOCAL else RemoteProtocolError
        raise wrong(f"{signal.value} while {state.value}")
    return following
