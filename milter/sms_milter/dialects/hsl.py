"""HSL Mobile SMTP (Simple): the number is in the envelope, the text in subject and body.

The account is found from client, sender and recipient alone; appended text and splitting come later
(`sms.plan`). In SMPP SubmitSM encapsulation mode the mail's header says everything (`encapsulation`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sms_milter import reply
from sms_milter.config.schema import Section, setting
from sms_milter.config.values import Size
from sms_milter.dialects import encapsulation
from sms_milter.dialects.context import Context, Outcome
from sms_milter.errors import Rejected
from sms_milter.mail import charset, flowed, words
from sms_milter.mail.parse import Mail, Part
from sms_milter.model import Answer, Notify, Recipient, SmsRequest, Wish
from sms_milter.policy import reports

# msisdn = [ "+" ] NZDIGIT 6*14DIGIT      HSL §3
_MSISDN = re.compile(r"[1-9][0-9]{6,14}")
# What people write into phone numbers: with a digit it is a malformed number, not an unknown address.
_PUNCTUATION = " .-()[]"
_PHONE_LIKE = re.compile(r"[0-9 .()\[\]-]+")

_RECEIPT_REQUESTS = ("disposition-notification-to", "return-receipt-to", "x-confirm-reading-to")

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# A body keeps its line ends, tabs, and the form feed, which the GSM alphabet has (GSM 03.38 §6.2.1.1).
_BODY_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")


class HslOptions(Section):
    """Settings of a domain with `dialect: hsl`."""

    generic_words: tuple[str, ...] = setting(
        ("smpp", "sms"),
        doc="Local parts that name no number: the mail itself does (SMPP encapsulation).",
    )
    strip_00: bool = setting(True, doc="Take 00 in front of a number for the international prefix.")
    strict_charset: bool = setting(
        False, doc="Refuse texts declared in another character set than US-ASCII or ISO-8859-1."
    )
    max_mail: Size = setting("1MB", at_least="1KB", doc="The largest mail taken; 552 5.3.4 beyond it.")
    max_parts: int = setting(10, at_least=1, at_most=255, doc="The most SMS that one message may need.")
    validity_minutes: int | None = setting(
        None, at_least=1, doc="How long the SMSC may try to deliver; null: its own default."
    )
    transliterate: bool = setting(
        True, doc="Write typographic punctuation in ASCII instead of choosing UCS-2 for it."
    )
    encapsulation_max: int | None = setting(
        None,
        at_least=140,
        at_most=254,
        doc="SMPP encapsulation: the most octets of a short message, where the SMSC cuts long ones itself; "
        "null is what one SMS holds.",
    )


def recipient(recipient: Recipient, options: HslOptions) -> str | None:
    """The destination digits of an address, None for a generic word (HSL §3). Raises Rejected."""
    local = recipient.local
    number = _bare(local, options)
    if _MSISDN.fullmatch(number):
        return number
    if local.lower() in map(str.lower, options.generic_words):
        return None
    phone_like = _PHONE_LIKE.fullmatch(number) and number.strip(_PUNCTUATION)
    raise Rejected(reply.BAD_NUMBER if phone_like else reply.NO_SUCH_ADDRESS)


def _bare(number: str, options: HslOptions) -> str:
    """`number` without its international prefix."""
    if options.strip_00 and not number.startswith("+"):
        return number.removeprefix("00")
    return number.removeprefix("+")


def parse(mail: Mail, context: Context[HslOptions]) -> SmsRequest:
    """What the mail asks for: one message for each number among the recipients (HSL §4). Raises Rejected."""
    options, account = context.options, context.account
    if mail.size > options.max_mail:
        raise Rejected(reply.mail_too_large(options.max_mail))
    if not mail.by_name.keys().isdisjoint(encapsulation.FIELDS):
        return _encapsulated(mail, context)
    text = _text(mail, account.content, strict=options.strict_charset)
    minutes = options.validity_minutes
    validity = None if minutes is None else minutes * 60
    return SmsRequest(
        tuple(
            [
                Wish(
                    number,
                    text,
                    recipient=address.address,
                    validity_seconds=validity,
                    receipt=receipt,
                    notify=notify,
                    original_recipient=address.parameters.get("ORCPT", ""),
                )
                for number, address, receipt, notify in _addressed(mail, context.targets, context)
            ]
        ),
        options.max_parts,
        punctuation=options.transliterate,
    )


def answer(_outcome: Outcome[HslOptions]) -> Sequence[Answer]:
    """HSL writes no mail back: what it has to say stands in the SMTP reply (HSL §10)."""
    return ()


# --- who gets it --------------------------------------------------------------------------------------------


def _addressed(
    mail: Mail, targets: Sequence[tuple[Recipient, str | None]], context: Context[HslOptions]
) -> Iterator[tuple[str, Recipient, bool, Notify]]:
    """Each number once, its address, whether receipts are wanted, and what the sender is told (HSL §6)."""
    asked = any(mail.by_name[name].strip() for name in _RECEIPT_REQUESTS if name in mail.by_name)
    sender, setting = context.envelope.sender, context.account.notify
    tell = context.reports and reports.may_be_reported_on(sender, mail.by_name)
    seen: set[str] = set()
    for address, number in targets:
        if number is None:
            raise Rejected(reply.NO_DESTINATION)
        if number in seen:
            continue
        seen.add(number)
        notify, receipt = reports.wanted(asked, address.parameters.get("NOTIFY", ""), setting)
        yield number, address, receipt and bool(sender), notify if tell else Notify.NEVER


# --- encapsulation ------------------------------------------------------------------------------------------


def _encapsulated(mail: Mail, context: Context[HslOptions]) -> SmsRequest:
    """The one submit_sm that the header describes, for each number (HSL §5)."""
    given = encapsulation.read(mail, context.options.encapsulation_max, context.now)
    targets = _with_destination(given.destination, context)
    return SmsRequest(
        tuple(
            [
                Wish(
                    number,
                    binary=given.content,
                    recipient=address.address,
                    validity_seconds=given.validity_seconds,
                    validity_period=given.validity_period,
                    protocol_id=given.protocol_id,
                    receipt=receipt,
                    notify=notify,
                    original_recipient=address.parameters.get("ORCPT", ""),
                )
                for number, address, receipt, notify in _addressed(mail, targets, context)
            ]
        ),
        context.options.max_parts,
        append_text=False,
    )


def _with_destination(
    destination: str | None, context: Context[HslOptions]
) -> Sequence[tuple[Recipient, str | None]]:
    """The recipients, the generic one with the number of x-smpp-destination-addr (HSL §5.1, 9 to 11)."""
    number = None if destination is None else _bare(destination, context.options)
    if all(in_envelope is not None for _, in_envelope in context.targets):
        if number is not None and any(in_envelope != number for _, in_envelope in context.targets):
            raise Rejected(reply.DESTINATION_CONFLICT)
        return context.targets
    if len({address.address.lower() for address, _ in context.targets}) > 1:
        raise Rejected(reply.GENERIC_AMONG_OTHERS)
    if number is None:
        raise Rejected(reply.NO_DESTINATION)
    if not _MSISDN.fullmatch(number):
        raise Rejected(reply.BAD_NUMBER)
    address = context.targets[0][0]
    # Reports name the number as if the envelope had (HSL §6.1).
    return ((address._replace(local=number), number),)


# --- what it says -------------------------------------------------------------------------------------------


def _text(mail: Mail, content: str, *, strict: bool) -> str:
    """The message text (HSL §4.1): "(subject) body", or the one of them that is there."""
    subject = "" if content == "body" else _subject(mail.by_name.get("subject", b""), strict)
    if content == "subject":
        if not subject:
            raise Rejected(reply.EMPTY_MESSAGE)
        return subject
    plain = [part for part in mail.parts if part.content_type == "text/plain"]
    body = _body(mail.parts, strict)
    if subject and body:
        return f"({subject}) {body}"
    if not subject and not body:
        raise Rejected(reply.EMPTY_MESSAGE if plain else reply.NO_PLAIN_TEXT)
    return subject or body


def _subject(value: bytes, strict: bool) -> str:
    """One line, no control characters, white space in single spaces (HSL §4.2)."""
    if strict and b"=?" in value and not all(map(charset.is_latin1, words.charsets(value))):
        raise Rejected(reply.CHARSET_REFUSED)
    return " ".join(_CONTROL.sub(" ", words.decode(value)).split())


def _body(parts: tuple[Part, ...], strict: bool) -> str:
    """All plain text of the mail, one line feed between the parts (HSL §4.3)."""
    texts = [_part_text(part, strict) for part in _readable(parts)]
    return "\n".join([text for text in texts if text])


def _readable(parts: tuple[Part, ...]) -> Iterator[Part]:
    """The text/plain parts that count: the first of alternatives, none of charset binary (HSL §4.3)."""
    seen: set[int] = set()
    for part in parts:
        if part.content_type.startswith("multipart/"):
            raise Rejected(reply.UNDECODABLE, part.fault or "")
        if part.content_type != "text/plain" or part.charset.lower() == "binary":
            continue
        if part.alternative is not None:
            if part.alternative in seen:
                continue
            seen.add(part.alternative)
        yield part


def _part_text(part: Part, strict: bool) -> str:
    if part.fault:
        raise Rejected(reply.UNDECODABLE, part.fault)
    if strict and not charset.is_latin1(part.charset):
        raise Rejected(reply.CHARSET_REFUSED)
    text = charset.decode(part.octets, part.charset)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if part.flowed:
        text = flowed.unflow(text, delsp=part.delsp)
    if not text.isprintable():
        text = _BODY_CONTROL.sub(" ", text)
    return "\n".join([line.rstrip() for line in text.split("\n")]).strip("\n")
