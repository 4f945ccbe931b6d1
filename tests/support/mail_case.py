"""Reads a case file: an SMTP dialogue as a mail administrator would write it down, and what must come of it.

    # One line that says what is shown; more lines may follow.
    mta: postfix sendmail        where it is played; both when not given
    config: base                 a file of tests/integration/config
    client: 192.0.2.10           who the SMTP client is
    login: acme                  its SASL login (Postfix)
    listener: every              not the listener of `config` but the ordinary one, or `report` (no milter)

    C: MAIL FROM:<bob@customer.example>        what the client says; lines on end are sent in one piece
    S: 250                                     the reply's codes, and words that must occur in it
    S postfix: 250 2.1.0 Ok                    ... of this MTA only
    | Subject: x                               a line of the mail
    C: .

    sms: 447973100000 from ACME: x             each SMS at the SMSC, as a phone shows it
    mail: al@else.example from bob@cust.example   each recipient at the next hop
    left: 4479@sms.example.com                 each SMS recipient left in the MTA's queue
    log: account=acme                          must occur in a line of the service's log
    no-log: secret                             must not

Besides C: the client can TLS (shake hands), HANG UP, VANISH (reset the connection), CONNECT (again), SENDMAIL
(use that command, the mail follows). STOP, START and KILL milter are done to the service.

{A*161} stands for 161 letters A, \\xE9 for that octet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

MTAS = ("postfix", "sendmail")
_HEADERS = ("mta", "config", "client", "login", "listener")
_EXPECTATIONS = ("sms", "mail", "left", "log", "no-log")
_ACTIONS = ("TLS", "HANG UP", "VANISH", "CONNECT", "SENDMAIL", "STOP", "START", "KILL")
_REPEATED = re.compile(r"\{(.)\*(\d+)\}")
_OCTET = re.compile(r"\\x([0-9A-F]{2})")


@dataclass(frozen=True)
class Step:
    """One thing to do: `say` octets, `hear` a reply, or an action with its argument and mail."""

    kind: str
    text: str = ""
    octets: bytes = b""
    mta: str = ""  # only there; "": everywhere


@dataclass
class Case:
    """A case file, read."""

    path: Path
    title: str = ""
    mta: tuple[str, ...] = MTAS
    config: str = "base"
    client: str = ""
    login: str = ""
    listener: str = ""
    steps: list[Step] = field(default_factory=list)
    expected: dict[str, list[str]] = field(default_factory=lambda: {n: [] for n in _EXPECTATIONS})


def read_case(path: Path) -> Case:
    """The case of a file. Raises ValueError with the line that makes no sense."""
    case = Case(path)
    said = b""
    for number, line in _lines(path):
        if _is_said(line):
            said += _octets(line)
            continue
        if said and not line:
            continue
        said = _flushed(case, said)
        if line.startswith("#"):
            case.title = case.title or line.removeprefix("#").strip()
        elif line and not (_header(case, line) or _heard(case, line) or _action(case, line)):
            raise ValueError(f"{path.name}:{number}: {line}")
    _flushed(case, said)
    return case


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(path.read_text().splitlines(), 1):
        yield number, _REPEATED.sub(lambda m: m[1] * int(m[2]), line.rstrip())


def _is_said(line: str) -> bool:
    return line.startswith(("C:", "|"))


def _octets(line: str) -> bytes:
    """A line of the client, with its line end; a mail's leading dot is doubled."""
    text = line.removeprefix("C:").removeprefix("|").removeprefix(" ")
    raw = _OCTET.sub(
        lambda m: chr(0xDC00 + int(m[1], 16)) if int(m[1], 16) > 127 else chr(int(m[1], 16)), text
    )
    dot = b"." if line.startswith("|") and text.startswith(".") else b""
    return dot + raw.encode("utf-8", "surrogateescape") + b"\r\n"


def _flushed(case: Case, said: bytes) -> bytes:
    if said:
        last = case.steps[-1] if case.steps else None
        if last is not None and last.kind == "SENDMAIL" and not last.octets:
            case.steps[-1] = Step(last.kind, last.text, said)
        else:
            case.steps.append(Step("say", octets=said))
    return b""


def _header(case: Case, line: str) -> bool:
    name, _, value = line.partition(":")
    value = value.strip()
    if name in _EXPECTATIONS:
        case.expected[name].append(value)
    elif name == "mta":
        case.mta = tuple(value.split())
    elif name in _HEADERS:
        setattr(case, name, value)
    else:
        return False
    return True


def _heard(case: Case, line: str) -> bool:
    who, _, text = line.partition(":")
    where = who.removeprefix("S").strip()
    if not who.startswith("S") or where not in ("", *MTAS) or who not in ("S", f"S {where}"):
        return False
    case.steps.append(Step("hear", text.strip(), mta=where))
    return True


def _action(case: Case, line: str) -> bool:
    for name in _ACTIONS:
        if line == name or line.startswith(f"{name} "):
            case.steps.append(Step(name, line.removeprefix(name).strip()))
            return True
    return False


def replied(expected: str, reply: str) -> bool:
    """Whether a reply has the codes of `expected` and contains its words."""
    codes = re.match(r"\d{3}(?: \d\.\d+\.\d+)?", expected)
    if codes is None:
        return expected == reply
    words = expected[codes.end() :].strip()
    first = reply.replace("-", " ", 1) if reply[3:4] == "-" else reply
    return (first + " ").startswith(codes[0] + " ") and words in reply
