"""The vocabulary: what the SMTP client said, what the mail asks for, what is planned, stored and learnt of
it.

Values only. A *request* is what one mail asks for, a *message* is for one destination, a *part* is one
submit_sm, or one errand of a channel other than SMS. Times are seconds since the epoch (UTC) as float unless
a name says otherwise.
"""

from sms_milter.model.dialogue import Action, Client, Credentials, Envelope, Recipient, Record, Stage
from sms_milter.model.limits import (
    CreditRule,
    DuplicateRule,
    FloodRule,
    Limits,
    LoginRule,
    QuotaLeft,
    QuotaRule,
)
from sms_milter.model.links import LinkState, LinkStatus, SmscLoad
from sms_milter.model.mobile import Conversation, Heard, MobileMessage, MobilePart
from sms_milter.model.operating import HELD_UNTIL, Cancellation, Deed, Done, Selection
from sms_milter.model.plan import (
    Answer,
    ComposedPart,
    Errand,
    NewMessage,
    Plan,
    PlannedMessage,
    Promise,
    Reference,
    SubmitSm,
)
from sms_milter.model.reports import DeliveryReport, Digest, DueReport, Notice, ReportOutcome, WebAnswer
from sms_milter.model.request import (
    EMAIL,
    EVERY_FEATURE,
    SMS,
    Binary,
    Escalate,
    Feature,
    Kind,
    LeftOut,
    Listener,
    Notify,
    Priority,
    Refused,
    SmsRequest,
    Wish,
)
from sms_milter.model.sending import (
    Handed,
    LeasedPart,
    Outcome,
    PartFate,
    PartState,
    ReceiptNews,
    Settled,
    WaitingMessage,
    WaitingPart,
)
from sms_milter.model.stored import NewMail, Original, Stored
from sms_milter.model.veil import veiled

__all__ = [
    "EMAIL",
    "EVERY_FEATURE",
    "HELD_UNTIL",
    "SMS",
    "Action",
    "Answer",
    "Binary",
    "Cancellation",
    "Client",
    "ComposedPart",
    "Conversation",
    "Credentials",
    "CreditRule",
    "Deed",
    "DeliveryReport",
    "Digest",
    "Done",
    "DueReport",
    "DuplicateRule",
    "Envelope",
    "Errand",
    "Escalate",
    "Feature",
    "FloodRule",
    "Handed",
    "Heard",
    "Kind",
    "LeasedPart",
    "LeftOut",
    "Limits",
    "LinkState",
    "LinkStatus",
    "Listener",
    "LoginRule",
    "MobileMessage",
    "MobilePart",
    "NewMail",
    "NewMessage",
    "Notice",
    "Notify",
    "Original",
    "Outcome",
    "PartFate",
    "PartState",
    "Plan",
    "PlannedMessage",
    "Priority",
    "Promise",
    "QuotaLeft",
    "QuotaRule",
    "ReceiptNews",
    "Recipient",
    "Record",
    "Reference",
    "Refused",
    "ReportOutcome",
    "Selection",
    "Settled",
    "SmsRequest",
    "SmscLoad",
    "Stage",
    "Stored",
    "SubmitSm",
    "WaitingMessage",
    "WaitingPart",
    "WebAnswer",
    "Wish",
    "veiled",
]
