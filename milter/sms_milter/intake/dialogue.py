"""The SMTP dialogue up to DATA: who sends, and which of the recipients are ours.

Whose mail it is, is known from the envelope, or else at the end of message from what stands in the mail
(`Dialect.login`). The first SMS recipient settles the dialect, and the account too unless the mail names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from sms_milter import reply
from sms_milter.dialects import Login
from sms_milter.dialects.context import Targets
from sms_milter.errors import Deferred, Rejected
from sms_milter.gate import Domain, Gate
from sms_milter.intake import vouching
from sms_milter.intake.desk import balance
from sms_milter.mail.address import parse_path, sender_of
from sms_milter.model import Caller, Certificate, Client, Envelope, Limits, Recipient
from sms_milter.policy import quotas
from sms_milter.policy.accounts import Member
from sms_milter.policy.logins import household
from sms_milter.ports import Intake
from sms_milter.reply import Denial


class Dialogue:
    """What MAIL and RCPT have said so far. `domain` and `member` are None while they are not known; `login`
    is set when the mail itself must name the account; `asking` is whose the recipient in hand would be;
    `spf_holds`: that is known already.
    """

    __slots__ = (
        "_gate",
        "_intake",
        "_numbers",
        "asking",
        "caller",
        "client",
        "declared_size",
        "domain",
        "login",
        "member",
        "ours",
        "sender",
        "spf_holds",
        "tls_version",
    )

    def __init__(
        self,
        gate: Gate,
        intake: Intake,
        client: Client,
        sender: str,
        size: str,
        sasl_user: str,
        tls_version: str,
        certificate: Certificate,
    ) -> None:
        """`sender` as in MAIL FROM, `size` is its parameter SIZE or ""."""
        self._gate, self._intake = gate, intake
        self._numbers: set[str] = set()
        self.client = client
        self.sender = sender_of(sender)
        self.declared_size = int(size) if size.isascii() and size.isdigit() and len(size) <= 20 else 0
        self.caller = Caller(client.address, sasl_user, certificate)
        self.spf_holds = False
        self.tls_version = tls_version
        self.asking: Member | None = None
        self.member: Member | None = None
        self.domain: Domain | None = None
        self.login: Login | None = None
        self.ours: list[tuple[str, Recipient, str | None]] = []  # octets of RCPT, address, number

    @property
    def known_as(self) -> str:
        """Whose failed logins are counted where that is the client's."""
        return f"client {household(self.client.address)}"

    @property
    def targets(self) -> Targets:
        """The recipients of ours."""
        return tuple([(recipient, number) for _, recipient, number in self.ours])

    def envelope(self, mta_queue_id: str) -> Envelope:
        """All of it, once it is complete."""
        return Envelope(
            self.client,
            self.sender,
            tuple([recipient for _, recipient, _ in self.ours]),
            self.caller.sasl_user,
            self.tls_version,
            mta_queue_id,
        )

    def judge(self, raw: str, domain: Domain, parameters: Mapping[str, str]) -> None:
        """Take one RCPT in. Raises Refusal for one that may not come."""
        self.asking = None
        local, name = parse_path(raw)
        recipient = Recipient(raw, local, name, parameters)
        login = domain.dialect.login
        if login is None or not login.needed(recipient, domain.options):
            login = None
            member = self._account_for(domain, recipient)
        else:
            member = None
            if self._gate.login_by_client and self._intake.login_blocked(self.known_as):
                raise Deferred(domain.dialect.denied(Denial.BLOCKED))
        if self.domain is not None:
            self._check_alike(self.domain, domain, member)
        limits = None if member is None else self._gate.limits(member.name, domain.dialect)
        number = domain.dialect.recipient(recipient, domain.options)
        if number is not None:
            if member is not None:
                self._gate.way(member, number)
                if limits is not None:
                    self._check_willing(member, limits, number)
            self._numbers.add(number)
        if len(self.ours) >= self._gate.max_recipients:
            raise Deferred(reply.TOO_MANY_RECIPIENTS)
        if self.declared_size > domain.size_limit:
            raise Rejected(reply.mail_too_large(domain.size_limit))
        if member is not None:
            if limits is not None:
                self.check_quota(member, limits)
                self._check_credits(member, limits)
            self.member = member
        self.domain = domain
        self.login = login or self.login
        self.ours.append((raw, recipient, number))

    def _account_for(self, domain: Domain, recipient: Recipient) -> Member:
        owner = domain.dialect.owner
        if owner is None:
            member = self._gate.accounts.find(self.caller, sender=self.sender, domain=domain.name)
        else:
            member = self._owner(domain, owner(recipient))
        if member is None:
            raise Rejected(reply.NOT_AUTHORISED)
        self.asking = member
        if member.account.disabled:
            raise Rejected(reply.ACCOUNT_DISABLED)
        if member.account.require_tls and not self.tls_version:
            raise Rejected(reply.TLS_REQUIRED)
        if not self.spf_holds:
            self.spf_holds = vouching.check_envelope(self._gate, member, self.client, self.sender)
        return member

    def _owner(self, domain: Domain, login: str) -> Member | None:
        """The account with an address of its own, if it takes mail from here. Raises Rejected."""
        member = self._gate.forwarding(login)
        if member is None:
            raise Rejected(reply.NO_SUCH_ADDRESS)
        if not self.sender and not member.account.allow_null_sender:
            return None  # a bounce must not become an SMS
        admitted = self._gate.accounts.admits(member, self.caller, sender=self.sender, domain=domain.name)
        return member if admitted else None

    def _check_alike(self, first: Domain, domain: Domain, member: Member | None) -> None:
        """One mail has one account and one dialect; an account that is not known yet is compared later."""
        same_rules = first is domain or (first.dialect is domain.dialect and first.options == domain.options)
        other = member is not None and self.member is not None and member is not self.member
        if other or not same_rules:
            raise Deferred(reply.SEND_SEPARATELY)

    def _check_willing(self, member: Member, limits: Limits, number: str) -> None:
        """Whether the phone has not asked for nothing more."""
        if limits.suppression and self._intake.suppressed(member.name, number):
            raise Rejected(reply.OPTED_OUT)

    def check_quota(self, member: Member, limits: Limits) -> None:
        """Whether anything is left of it; the queue decides exactly when it stores the mail."""
        if limits.quota is None:
            return
        left = self._intake.quota_left(member.name, self.sender.lower(), limits.quota)
        refusal = quotas.refusal(limits.quota, left, max(len(self._numbers), 1))
        if refusal is not None:
            raise refusal

    def _check_credits(self, member: Member, limits: Limits) -> None:
        """Whether any are left, as `_check_quota` does."""
        left = balance(self._intake, member, limits)
        if left is not None and left <= 0:
            raise Rejected(reply.no_credit(Decimal(0)))
