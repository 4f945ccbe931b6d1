"""The Subject and the parameters in it (ASPSMS §4.3, §5.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal

from sms_milter.dialects.aspsms import replies
from sms_milter.errors import Rejected
from sms_milter.mail import words
from sms_milter.mail.parse import Mail

# param = keyword OWS "=" OWS value; the first letter may stand for the keyword      ASPSMS §5.1
_KEYWORDS = {
    spelling: name
    for name in ("userkey", "password", "recipient", "originator", "notify")
    for spelling in (name, name[0])
}
_BLANKS = " \t"


def decoded(mail: Mail) -> str:
    """The first Subject without its folds, raw octets read as ISO-8859-1."""
    raw = mail.by_name.get("subject", b"").replace(b"\r", b"").replace(b"\n", b"")
    return words.decode(raw.decode("latin-1").encode())


def parameters(mail: Mail, unknown: Literal["reject", "ignore"]) -> Mapping[str, str]:
    """The parameters by their long names in lower case. Raises Rejected."""
    return mail.once(_READERS[unknown])


def _in_latin1(mail: Mail, unknown: Literal["reject", "ignore"]) -> Mapping[str, str]:
    subject = decoded(mail)
    try:
        subject.encode("latin-1")
    except UnicodeEncodeError:
        raise Rejected(replies.NOT_LATIN1) from None
    return _parameters(subject, unknown)


# Credentials and wishes stand in the same Subject.
_READERS: Mapping[str, Callable[[Mail], Mapping[str, str]]] = {
    "reject": partial(_in_latin1, unknown="reject"),
    "ignore": partial(_in_latin1, unknown="ignore"),
}


def hints(mail: Mail) -> Mapping[str, str]:
    """What the Subject of a mail to numbers says; appliances write what they like there (ASPSMS §7.2)."""
    try:
        return _parameters(decoded(mail), "reject")
    except Rejected:
        return {}


def _parameters(subject: str, unknown: Literal["reject", "ignore"]) -> dict[str, str]:
    if not subject.strip(_BLANKS):
        return {}
    elements = subject.strip(_BLANKS).removesuffix(",").split(",")
    given: dict[str, str] = {}
    for element in elements:
        word, equals, value = element.partition("=")
        word = word.strip(_BLANKS).lower()
        name = _KEYWORDS.get(word, "")
        known = bool(name) or (unknown == "ignore" and bool(word))
        if not equals or not known or name in given:
            raise Rejected(replies.BAD_SUBJECT)
        if name:
            given[name] = value.strip(_BLANKS)
    return given
