"""The SMTP dialogue: what the client said, and what we may decide."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from types import MappingProxyType
from typing import NamedTuple


class Action(StrEnum):
    """What becomes of a mail: the decision as a value; only `milterd` turns it into milter actions."""

    DISCARD = "discard"  # all recipients were ours: taken, the MTA drops its copy
    STRIP = "strip"  # taken, our recipients are removed, the MTA carries the rest
    PASS = "pass"  # noqa: S105 -- not ours; the MTA carries it
    REJECT = "reject"
    DEFER = "defer"


class Stage(StrEnum):
    """Where in the SMTP dialogue a decision fell."""

    MAIL = "mail"
    RCPT = "rcpt"
    EOM = "eom"


@dataclass(frozen=True, slots=True)
class Client:
    """The SMTP client as the MTA's connect event names it."""

    address: str = ""  # IPv4 or IPv6 in its usual text form; "" when the MTA knows none
    name: str = ""
    port: int = 0
    helo: str = ""  # asked for only where SPF is required

    @classmethod
    def at(cls, address: str, name: str = "", port: int = 0, helo: str = "") -> Client:
        """One whose address the MTA writes in a form of its own: behind `IPv6:` (Sendmail), or IPv4 in IPv6's
        form (RFC 4291 §2.5.5.2), which is the same client as without. What is no address stays as it is.
        """
        plain = address.removeprefix("IPv6:")
        if ":" in plain:
            with suppress(ValueError):
                known = ip_address(plain)
                plain = str(getattr(known, "ipv4_mapped", None) or known)
        return cls(plain, name, port, helo)


class Certificate(NamedTuple):
    """The certificate that the SMTP client has shown, which the MTA has verified; all "" without one.

    `subject` and `issuer` are common names. `fingerprint` is in lower case without colons, by whatever
    algorithm the MTA uses; "" where it tells none (Postfix).
    """

    subject: str = ""
    issuer: str = ""
    fingerprint: str = ""


class Caller(NamedTuple):
    """Who speaks to us, as far as the connection proves it."""

    address: str  # as `Client.address`
    sasl_user: str = ""
    certificate: Certificate = Certificate()


class Recipient(NamedTuple):
    """One RCPT TO address, from RCPT on.

    `raw` keeps the octets of the command (surrogateescape), because only these remove it again (MTA's
    DELRCPT).
    """

    raw: str
    local: str
    domain: str  # lower case
    parameters: Mapping[str, str] = MappingProxyType({})  # ESMTP, names upper case

    @property
    def address(self) -> str:
        """`local@domain` without brackets."""
        return f"{self.local}@{self.domain}"


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who sends to whom; complete from DATA on, `recipients` holds ours only."""

    client: Client
    sender: str  # without brackets; "" is the null sender
    recipients: tuple[Recipient, ...] = ()
    sasl_user: str = ""
    tls_version: str = ""  # "" when the connection is not encrypted
    mta_queue_id: str = ""  # the MTA's macro `i`


@dataclass(frozen=True, slots=True)
class Credentials:
    """Whom a mail names as its customer, where the envelope does not.

    `names` maps settings of `logins` to what the mail says, such as `{"user": …, "api_id": …}`: the first
    finds the account, the others must be its own too. `passwords` are readings of one password, the likeliest
    first. `digest`: each of them may be the password's MD5. An `api_key` stands in place of names and
    passwords; so does `author`, the address in From ("" for none), where a dialect goes by it.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    passwords: tuple[str, ...] = field(default=(), repr=False)
    api_key: str = field(default="", repr=False)
    digest: bool = False
    author: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """What a mail leaves behind for later ones of its account, such as a code that one of them must repeat.

    `kind` and `name` find it again; it is forgotten at `until` (seconds since the epoch), None means never.
    `written_by` is the queue id of the mail that wrote it last, 0 while nobody has: a mail changes only what
    it has read (`SmsRequest.records`).
    """

    kind: str
    name: str
    value: str = field(repr=False)
    until: float | None = None
    written_by: int = 0
