"""The facts, as this machine tells them: programs of the MTA, files, sockets, names, SMSCs.

Asks and looks; changes nothing. What cannot be looked at becomes a finding of severity UNKNOWN.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sms_milter.config.load import Loaded
from sms_milter.config.schema import Configuration
from sms_milter.doctor import host, postfix, sendmail
from sms_milter.doctor.finding import Finding, Severity
from sms_milter.doctor.gather.asking import CannotLook, text_of
from sms_milter.doctor.gather.this_host import host_facts
from sms_milter.doctor.gather.this_postfix import has_postfix, postfix_facts

SENDMAIL_CF: Final = Path("/etc/mail/sendmail.cf")


@dataclass(frozen=True, slots=True)
class Scope:
    """What to examine. `postfix`: its configuration directory, "" for the default one; `sendmail`: its file,
    None for the usual one, if there is one. `bind`: try a bind at each SMSC.
    """

    mta: bool = True
    postfix: str = ""
    sendmail: Path | None = None
    bind: bool = False


def examine(loaded: Loaded, scope: Scope) -> list[Finding]:
    """All that is wrong with the MTA and on this host."""
    ours = loaded.configuration
    found: list[Finding] = []
    mail_owner = ""
    if scope.mta:
        try:
            mail_owner = _examine_mta(ours, scope, found)
        except CannotLook as error:
            found.append(_not_seen(str(error)))
    return found + host.findings(host_facts(loaded, mail_owner, bind=scope.bind), ours)


def _not_seen(why: str) -> Finding:
    mend = (
        "sms-milter doctor as root, with --postfix DIRECTORY or --sendmail FILE; --no-mta where there is none"
    )
    return Finding(Severity.UNKNOWN, "mta", "mta", f"the MTA could not be examined: {why}", mend)


def _examine_mta(ours: Configuration, scope: Scope, found: list[Finding]) -> str:
    """Adds what is wrong with the MTAs of this host; the account that Postfix runs as, "" without Postfix."""
    file = scope.sendmail or (SENDMAIL_CF if SENDMAIL_CF.exists() else None)
    if scope.sendmail is not None or (file is not None and not has_postfix()):
        found += sendmail.findings(sendmail.parse(str(file), text_of(Path(str(file)))), ours)
    if scope.sendmail is not None and not scope.postfix:
        return ""
    if not has_postfix():
        if file is None:
            raise CannotLook("neither postconf nor a sendmail.cf is here")
        return ""
    facts = postfix_facts(scope.postfix, ours.domains)
    found += postfix.findings(facts, ours)
    return facts.main.get("mail_owner", "")
