"""The numbered errors of Clickatell, as SMTP replies and as lines of a response mail (CLK §13)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from sms_milter import reply
from sms_milter.errors import Rejected
from sms_milter.model import SmsRequest
from sms_milter.reply import Denial, Limit, Reply

_LONGEST_DETAIL = 100  # characters of what a mail said
_TOO_LONG = "message too long"


@dataclass(frozen=True, slots=True)
class Fault:
    """One documented error: its number and description, and the codes of its SMTP reply."""

    number: str
    description: str
    enhanced: str = "6.0"  # after its class, 5
    code: int = 554

    def reply(self, detail: str = "") -> Reply:
        """The SMTP reply; `detail` stands in parentheses behind the documented description."""
        text = f"{self} ({detail[:_LONGEST_DETAIL]})" if detail else str(self)
        return Reply.permanent(self.enhanced, text, code=self.code)

    def rejected(self, detail: str = "") -> Rejected:
        """To be raised: the mail, or one of its messages, is refused."""
        return Rejected(self.reply(detail))

    def __str__(self) -> str:
        return f"ERR: {self.number}, {self.description}"


AUTHENTICATION = Fault("001", "Authentication failed", "7.1", 550)
FROZEN = Fault("004", "Account frozen", "7.1", 550)
IP_LOCKDOWN = Fault("007", "IP lockdown violation", "7.1", 550)
PARAMETER = Fault("101", "Invalid or missing parameters")
USER_DATA_HEADER = Fault("102", "Invalid user data header")
DESTINATION = Fault("105", "Invalid destination address", "1.3", 550)
SOURCE = Fault("106", "Invalid source address", "1.7", 550)
EMPTY = Fault("107", "Empty message")
API_ID = Fault("108", "Invalid or missing API ID", "7.1", 550)
MAIL = Fault("110", "Error with email message")
NO_PLAIN_TEXT = Fault("110", "Error with email message", "6.1")
PROTOCOL = Fault("111", "Invalid protocol", "7.1", 550)
MESSAGE_TYPE = Fault("112", "Invalid message type")
TOO_MANY_PARTS = Fault("113", "Maximum message parts exceeded", "3.4", 552)
NO_ROUTE = Fault("114", "Cannot route message", "4.4", 550)
UNICODE = Fault("116", "Invalid Unicode data")
DELIVERY_TIME = Fault("120", "Invalid delivery time")
BLOCKED = Fault("121", "Destination mobile number blocked", "7.1", 550)
OPTED_OUT = Fault("122", "Destination mobile opted out", "7.1", 550)
SENDER_ID = Fault("123", "Invalid Sender ID", "7.1", 550)
DELISTED = Fault("128", "Number delisted", "1.1", 550)
NO_TEMPLATE = Fault("202", "No batch template")
NO_CREDIT = Fault("301", "No credit left", "2.2", 552)
MAX_CREDIT = Fault("302", "Max allowed credit", "7.1", 550)

NO_SUCH_ADDRESS = Reply.permanent("1.1", "no such address")
TOO_MANY_MESSAGES = Reply.permanent("5.3", "too many messages in one mail", code=554)

_DENIED = {
    Denial.UNKNOWN_LOGIN: AUTHENTICATION,
    Denial.WRONG_PASSWORD: AUTHENTICATION,
    Denial.WRONG_NAME: API_ID,
    Denial.DISABLED: FROZEN,
    Denial.WRONG_INTERFACE: PROTOCOL,
    Denial.NOT_FROM_HERE: IP_LOCKDOWN,
    Denial.NOT_BY_SENDER: AUTHENTICATION,
    Denial.ORIGINATOR_NOT_ALLOWED: SENDER_ID,
    Denial.BAD_ORIGINATOR: SOURCE,
}

_REFUSED = {
    reply.NO_ROUTE: NO_ROUTE,
    reply.NOT_IN_CLOSED_GROUP: BLOCKED,
    reply.BLOCKED: BLOCKED,
    reply.OPTED_OUT: OPTED_OUT,
    reply.DELISTED: DELISTED,
    reply.UNDECODABLE: MAIL,
    reply.TOO_COMPLEX: MAIL,
    reply.HTML_REFUSED: NO_PLAIN_TEXT,
}
_BEYOND = {Limit.CREDIT: NO_CREDIT, Limit.PRICE: MAX_CREDIT}
_TOO_MANY = "ERR: 130, Maximum MT limit exceeded"
_INTERNAL = "ERR: 901, Internal error, please retry"
_OURS = frozenset({reply.QUEUE_UNAVAILABLE, reply.INTERNAL_ERROR, reply.TOO_SLOW})


def denied(why: Denial) -> Reply:
    """The reply to a wrong login or sender; 001 never says whether user or password was wrong (CLK §6)."""
    fault = _DENIED.get(why)
    return reply.denied(why) if fault is None else fault.reply()


def worded(why: Reply, _request: SmsRequest | None) -> Reply:
    """The numbered error for a refusal that all dialects know; others stay as they are."""
    if why.text.startswith(_TOO_LONG):
        return TOO_MANY_PARTS.reply()
    if why.limit in (Limit.QUOTA, Limit.FLOOD) and why.free_at is not None:
        return replace(why, text=f"{_TOO_MANY} until {math.ceil(why.free_at)}")
    if why.limit is Limit.QUOTA:
        return replace(why, text=f"{_TOO_MANY} ({why.text})")
    if why == reply.TEXT_DENIED:
        return replace(why, text=f"{PARAMETER} ({why.text})")
    if why in _OURS:
        return replace(why, text=_INTERNAL)
    fault = _REFUSED.get(why) if why.limit is None else _BEYOND.get(why.limit)
    return why if fault is None else fault.reply()
