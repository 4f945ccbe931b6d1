"""Draws the session from its transition table: `python -m sms_milter.smpp.drawing > docs/smpp-session.md`."""

from __future__ import annotations

from collections.abc import Iterator

from sms_milter.smpp.states import TRANSITIONS, Signal, State

_HEAD = """\
# The SMPP session

Made from the transition table in `milter/sms_milter/smpp/states.py` by `python -m sms_milter.smpp.drawing`;
a test compares. Names with () are what we do, all others are what the SMSC or the time does.

"""


_FOOT = """

`.` stays as it is. Empty: of what we do, an error of ours (LocalProtocolError); of what the SMSC does, an
error of theirs, which costs that PDU (a negative answer and a line in the log), not the session. What the
SMSC says to an ended session goes unanswered.
"""


def drawing() -> str:
    """The page: a state diagram of all changes, and the whole table."""
    return _HEAD + "\n".join([*_diagram(), "", *_table()]) + _FOOT


def _diagram() -> Iterator[str]:
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield f"    [*] --> {State.CLOSED.value}"
    for state, signals in TRANSITIONS.items():
        for signal, following in signals.items():
            if following is not state:
                yield f"    {state.value} --> {following.value}: {signal.value}"
    yield "```"


def _table() -> Iterator[str]:
    yield "| | " + " | ".join(state.value for state in State) + " |"
    yield "|---" * (len(State) + 1) + "|"
    for signal in Signal:
        cells = " | ".join(_cell(state, signal) for state in State)
        yield f"| {signal.value} | {cells} |"


def _cell(state: State, signal: Signal) -> str:
    following = TRANSITIONS[state].get(signal)
    if following is None:
        return ""
    return "." if following is state else following.value


if __name__ == "__main__":
    print(drawing(), end="")
