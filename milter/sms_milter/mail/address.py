"""SMTP paths and ESMTP parameters as MAIL and RCPT carry them (RFC 5321 §4.1.2).

Two questions are kept apart. `domain_of` says for whom an address is, whatever its form, so that no recipient
of ours slips past; `parse_path` says what it means, and refuses the forms that the MTA cannot remove again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sms_milter.errors import Rejected
from sms_milter.reply import BAD_ADDRESS_FORM

# The form that nearly every path has; the rest is for the slow way.
_ORDINARY = re.compile(r"<([A-Za-z0-9+._=-]+)@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)\.?>")
# Whose domain is plain to see, with brackets or without.
_PLAIN_DOMAIN = re.compile(r"<?[A-Za-z0-9+._=-]+@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)\.?>?")

_COMMENT = re.compile(r"\([^()]*\)")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_NEVER = re.compile(r"[\x00-\x1f\x7f]")


def parse_path(raw: str) -> tuple[str, str]:
    """Local part (without quotes) and domain (lower case, no final dot) of a path that names a mailbox.

    Accepts `<a@b>`, the bare `a@b`, a quoted local part, blanks around the parts, a comment behind the
    domain. Raises Rejected for source routes, addresses inside addresses, a missing local part or domain, and
    control characters: Postfix does not find such a recipient again when it shall be removed.
    """
    ordinary = _ORDINARY.fullmatch(raw)
    if ordinary:
        return ordinary[1], ordinary[2].lower()
    path = raw.strip()
    if path.startswith("<") and path.endswith(">"):
        path = path[1:-1]
    at = _last_at(path)
    local, domain = path[:at].strip(), _domain(path[at + 1 :])
    quoted = _QUOTED.fullmatch(local)
    if quoted:
        local = _ESCAPED.sub(r"\1", local[1:-1])
    elif _QUOTED.search(local) or any(c in local for c in '@<>,:;"'):
        raise Rejected(BAD_ADDRESS_FORM)
    if at < 0 or not local or not domain or _NEVER.search(path) or any(c in domain for c in '<>,; "()'):
        raise Rejected(BAD_ADDRESS_FORM)
    return local, domain


def domain_of(raw: str) -> str:
    """The domain that the path leads to in the end, lower case, without its final dot; "" when there is none.

    Also for forms that `parse_path` refuses: of a source route or an address inside an address, it is what
    follows the last @.
    """
    plain = _PLAIN_DOMAIN.fullmatch(raw)
    if plain:
        return plain[1].lower()
    at = _last_at(raw)
    return _domain(raw[at + 1 :].partition(">")[0]) if at >= 0 else ""


def sender_of(raw: str) -> str:
    """The argument of MAIL FROM without brackets and source route; "" is the null sender."""
    sender = raw.strip()
    if sender.startswith("<") and sender.endswith(">"):
        sender = sender[1:-1].strip()
    if sender.startswith("@") and ":" in sender:
        sender = sender.partition(":")[2]
    return sender


def esmtp_parameters(parameters: Sequence[str]) -> dict[str, str]:
    """ESMTP parameters ("SIZE=123", "SMTPUTF8") as a dict: names upper case, "" where there is no value."""
    pairs = (parameter.partition("=") for parameter in parameters)
    return {name.upper(): value for name, _, value in pairs}


def _last_at(path: str) -> int:
    """Where the last @ outside quotes and comments stands, -1 if there is none."""
    blanked = _QUOTED.sub(lambda quoted: " " * len(quoted[0]), path)
    return _COMMENT.sub(lambda comment: " " * len(comment[0]), blanked).rfind("@")


def _domain(text: str) -> str:
    return _COMMENT.sub("", text).strip().removesuffix(".").lower()
