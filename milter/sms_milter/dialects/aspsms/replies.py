"""The SMTP replies of the interface, and what becomes of refusals that all dialects know (ASPSMS §10)."""

from __future__ import annotations

from sms_milter import reply
from sms_milter.model import SmsRequest
from sms_milter.reply import Denial, Limit, Reply

UNKNOWN_ADDRESS = Reply.permanent("1.1", "Unknown SMS address")
PLUS_REFUSED = Reply.permanent("1.3", 'Number must start with 00, "+" is not accepted')
BAD_NUMBER = Reply.permanent("1.3", "Bad recipient number")
SENDER_NOT_ALLOWED = Reply.permanent("7.1", "Sender address not authorized")
DESTINATION_NOT_ALLOWED = Reply.permanent("7.1", "Destination not allowed")
NOT_PLAIN = Reply.permanent("6.1", "Only plain text is accepted", code=554)
NOT_LATIN1 = Reply.permanent("6.1", "Only ISO-8859-1 is accepted", code=554)
MALFORMED = Reply.permanent("6.0", "Malformed message", code=554)
BAD_SUBJECT = Reply.permanent("6.0", "Bad subject parameters", code=554)
WRONG_LOGIN = Reply.permanent("7.1", "Authorization failed")
BAD_ORIGINATOR = Reply.permanent("6.0", "Invalid originator", code=554)
ORIGINATOR_NOT_ALLOWED = Reply.permanent("7.1", "Originator not authorized")
BAD_NOTIFY = Reply.permanent("6.0", "Invalid Notify value", code=554)
EMPTY = Reply.permanent("6.0", "Empty message", code=554)
NO_CREDITS = Reply.permanent("2.2", "Not enough credits", code=552)
SWITCHED_OFF = Reply.permanent("3.3", "Service not available here")
TOO_MANY = Reply.temporary("7.1", "Too many messages", code=450)
NO_TLS = Reply.permanent("7.0", "Must issue a STARTTLS command first", code=530)

_DENIED = {
    Denial.UNKNOWN_LOGIN: WRONG_LOGIN,
    Denial.WRONG_PASSWORD: WRONG_LOGIN,
    Denial.WRONG_NAME: WRONG_LOGIN,
    Denial.DISABLED: WRONG_LOGIN,
    Denial.WRONG_INTERFACE: WRONG_LOGIN,
    Denial.NOT_FROM_HERE: WRONG_LOGIN,
    Denial.NOT_BY_SENDER: WRONG_LOGIN,
    Denial.UNKNOWN_AUTHOR: SENDER_NOT_ALLOWED,
    Denial.ORIGINATOR_NOT_ALLOWED: ORIGINATOR_NOT_ALLOWED,
    Denial.BAD_ORIGINATOR: BAD_ORIGINATOR,
}
_WORDED = {
    reply.NOT_AUTHORISED: SENDER_NOT_ALLOWED,
    reply.BAD_ADDRESS_FORM: UNKNOWN_ADDRESS,
    reply.TLS_REQUIRED: NO_TLS,
    reply.UNDECODABLE: MALFORMED,
    reply.TOO_COMPLEX: MALFORMED,
} | dict.fromkeys(reply.UNREACHABLE, DESTINATION_NOT_ALLOWED)


def denied(why: Denial) -> Reply:
    """The documented reply; never whether Userkey or Password was wrong."""
    return _DENIED.get(why) or reply.denied(why)


def worded(why: Reply, _request: SmsRequest | None) -> Reply:
    """The documented reply for a refusal that all dialects know; others stay as they are."""
    if why.limit is Limit.CREDIT:
        return NO_CREDITS
    return TOO_MANY if why.limit is Limit.FLOOD else _WORDED.get(why, why)
