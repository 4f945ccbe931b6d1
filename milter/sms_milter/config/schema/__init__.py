"""The settings: one declaration each gives type, default, limits, the annotated example and the table.

Every section is a frozen pydantic model that knows nothing of files or YAML; the dialects declare their
options with the same `setting`. Text in, checked values out: sizes are octets (int), durations seconds
(float).
"""

from sms_milter.config.schema.accounts import (
    Account,
    ChannelName,
    Check,
    Domain,
    Language,
    Logins,
    QuietHours,
    Quota,
    TlsCertificate,
)
from sms_milter.config.schema.authentication import Authentication, TrustedResults
from sms_milter.config.schema.channels import Callbacks, Channel, EmailChannel, HttpChannel, SmppChannel
from sms_milter.config.schema.declaring import (
    CHOICE,
    REQUIRED,
    Section,
    Setting,
    bare,
    declared,
    expected,
    inside,
    limits_of,
    section_of,
    setting,
    variants,
)
from sms_milter.config.schema.limits import (
    DefaultDuplicateLimit,
    DefaultFloodLimit,
    DuplicateLimit,
    Duplicates,
    Flood,
    FloodLimit,
    Limits,
    LoginLimit,
    Storms,
)
from sms_milter.config.schema.reports import Reports
from sms_milter.config.schema.service import Facility, LogSettings, MilterSettings
from sms_milter.config.schema.smscs import FeatureName, RouteRule, Smsc
from sms_milter.config.schema.statuspage import StatusPage
from sms_milter.config.schema.whole import Configuration

__all__ = [
    "CHOICE",
    "REQUIRED",
    "Account",
    "Authentication",
    "Callbacks",
    "Channel",
    "ChannelName",
    "Check",
    "Configuration",
    "DefaultDuplicateLimit",
    "DefaultFloodLimit",
    "Domain",
    "DuplicateLimit",
    "Duplicates",
    "EmailChannel",
    "Facility",
    "FeatureName",
    "Flood",
    "FloodLimit",
    "HttpChannel",
    "Language",
    "Limits",
    "LogSettings",
    "LoginLimit",
    "Logins",
    "MilterSettings",
    "QuietHours",
    "Quota",
    "Reports",
    "RouteRule",
    "Section",
    "Setting",
    "SmppChannel",
    "Smsc",
    "StatusPage",
    "Storms",
    "TlsCertificate",
    "TrustedResults",
    "bare",
    "declared",
    "expected",
    "inside",
    "limits_of",
    "section_of",
    "setting",
    "variants",
]
