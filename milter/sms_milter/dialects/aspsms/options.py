"""What a postmaster may say of an ASPSMS domain."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import PlainValidator

from sms_milter.config.schema import Section, setting
from sms_milter.config.values import Expects, Size
from sms_milter.sms import smart

EntryPoint = Literal["textsms", "number", "xml"]
LOGO_PIXELS = (72, 14)


def _logo(written: object) -> smart.Bitmap:
    if isinstance(written, smart.Bitmap):
        return written
    try:
        logo = smart.ota_bitmap(bytes.fromhex(str(written)))
    except ValueError:
        raise ValueError from None
    if (logo.width, logo.height) != LOGO_PIXELS:
        raise ValueError
    return logo


Logo = Annotated[
    smart.Bitmap, PlainValidator(_logo), Expects("an OTA bitmap of 72x14 pixels in hexadecimal, 00480E01…")
]


class AspsmsOptions(Section):
    """Settings of a domain with `dialect: aspsms`."""

    entry_points: tuple[EntryPoint, ...] = setting(
        ("textsms", "number", "xml"),
        doc="Which addresses are served: textsms@, numbers, xml@; others are answered 550 5.3.3.",
    )
    max_mail: Size = setting(
        "1MB", at_least="1KB", doc="The largest mail taken, which only xml@ does; 552 5.3.4 beyond it."
    )
    max_text_mail: Size = setting(
        "64KB",
        at_least="1KB",
        doc="The largest mail to textsms@ or a number; 552 5.3.4 at its end beyond it.",
    )
    max_parts: int = setting(10, at_least=1, at_most=255, doc="The most SMS that one message may need.")
    charset_rule: Literal["content", "declared"] = setting(
        "content",
        doc="Text declared in another character set than US-ASCII or ISO-8859-1: taken while all of it is "
        "ASCII (content), or refused in any case (declared).",
    )
    c1_as_cp1252: bool = setting(
        True,
        doc="Read the octets that ISO-8859-1 has no characters for as Windows-1252, such as the euro sign; "
        "else they are refused.",
    )
    strict_cte: bool = setting(False, doc="Refuse mail in quoted-printable or base64.")
    unknown_params: Literal["reject", "ignore"] = setting(
        "reject", doc="What becomes of a mail with unknown parameters in the Subject."
    )
    sender_match: Literal["envelope", "header", "both"] = setting(
        "envelope",
        doc="Mail to a number: whose address must be among an account's senders, the envelope sender's, that"
        " of the From header, or the same one in both.",
    )
    long_originator: Literal["truncate", "reject"] = setting(
        "truncate",
        doc="An originator that is a name of more than 11 characters: cut it, or refuse the mail."
        " XML requests with one are refused in any case (error 10).",
    )
    validity_minutes: int | None = setting(
        None,
        at_least=1,
        doc="Mail to textsms@ or a number: how long the SMSC may try to deliver; null: its own default.",
    )
    url_notifications: bool = setting(
        True,
        doc="XML: request the URLs that a mail names for what becomes of its messages, three times at most;"
        " else they are only checked. It needs reports.submit_to, and reports.private_urls for local ones.",
    )
    legacy_binary: bool = setting(
        True, doc="XML: send logos, picture messages and ring tones; else error 24 answers them."
    )
    random_logos: tuple[Logo, ...] = setting(
        (),
        doc="XML: the logos that SendRandomLogo chooses from, each an OTA bitmap of 72x14 pixels in"
        " hexadecimal (00480E01…); without any, error 24 answers it.",
    )
    allow_url_fetch: bool = setting(
        False,
        doc="XML: fetch URLBinaryFile from the web. This version never does; error 4 answers it.",
        in_force=False,
    )
