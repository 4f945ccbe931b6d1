"""How SPF and DKIM are verified, and whose word counts for them."""

from __future__ import annotations

from sms_milter.config.schema.declaring import REQUIRED, Section, setting
from sms_milter.config.values import DnsServer, DomainName, Duration, Network


class TrustedResults(Section):
    """Authentication-Results header fields that are believed (RFC 8601)."""

    name: DomainName = setting(
        REQUIRED,
        doc="The authserv-id that they begin with. Whoever writes them must remove those that come with the"
        " mail (RFC 8601 §5).",
        example="mx.example.com",
    )
    clients: tuple[Network, ...] = setting(
        (),
        doc="The mail servers that add them before they hand the mail to ours; empty: a milter before us in"
        " our own MTA adds them.",
        example=["192.0.2.25"],
    )


class Authentication(Section):
    """SPF and DKIM, for accounts that require them."""

    timeout: Duration = setting(
        "10s",
        at_least="1s",
        at_most="25s",
        doc="How long all questions to the DNS for one check may take; beyond it the answer is 451 4.4.3.",
    )
    dns: tuple[DnsServer, ...] = setting(
        (),
        doc="The resolvers to ask, such as 127.0.0.1:53; empty: those of the system. SPF and DKIM are worth"
        " what these are.",
    )
    trusted_results: tuple[TrustedResults, ...] = setting(
        (), doc="Whose Authentication-Results are taken for SPF and DKIM; what they do not prove we verify."
    )
