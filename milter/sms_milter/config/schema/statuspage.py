"""The status page."""

from __future__ import annotations

from sms_milter.config.schema.declaring import Section, setting
from sms_milter.config.values import Duration, Host, OwnPlace, PathPrefix


class StatusPage(Section):
    """What `sms-milter web` shows to operators, and to whom (docs/status-page.md)."""

    listen: OwnPlace = setting(
        "127.0.0.1:8890",
        doc="Where we listen for HTTP, without TLS: a loopback address and port, or unix:/PATH. From other"
        " hosts it is reached by a reverse proxy only.",
    )
    socket_group: str = setting(
        "", doc="The group that a unix socket is given to, such as www-data; mode 0660."
    )
    password_hash: str = setting(
        "",
        doc="Hash of the password that opens the page, as `sms-milter hash-password` prints it.",
        secret=True,
        example="/etc/sms-milter/web.secret",
    )
    hosts: tuple[Host, ...] = setting(
        (),
        doc="Names by which browsers call the page, besides localhost: the reverse proxy's. Any other is"
        " refused.",
        example=["mail.example.com"],
    )
    path: PathPrefix = setting(
        "/", doc="Below which path of its host the page is, where a reverse proxy leaves that in requests."
    )
    session: Duration = setting(
        "12h", at_least="1m", at_most="30d", doc="How long a login lasts; it ends with `sms-milter web` too."
    )
