"""The kinds of value that a setting may have: text from the configuration to a checked value.

Each kind is an annotated type. What cannot be read raises ValueError: empty, when `Expects` says all there
is to say, else with a whole sentence. Sizes become octets (int), durations seconds (float). Values that are
read already pass unchanged, so that tests and programs can build models without going through text.

Kinds over one plain type use BeforeValidator, because pydantic drops a field's limits in front of a
PlainValidator.
"""

from sms_milter.config.values.clock import TimeOfDay, Zone, parse_zone
from sms_milter.config.values.expects import AsciiText, Expects
from sms_milter.config.values.measures import (
    Allowance,
    Credits,
    Duration,
    FileMode,
    Listed,
    MaxParts,
    Size,
    Switch,
    Workers,
    number_of,
    parse_duration,
    parse_size,
)
from sms_milter.config.values.names import (
    Address,
    DomainName,
    Fingerprint,
    HeaderName,
    Host,
    LoginNames,
    Name,
    Network,
    OptionalAddress,
    SenderPattern,
    parse_address,
    parse_fingerprint,
    parse_network,
    parse_sender_pattern,
)
from sms_milter.config.values.pdus import CommandStatus, HexOctets, Octet, Tag, TonNpi
from sms_milter.config.values.phones import (
    CountryCode,
    GroupEntry,
    MobileNetwork,
    NumericOriginators,
    OptionalOriginator,
    Originator,
    PhoneNumber,
    PhonePrefix,
    parse_group_entry,
    parse_originator,
    parse_prefix,
)
from sms_milter.config.values.places import (
    DnsServer,
    HostAndPort,
    MilterSocket,
    Queue,
    QueueUrl,
    WebAddress,
    parse_queue_url,
)

__all__ = [
    "Address",
    "Allowance",
    "AsciiText",
    "CommandStatus",
    "CountryCode",
    "Credits",
    "DnsServer",
    "DomainName",
    "Duration",
    "Expects",
    "FileMode",
    "Fingerprint",
    "GroupEntry",
    "HeaderName",
    "HexOctets",
    "Host",
    "HostAndPort",
    "Listed",
    "LoginNames",
    "MaxParts",
    "MilterSocket",
    "MobileNetwork",
    "Name",
    "Network",
    "NumericOriginators",
    "Octet",
    "OptionalAddress",
    "OptionalOriginator",
    "Originator",
    "PhoneNumber",
    "PhonePrefix",
    "Queue",
    "QueueUrl",
    "SenderPattern",
    "Size",
    "Switch",
    "Tag",
    "TimeOfDay",
    "TonNpi",
    "WebAddress",
    "Workers",
    "Zone",
    "number_of",
    "parse_address",
    "parse_duration",
    "parse_fingerprint",
    "parse_group_entry",
    "parse_network",
    "parse_originator",
    "parse_prefix",
    "parse_queue_url",
    "parse_sender_pattern",
    "parse_size",
    "parse_zone",
]
