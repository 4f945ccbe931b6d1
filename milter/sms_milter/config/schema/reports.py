"""What is told and kept about messages."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator

from sms_milter.config.schema.declaring import Section, setting
from sms_milter.config.values import Duration, HostAndPort, OptionalAddress
from sms_milter.report.texts import ENGLISH, places


class Reports(Section):
    """What is told and kept about messages."""

    submit_to: HostAndPort = setting(
        "",
        doc="HOST:PORT where the MTA takes our own mail, past this milter; empty: nobody is mailed anything.",
        example="127.0.0.1:10026",
    )
    sender: OptionalAddress = setting(
        "",
        name="from",
        doc="The From address of reports; empty: postmaster in the domain that the SMS was sent to.",
        example="postmaster@sms.example.com",
    )
    language: Literal["en", "de", "fr", "ru"] = setting(
        "en", doc="The language of delivery status notifications: en, de, fr, ru."
    )
    texts: dict[str, str] = setting(
        {},
        doc="Texts of delivery status notifications that replace ours, by their names in "
        "milter/sms_milter/report/texts.py, which also says what may stand in braces.",
        example={"delivered": "Your SMS to +{destination} has arrived."},
    )
    mailbox: OptionalAddress = setting(
        "",
        doc="Who is mailed what phones send (MO) that answers no mail; empty: nobody, it is only logged.",
        example="replies@sms.example.com",
    )
    digest_above: int = setting(
        100,
        at_least=0,
        at_most=1000,
        doc="When more than so many delivery status notifications are due for one sender, one mail tells of "
        "all; 0: never.",
    )
    private_urls: bool = setting(
        False,
        doc="Whether URLs that mails name for notifications may lie outside the public internet, such as in "
        "10.0.0.0/8.",
    )
    keep: Duration = setting(
        "30d", at_least="1h", at_most="3650d", doc="How long finished messages stay visible."
    )

    @field_validator("texts")
    @classmethod
    def _have_their_places(cls, texts: dict[str, str]) -> dict[str, str]:
        for name, text in texts.items():
            if name not in ENGLISH:
                raise ValueError(f"there is no text {name!r}")
            strange = places(text) - places(ENGLISH[name])
            if strange:
                raise ValueError(f"{name}: nothing stands for {{{min(strange)}}}")
            if not text.strip():
                raise ValueError(f"{name}: a text cannot be empty")
        return texts
