"""The error codes of XML replies (ASPSMS §11.9). What is refused with one is answered by mail."""

from __future__ import annotations

from enum import IntEnum

from sms_milter.errors import Rejected
from sms_milter.reply import Reply


class Code(IntEnum):
    """ErrorCode; some are answers and no failures (ASPSMS §11.7)."""

    OK = 1
    AUTHORIZATION = 3
    NO_FILE = 4
    NO_CREDITS = 5
    USERKEY = 8
    PASSWORD = 9
    ORIGINATOR = 10
    MESSAGE = 11
    BINARY_DATA = 12
    BINARY_FILE = 13
    MCC = 14
    MNC = 15
    XSER = 16
    BUFFERED_URL = 17
    DELIVERY_URL = 18
    NON_DELIVERY_URL = 19
    NO_RECIPIENT = 20
    NO_BINARY_DATA = 21
    TIME = 22
    NO_REFERENCE = 23
    UNAVAILABLE = 24
    ACCESS_DENIED = 25
    UNRESTRICTED = 28
    ORIGINATOR_PENDING = 29
    ORIGINATOR_NOT_AUTHORIZED = 30
    ORIGINATOR_AUTHORIZED = 31
    TOKEN_PENDING = 36
    TOKEN_NOT_AUTHORIZED = 37
    TOKEN_NOT_FOUND = 38
    TOKEN_AUTHORIZED = 39
    INVALID_REQUEST = 99

    @property
    def description(self) -> str:
        """ErrorDescription."""
        return _DESCRIPTIONS[self]

    @property
    def rejected(self) -> Rejected:
        """The refusal of a request; its reply is what the client hears where no mail can tell."""
        return Rejected(_REPLIES[self])


_DESCRIPTIONS = {
    Code.OK: "Ok",
    Code.AUTHORIZATION: "Authorization failed (wrong Userkey and/or Password)",
    Code.NO_FILE: "Binary file not found",
    Code.NO_CREDITS: "Not enough credits",
    Code.USERKEY: "Invalid Userkey",
    Code.PASSWORD: "Invalid Password",
    Code.ORIGINATOR: "Invalid originator (at most 11 characters for alphanumeric ones)",
    Code.MESSAGE: "Invalid message data",
    Code.BINARY_DATA: "Invalid binary data",
    Code.BINARY_FILE: "Invalid binary file (file type)",
    Code.MCC: "Invalid MCC",
    Code.MNC: "Invalid MNC",
    Code.XSER: "Invalid XSer",
    Code.BUFFERED_URL: "Invalid URL for buffered notification",
    Code.DELIVERY_URL: "Invalid URL for delivery notification",
    Code.NON_DELIVERY_URL: "Invalid URL for non-delivery notification",
    Code.NO_RECIPIENT: "Missing a recipient",
    Code.NO_BINARY_DATA: "Missing binary data",
    Code.TIME: "Invalid deferred delivery time",
    Code.NO_REFERENCE: "Missing transaction reference number",
    Code.UNAVAILABLE: "Service temporarily not available",
    Code.ACCESS_DENIED: "User access denied",
    Code.UNRESTRICTED: "No originator restrictions",
    Code.ORIGINATOR_PENDING: "Originator authorization pending",
    Code.ORIGINATOR_NOT_AUTHORIZED: "Originator not authorized",
    Code.ORIGINATOR_AUTHORIZED: "Originator already authorized",
    Code.TOKEN_PENDING: "Security token authorization pending",
    Code.TOKEN_NOT_AUTHORIZED: "Security token not authorized",
    Code.TOKEN_NOT_FOUND: "Security token not found",
    Code.TOKEN_AUTHORIZED: "Security token already authorized",
    Code.INVALID_REQUEST: "Invalid request",
}
_REPLIES = {
    code: Reply.permanent("6.0", f"ErrorCode {code.value}: {text}", code=554)
    for code, text in _DESCRIPTIONS.items()
}
_CODES = {reply: code for code, reply in _REPLIES.items()}


def code_of(reply: Reply) -> Code | None:
    """The code that a request was refused with, None if it was with no code."""
    return _CODES.get(reply)
