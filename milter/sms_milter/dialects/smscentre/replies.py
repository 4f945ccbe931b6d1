"""The replies of the interface, word for word (SMSCentre §10.1); those with an id name the request's."""

from __future__ import annotations

from sms_milter.reply import Reply

_PARAMETERS = "ERROR = 1 (parameters error)"

NO_SUCH_ADDRESS = Reply.permanent("1.1", "no such address")
SWITCHED_OFF = Reply.permanent("3.3", "this interface is switched off")
BAD_PARAMETERS = Reply.permanent("6.0", _PARAMETERS, code=554)
BAD_TEXT_FORM = Reply.permanent("6.1", _PARAMETERS, code=554)  # character set, or where the text stands
TOO_LONG = Reply.permanent("3.4", _PARAMETERS, code=552)
NO_SUCH_CHANNEL = Reply.permanent("3.3", _PARAMETERS, code=554)
WRONG_LOGIN = Reply.permanent("7.1", "ERROR = 2 (authorise error)")
BLOCKED = Reply.temporary("7.1", "ERROR = 4 (ip is blocked)")
DUPLICATE = Reply.permanent("7.1", "ERROR = 9 (duplicate request, wait a minute)")
BAD_TIME = Reply.permanent("6.0", "ERROR = 5 (invalid time format)", code=554)


def no_money(identity: str) -> Reply:
    """What the account may send is used up."""
    return Reply.permanent("2.2", f"ERROR = 3 (no money), ID - {identity}", code=552)


def message_denied(identity: str) -> Reply:
    """The account may not show this sender, or send this text."""
    return Reply.permanent("7.1", f"ERROR = 6 (message is denied), ID - {identity}")


def bad_number(identity: str) -> Reply:
    """None of the numbers is one."""
    return Reply.permanent("1.3", f"ERROR = 7 (invalid number), ID - {identity}")


def unreachable(identity: str) -> Reply:
    """There is no way to any of the numbers, the account may not use it, or too many messages went there."""
    return Reply.permanent("1.1", f"ERROR = 8 (can't to deliver), ID - {identity}")


def done(parts: int, identity: str) -> str:
    """The line that tells of success: so many SMS (SMSCentre §11.1)."""
    return f"OK - {parts} SMS, ID - {identity}"
