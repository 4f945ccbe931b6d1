"""Settings of a domain that speaks SMSCentre."""

from __future__ import annotations

from datetime import tzinfo
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import PlainValidator

from sms_milter.config.schema import Section, setting
from sms_milter.config.values import Expects, Size
from sms_milter.dialects.smscentre import moment

_MOSCOW = "Europe/Moscow"


def _zone(name: object) -> tzinfo:
    if not isinstance(name, str):
        raise ValueError
    if name == _MOSCOW:
        return moment.MOSCOW  # also where no time zones are installed
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError):
        raise ValueError from None


Zone = Annotated[tzinfo, PlainValidator(_zone), Expects("a time zone such as Europe/Moscow")]


class SmscentreOptions(Section):
    """Settings of a domain with `dialect: smscentre`."""

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
    max_mail: Size = setting("100KB", at_least="1KB", doc="The largest mail taken; 552 5.3.4 beyond it.")
    max_parts: int = setting(20, at_least=1, at_most=255, doc="The most SMS that one message may need.")
