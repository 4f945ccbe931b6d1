"""Finds the account of a mail that names it itself, and counts logins that fail."""

from __future__ import annotations

from sms_milter import reply
from sms_milter.dialects import Login
from sms_milter.dialects.context import Targets
from sms_milter.errors import Denied, Rejected
from sms_milter.gate import Domain, Gate
from sms_milter.intake.dialogue import Dialogue
from sms_milter.logline import clean, line
from sms_milter.mail.parse import Mail
from sms_milter.mail.settled import settled
from sms_milter.metrics import BLOCKS
from sms_milter.model import Credentials
from sms_milter.policy.accounts import Member
from sms_milter.ports import Intake, Journal, Meter
from sms_milter.reply import Denial

_FAILED = (Denial.UNKNOWN_LOGIN, Denial.WRONG_PASSWORD)


class Proof:
    """Holds what a mail says of its account against the gate, and against what was said before it."""

    __slots__ = ("_gate", "_intake", "_journal", "_meter", "_mta_queue_id", "_said")

    def __init__(
        self,
        gate: Gate,
        intake: Intake,
        journal: Journal,
        meter: Meter,
        said: Dialogue,
        mta_queue_id: str,
    ) -> None:
        self._gate, self._intake, self._journal, self._meter = gate, intake, journal, meter
        self._said, self._mta_queue_id = said, mta_queue_id

    def customer(self, domain: Domain, mail: Mail, targets: Targets) -> Member:
        """The account that the mail names, from now on that of the dialogue. Raises Refusal and Denied."""
        said = self._said
        assert said.login is not None  # else the envelope names it
        member = self._named(domain, said.login, mail, targets)
        if said.member is not None and member is not said.member:
            raise Denied(Denial.OTHER_ACCOUNT, member.name)
        if member.account.require_tls and not said.tls_version:
            raise Rejected(reply.TLS_REQUIRED)
        said.member = member
        return member

    def _named(self, domain: Domain, login: Login, mail: Mail, targets: Targets) -> Member:
        """The account that the mail proves. Raises Refusal and Denied."""
        try:
            given = login.read(mail, targets, domain.options)
        except Rejected as refusal:
            member = self._named_in_html(domain, login, mail, targets)
            if member is None:
                raise refusal from None
            return member
        return self._logged_in(given)

    def _named_in_html(self, domain: Domain, login: Login, mail: Mail, targets: Targets) -> Member | None:
        """The account that a mail proves in its HTML, or beside it, where none but such accounts are read."""
        try:
            plain = settled(mail, "convert", domain.dialect.charset)
            if plain is mail:
                return None
            member = self._logged_in(login.read(plain, targets, domain.options))
            wish = member.account.html
            wants_it = wish != "default" and settled(mail, wish, domain.dialect.charset).parts == plain.parts
        except (Rejected, Denied):
            return None
        return member if wants_it else None

    def _logged_in(self, given: Credentials) -> Member:
        """The account that the mail proves. Raises Denied; what failed is counted."""
        gate, said = self._gate, self._said
        who = said.known_as if gate.login_by_client else gate.known_as(given)
        counted = gate.login_rule is not None and who

        def welcome() -> None:
            """Whoever is blocked since the mail began, or since its password waits, costs no hash."""
            if counted and self._intake.login_blocked(who):
                raise Denied(Denial.BLOCKED)

        if not gate.login_by_client:
            welcome()
        try:
            return gate.customer(
                given,
                said.caller,
                sender=said.sender,
                domains={recipient.domain for _, recipient, _ in said.ours},
                welcome=welcome,
                proves_sender=said.login is not None and said.login.proves_sender,
            )
        except Denied as denied:
            if counted and denied.denial in _FAILED:
                self.count_failure(who)
            raise

    def count_failure(self, who: str) -> None:
        """One more failed login; whoever is blocked for it stands in the log."""
        rule = self._gate.login_rule
        if rule is not None and not self._gate.shadow and self._intake.login_failed(who, rule):
            self._meter.count(BLOCKS)
            blocked = f"blocked for {rule.block_seconds:.0f} s after {rule.count} failed logins"
            self._journal.warning(line(self._mta_queue_id, login=clean(who), status=blocked))
