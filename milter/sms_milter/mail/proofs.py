"""What SPF and DKIM must prove for an account, and whose word is taken for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_address

from sms_milter.config.schema import Account, TrustedResults
from sms_milter.mail.address import domain_of
from sms_milter.mail.results import Result, results

SPF, DKIM = "spf", "dkim"
# What decides what the phone shows: a signature that does not cover it proves nothing of it.
_DECIDING = frozenset({"from", "subject", "content-type", "content-transfer-encoding", "mime-version"})
_DECIDING_PREFIX = "x-smpp-"
_LEAVE_RECEIVED = 1  # the trace line of the server that handed the mail to ours


def signers(account: Account, sender: str) -> frozenset[str]:
    """The domains of which one must have signed a mail."""
    own = domain_of(sender)
    return frozenset(account.dkim_domains or ([own] if own else ()))


def covers(signed: Iterable[str], fields: Iterable[tuple[str, bytes]]) -> bool:
    """Whether a signature of these fields (names in lower case, as often as they stand in h=) covers all
    those that decide what is sent: one more of the same name would not be covered (RFC 6376 §8.15).
    """
    count = Counter(signed)
    there = Counter(name.lower() for name, _ in fields)
    return count["from"] > 0 and all(
        count[name] >= often
        for name, often in there.items()
        if name in _DECIDING or name.startswith(_DECIDING_PREFIX)
    )


def vouched(
    fields: Sequence[tuple[str, bytes]], trusted: Sequence[TrustedResults], client: str
) -> Iterator[Result]:
    """The results that count in a mail from that client; of each method of an authserv-id those of the
    topmost field that has any.

    A field that stands below the trace line of the server that handed the mail to us came with the mail: it
    may say anything (RFC 8601 §5).
    """
    for one in trusted:
        if one.clients and not _is_among(client, one):
            continue
        seen: set[str] = set()
        for value in _added(fields, _LEAVE_RECEIVED if one.clients else 0):
            found = results(value, one.name)
            yield from (result for result in found if result.method not in seen)
            seen |= {result.method for result in found}


def _is_among(client: str, one: TrustedResults) -> bool:
    try:
        address = ip_address(client)
    except ValueError:
        return False
    return any(address in network for network in one.clients)


def _added(fields: Sequence[tuple[str, bytes]], received: int) -> Iterator[bytes]:
    """The Authentication-Results above the first Received field but so many."""
    for name, value in fields:
        if name.lower() == "received":
            if not received:
                return
            received -= 1
        elif name.lower() == "authentication-results":
            yield value


def spf_holds(found: Iterable[Result], sender: str) -> bool:
    """Whether a result says that the client may send for the domain of the envelope sender."""
    own = domain_of(sender)
    return bool(own) and any(
        one.method == SPF
        and one.result == "pass"
        and one.properties.get("smtp.mailfrom", "").lower().rpartition("@")[2] == own
        for one in found
    )


def dkim_holds(found: Iterable[Result], domains: frozenset[str]) -> bool:
    """Whether a result says that one of the domains has signed."""
    return any(
        one.method == DKIM
        and one.result == "pass"
        and one.properties.get("header.d", "").lower().rstrip(".") in domains
        for one in found
    )
