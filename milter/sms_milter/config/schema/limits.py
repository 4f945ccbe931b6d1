"""Limits for everybody, and those that accounts may have of their own."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ValidatorFunctionWrapHandler, WrapValidator

from sms_milter.config.schema.declaring import Section, setting
from sms_milter.config.values import Duration, Expects, GroupEntry


class DuplicateLimit(Section):
    """Identical requests of one account."""

    window: Duration = setting("60s", at_least="1s", at_most="30d", doc="Within which time they count.")
    allow: int = setting(2, at_least=1, at_most=1000, doc="How many are taken.")


class FloodLimit(Section):
    """A run of messages, each soon after the one before."""

    messages: int = setting(50, at_least=1, at_most=1_000_000, doc="How many messages a run may have.")
    gap: Duration = setting("2m", at_least="1s", at_most="1d", doc="A pause of this length ends a run.")
    per: Literal["destination", "account"] = setting("destination", doc="Whose messages make a run.")


class Storms(Section):
    """Alike messages to one phone, such as a monitoring system sends when much fails at once."""

    window: Duration = setting(
        "10m",
        at_least="1s",
        at_most="1d",
        doc="After one SMS, for how long those alike are held. The last goes when it is over, and begins with"
        " how many there were: (17x).",
    )
    alike: Literal["equal", "similar"] = setting(
        "similar",
        doc="Which are alike: with the same text (equal), or with texts that differ in numbers, dates and"
        " times only (similar).",
    )


class DefaultDuplicateLimit(DuplicateLimit):
    """The word `default`: of an account, what `limits` says; there, what the dialect itself documents."""


class DefaultFloodLimit(FloodLimit):
    """The word `default`, as above."""


def _or_the_word(model: type[Section]) -> WrapValidator:
    def read(value: object, settings: ValidatorFunctionWrapHandler) -> Any:
        return model() if value == "default" else settings(value)

    return WrapValidator(read)


_OR_THE_WORD = Expects("settings below it, default or null")


Duplicates = Annotated[DuplicateLimit | None, _or_the_word(DefaultDuplicateLimit), _OR_THE_WORD]


Flood = Annotated[FloodLimit | None, _or_the_word(DefaultFloodLimit), _OR_THE_WORD]


class LoginLimit(Section):
    """Wrong passwords."""

    count: int = setting(10, at_least=1, at_most=100_000, doc="How many lead to a block.")
    within: Duration = setting("10m", at_least="1s", at_most="30d", doc="Within which time they count.")
    block: Duration = setting(
        "30m", at_least="1s", at_most="30d", doc="How long the block lasts (451 4.7.0)."
    )
    per: Literal["client", "account"] = setting(
        "client",
        doc="Who is counted and blocked: the SMTP client (with IPv6 its /64), or the account, wherever from, "
        "which strangers can lock out so.",
    )


class Limits(Section):
    """Protection against loops and guessing."""

    duplicates: Duplicates = setting(
        "default",
        doc="Identical requests of one account, refused beyond it (550 5.7.1). default is what the dialect"
        " documents, 2 within 60s for SMSCentre and nothing for the others; null is off.",
    )
    flood: Flood = setting(
        "default",
        doc="A run of messages with short pauses, refused beyond it (550 5.7.1). default is what the dialect"
        " documents, 50 to one destination with less than 2m between them for SMSCentre and nothing for the"
        " others; null is off.",
    )
    blocked: tuple[GroupEntry, ...] = setting(
        (), doc="Who gets nothing from any account: written as a closed_group."
    )
    delisted: tuple[GroupEntry, ...] = setting(
        (), doc="Numbers that are out of use, so that nobody sends to them: written as a closed_group."
    )
    stop_words: tuple[str, ...] = setting(
        (),
        doc="Words such as STOP, which a phone answers to get nothing more from the account that wrote to it;"
        " `sms-milter account suppressed` shows who has. Empty: no such list is kept or asked.",
    )
    start_words: tuple[str, ...] = setting(
        (), doc="Words such as START, by which a phone that answered a stop word takes it back."
    )
    failed_logins: LoginLimit | None = setting(
        None,
        doc="Failed logins by what stands in a mail, with SMSCentre also errors in its parameters (per "
        "client); null is off.",
    )
