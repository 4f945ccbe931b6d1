"""The service: how the MTA reaches us, and the log."""

from __future__ import annotations

from typing import Literal

from sms_milter.config.schema.declaring import Section, setting
from sms_milter.config.values import Duration, FileMode, HostAndPort, MilterSocket, Size, Workers


class MilterSettings(Section):
    """How the MTA reaches us and what we do with its mail."""

    socket: MilterSocket = setting(
        "inet:8891@127.0.0.1",
        doc="Where the milter listens: inet:PORT@HOST, inet6:PORT@HOST or unix:/PATH.",
    )
    socket_mode: FileMode = setting("0660", doc="File mode of a unix socket.")
    socket_group: str = setting(
        "", doc="Group that a unix socket is given to, so that the MTA may connect; empty leaves it as it is."
    )
    workers: Workers = setting(
        "auto", doc="Milter processes sharing the socket; auto takes the number of CPUs."
    )
    max_message_size: Size = setting(
        "10MB",
        at_least="1KB",
        at_most="1GB",
        doc="Largest mail taken as SMS, answered 552 5.3.4 beyond it; dialects set their own below it.",
    )
    max_recipients: int = setting(
        1000,
        at_least=1,
        at_most=100_000,
        doc="SMS recipients of one mail; each one beyond it is answered 452 4.5.3.",
    )
    claim: Literal["discard", "remove-recipients"] = setting(
        "discard",
        doc="What the MTA is told once all recipients were ours: to discard its copy, or to remove our "
        "recipients (which keeps always_bcc copies).",
    )
    mixed_refusal: Literal["all", "bounce"] = setting(
        "all",
        doc="When the SMS part of a mail with other recipients is refused: refuse the whole mail (all), "
        "or leave our recipients to the fail-safe route and let the others pass (bounce).",
    )
    decision_timeout: Duration = setting(
        "20s",
        at_least="1s",
        at_most="5m",
        doc="How long a decision may take while the SMTP client waits; beyond it the answer is 451 4.3.0.",
    )
    shadow: bool = setting(False, doc="Judge and log all mail, but take and refuse nothing.")


Facility = Literal[
    "auth", "authpriv", "cron", "daemon", "kern", "local0", "local1", "local2", "local3", "local4", "local5",
    "local6", "local7", "lpr", "mail", "news", "syslog", "user", "uucp",
]  # fmt: skip


class MetricsSettings(Section):
    """What Prometheus may ask."""

    listen: HostAndPort = setting(
        "",
        doc="HOST:PORT where Prometheus asks, over HTTP and without a password: loopback, such as"
        " 127.0.0.1:9815, or a network that only it can reach; empty: nowhere. See docs/metrics.md.",
    )


class LogSettings(Section):
    """Where the log goes and what it may show."""

    to: Literal["syslog", "stderr"] = setting(
        "syslog", doc="Where log lines go. Standard error may be systemd's journal: then each has its fields."
    )
    format: Literal["text", "json"] = setting(
        "text", doc="Lines as docs/log.md has them, or an object each, with the same names."
    )
    facility: Facility = setting("mail", doc="The syslog facility.")
    mask_numbers: bool = setting(False, doc="Log +4179*****00 instead of the whole phone number.")
    message_text: Literal["never", "debug"] = setting(
        "never",
        doc="Whether the text of messages may be logged: never, or in debug lines.",
        in_force=("never",),
    )
