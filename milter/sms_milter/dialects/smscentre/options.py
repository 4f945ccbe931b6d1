"""Settings of a domain that speaks SMSCentre."""

from __future__ import annotations

from datetime import tzinfo
from typing import Annotated, Literal

from pydantic import PlainValidator

from sms_milter.config.schema import Section, setting
from sms_milter.config.values import AsciiText, Expects, Size, parse_zone
from sms_milter.dialects.smscentre import moment
from sms_milter.dialects.smscentre.translit import table

_MOSCOW = "Europe/Moscow"


def _zone(name: object) -> tzinfo:
    if not isinstance(name, str):
        raise ValueError
    # Moscow also where no time zones are installed.
    return moment.MOSCOW if name == _MOSCOW else parse_zone(name)


Zone = Annotated[tzinfo, PlainValidator(_zone), Expects("a time zone such as Europe/Moscow")]


def _letter(text: object) -> str:
    if not isinstance(text, str) or len(text) != 1:
        raise ValueError
    return text


Letter = Annotated[str, PlainValidator(_letter), Expects("one letter")]


class SmscentreOptions(Section):
    """Settings of a domain with `dialect: smscentre`."""

    enabled: bool = setting(True, doc="false: refuse every recipient in the domain, 550 5.3.3.")
    error_reply: Literal["reject", "mail", "both"] = setting(
        "reject",
        doc="How an error is told: by refusing the mail (reject), by a mail of ours (mail), or both.",
    )
    timezone: Zone = setting(
        _MOSCOW, doc="The time zone of a request that gives none; tz itself is relative to Moscow."
    )
    accept_md5: bool = setting(
        False,
        doc="Take the MD5 of the password, in lower-case hexadecimal, in its place, from accounts whose "
        "password_hash was made by `sms-milter hash-password --md5`.",
    )
    include_subject: bool = setting(
        False, doc="Mail to an account's own address: put the Subject in front of the text."
    )
    translit_by_sound: dict[Letter, str] = setting(
        {}, doc="Translit 1: small letters that are written otherwise than in the interface's table."
    )
    translit_by_looks: dict[Letter, str] = setting({}, doc="Translit 2: the same.")
    service_type: AsciiText = setting("", longest=5, doc="The service_type of every submit_sm.")
    validity_minutes: int | None = setting(
        None, at_least=1, doc="How long the SMSC may try to deliver; null: its own default."
    )
    hold: Literal["local", "smsc"] = setting(
        "local", doc="Who keeps a message until its time: our queue (local) or the SMSC (smsc)."
    )
    receipts: bool = setting(
        True, doc="Ask the SMSC for receipts; false asks for those only of which the sender is told."
    )
    max_mail: Size = setting("100KB", at_least="1KB", doc="The largest mail taken; 552 5.3.4 beyond it.")
    max_parts: int = setting(20, at_least=1, at_most=255, doc="The most SMS that one message may need.")

    def letters(self, translit: str) -> dict[int, str]:
        """The table of a transliteration, empty for none."""
        changes = {"1": self.translit_by_sound, "2": self.translit_by_looks}.get(translit, {})
        return table(translit, tuple(changes.items()))
