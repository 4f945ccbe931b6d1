"""One message for a person: what it is, what has become of each part, and what can be done with it. And how
to look for one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from sms_milter.model import HELD_UNTIL, Deed, PartState
from sms_milter.smpp.status import classify
from sms_milter.statuspage import words

_NUMBER = re.compile(r"\+?[0-9][0-9 ()./-]{2,30}")
_LEVELS = {
    PartState.QUEUED: "idle",
    PartState.SUBMITTING: "fair",
    PartState.ACCEPTED: "fair",
    PartState.UNCERTAIN: "fair",
    PartState.DELIVERED: "good",
    PartState.FAILED: "bad",
    PartState.EXPIRED: "bad",
}
_STATES = {
    PartState.QUEUED: "waiting",
    PartState.SUBMITTING: "on the wire",
    PartState.ACCEPTED: "with the SMSC",
}
# The worst first: what a message is called whose parts are not all alike.
_WORST = (
    PartState.FAILED,
    PartState.EXPIRED,
    PartState.UNCERTAIN,
    PartState.QUEUED,
    PartState.SUBMITTING,
    PartState.ACCEPTED,
    PartState.DELIVERED,
)


def sought(text: str) -> tuple[str, str]:
    """A name and the end of a phone number, of which either may be "", as `find_messages` takes them."""
    text = " ".join(text.split())
    digits = re.sub(r"[^0-9]", "", text).lstrip("0") if _NUMBER.fullmatch(text) else ""
    number = digits if len(digits) >= 4 else ""
    return ("", number) if number and not text.isdigit() else (text, number)


# --- what was found -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """One message in a list."""

    message_id: int
    queue_id: int
    level: str
    state: str
    to: str
    originator: str
    account: str
    smsc: str
    parts: str
    received: str
    received_at: str


def found(rows: Sequence[Mapping[str, Any]], zone: tzinfo) -> list[Found]:
    """As `ports.OperatorQueue.find_messages` gives them."""
    return [
        Found(
            row["message_id"],
            row["queue_id"],
            *_of_all([PartState(state) for state in row["states"]]),
            words.phone(row["destination"]),
            row["originator"],
            row["account"],
            row["smsc"],
            words.count(row["parts"]),
            words.day_and_clock(row["received_at"], zone),
            words.machine(row["received_at"]),
        )
        for row in rows
    ]


def _of_all(states: Sequence[PartState]) -> tuple[str, str]:
    worst = min(states, key=_WORST.index)
    some = "partly " if len(set(states)) > 1 and worst in (PartState.FAILED, PartState.EXPIRED) else ""
    return _LEVELS[worst], some + _STATES.get(worst, worst.value)


# --- one message --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a part: when, its level, in words."""

    at: str
    machine: str
    level: str
    text: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class PartStory:
    """A part and what happened to it, in order."""

    title: str
    level: str
    state: str
    events: Sequence[Event]


@dataclass(frozen=True, slots=True)
class Story:
    """A message. `facts` are names and values; `deeds` are the values of `Deed` that may change something."""

    message_id: int
    queue_id: int
    destination: str
    to: str
    level: str
    state: str
    facts: Sequence[tuple[str, str]]
    parts: Sequence[PartStory]
    left_out: Sequence[tuple[str, str]]
    deeds: Sequence[str]
    siblings: int


def story(mail: Mapping[str, Any], now: float, zone: tzinfo) -> Story:
    """Of the only message in `mail`, as `ports.OperatorQueue.show_message` gives it."""
    (message,) = mail["messages"]
    parts = message["parts"]
    states = [PartState(part["state"]) for part in parts]
    level, state = _of_all(states)
    if state == _STATES[PartState.QUEUED] and any(map(_held, parts)):
        state = "held"
    return Story(
        parts[0]["part_id"],
        mail["queue_id"],
        message["destination"],
        words.phone(message["destination"]),
        level,
        state,
        [(name, str(value)) for name, value in _facts(mail, message, zone) if value not in (None, "")],
        [_part(mail, part, now, zone) for part in parts],
        [(one["destination"], one["why"]) for one in mail["left_out"]],
        [deed.value for deed in _deeds(parts)],
        mail["message_count"] - 1,
    )


def _facts(mail: Mapping[str, Any], message: Mapping[str, Any], zone: tzinfo) -> Iterator[tuple[str, Any]]:
    yield "Originator", message["originator"]
    yield "Account", mail["account"]
    yield "Envelope sender", mail["sender"] or "<> (the null sender)"
    yield "Recipient", message["recipient"]
    yield "Client", mail["client"]
    yield "Accepted", words.day_and_clock(mail["received_at"], zone)
    if message["not_before"] is not None:
        yield "Not before", words.day_and_clock(message["not_before"], zone)
    yield "Valid until", words.day_and_clock(max(part["expires_at"] for part in message["parts"]), zone)
    yield "Priority", message["priority"]
    yield "Kind", "flash" if message["flash"] else message["kind"]
    yield "Channel", "" if message["channel"] == "sms" else message["channel"]
    yield "Interface", mail["dialect"]
    yield "Route", message["route"]
    yield "Queue id", mail["queue_id"]
    yield "Queue id of the MTA", mail["mta_queue_id"]
    yield "Message-ID", mail["message_id"]
    yield "The client's id", message["reference"]
    yield "The client was given", message["public_id"]
    yield "The sender's note", message["comment"]
    yield "Mail to the sender", message["report"]


def _held(part: Mapping[str, Any]) -> bool:
    return bool(part["state"] == PartState.QUEUED.value and part["due_at"] >= HELD_UNTIL)


def _deeds(parts: Sequence[Mapping[str, Any]]) -> Iterator[Deed]:
    queued = [part for part in parts if part["state"] == PartState.QUEUED.value]
    states = {PartState(part["state"]) for part in parts}
    if any(not _held(part) for part in queued):
        yield Deed.HOLD
    if any(map(_held, queued)):
        yield Deed.RELEASE
    tried = any(part["command_status"] is not None and not _held(part) for part in queued)
    if tried or states & {PartState.UNCERTAIN, PartState.FAILED, PartState.EXPIRED}:
        yield Deed.RETRY
    if queued or PartState.ACCEPTED in states:
        yield Deed.CANCEL


def _part(mail: Mapping[str, Any], part: Mapping[str, Any], now: float, zone: tzinfo) -> PartStory:
    state = PartState(part["state"])
    name = "held" if _held(part) else _STATES.get(state, state.value)
    title = f"Part {part['number']} of {part['total']}" if part["total"] > 1 else "What happened"
    moments = sorted(_events(mail, part), key=lambda one: one[0])
    events = [
        Event(words.day_and_clock(at, zone), words.machine(at), level, text, detail)
        for at, level, text, detail in moments
    ]
    events += [Event("now", words.machine(now), *last) for last in _still(part, state, now, zone)]
    return PartStory(title, _LEVELS[state], name, events)


def _events(mail: Mapping[str, Any], part: Mapping[str, Any]) -> Iterator[tuple[float, str, str, str]]:
    """What is known to have happened, with its time."""
    yield mail["received_at"], "idle", "Taken from a mail", f"interface {mail['dialect']}"
    submitted = part["submitted_at"]
    if submitted is not None and part["smsc"]:
        tried = part["attempts"] + (part["state"] != PartState.QUEUED.value)
        tries = f", try {tried}" if tried > 1 else ""
        detail = f"bind {part['bind']}, sequence number {part['sequence']}{tries}"
        yield submitted, "fair", f"Sent to {part['smsc']}", detail
        if part["smsc_message_id"]:
            yield submitted, "fair", f"Taken by {part['smsc']}", f"its id is {part['smsc_message_id']}"
    for receipt in part["receipts"]:
        told = PartState(receipt["state"]) if receipt["state"] is not None else None
        error = f", error {receipt['error']}" if receipt["error"] not in ("", "000", "0") else ""
        text = f"Receipt: {receipt['stat']}{error}"
        level = _LEVELS[told] if told is not None else "idle"
        detail = "" if told is not None else "not the end yet"
        yield receipt["at"], level, text, detail


def _still(
    part: Mapping[str, Any], state: PartState, now: float, zone: tzinfo
) -> Iterator[tuple[str, str, str]]:
    """How it stands: level, words and why."""
    why = part["why"] or ""
    if part["command_status"] and state in (PartState.QUEUED, PartState.FAILED):
        status = str(classify(part["command_status"]))
        why = status if why.lower() in status.lower() else f"{status}: {why}"
    match state:
        case PartState.QUEUED if _held(part):
            yield "idle", "Held", why
        case PartState.QUEUED if part["due_at"] > now:
            yield "idle", f"Waits until {words.day_and_clock(part['due_at'], zone)}", why
        case PartState.QUEUED:
            yield "idle", f"Waits for {part['smsc']} for {words.lasting(now - part['due_at'])}", why
        case PartState.SUBMITTING:
            yield "fair", "On the wire", ""
        case PartState.ACCEPTED:
            yield "fair", "With the SMSC", part["stat"] or "no receipt yet"
        case PartState.UNCERTAIN:
            yield "fair", "Uncertain", why
        case PartState.DELIVERED:
            return
        case _:
            if not any(receipt["state"] == state.value for receipt in part["receipts"]):
                yield "bad", state.value.capitalize(), why
