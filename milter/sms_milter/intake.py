"""From the SMTP dialogue to stored SMS: one mail is one `Transaction`.

Knows neither pymilter nor a database: recipients are judged as they come, content is gathered, and
`Transaction.decide` ends in a `Verdict`, a value. Whose mail it is, is known at RCPT from the envelope, or at
the end of message from credentials in the mail (`Dialect.login`).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from sms_milter import reply
from sms_milter.credits import credits_of, thousandths
from sms_milter.dialects import Login
from sms_milter.dialects.context import Context, Objection, Outcome, Targets
from sms_milter.errors import Deferred, Denied, Excess, RecordChanged, Refusal, Rejected
from sms_milter.gate import Domain, Gate
from sms_milter.logline import clean, line
from sms_milter.mail.address import domain_of, parse_path, sender_of
from sms_milter.mail.fingerprint import fingerprint
from sms_milter.mail.head import header_block
from sms_milter.mail.parse import Mail
from sms_milter.mail.parse import parse as parse_mail
from sms_milter.mail.settled import settled
from sms_milter.model import (
    EMAIL,
    SMS,
    Action,
    Client,
    Credentials,
    Envelope,
    Kind,
    LeftOut,
    Limits,
    Listener,
    NewMail,
    Notify,
    Original,
    PartFate,
    Plan,
    PlannedMessage,
    Recipient,
    Record,
    SmsRequest,
    Stage,
    Stored,
    Wish,
)
from sms_milter.policy import quiet, quotas
from sms_milter.policy.accounts import Member
from sms_milter.policy.originators import UNLOCKED
from sms_milter.policy.repeats import identity
from sms_milter.ports import Intake, Journal
from sms_milter.reply import Denial, Reply
from sms_milter.sms.plan import unsendable
from sms_milter.sms.results import Results
from sms_milter.sms.terms import Terms

_FAILED = (Denial.UNKNOWN_LOGIN, Denial.WRONG_PASSWORD)
_MOST_JUDGEMENTS = 5  # of one mail whose records other mails change


@dataclass(frozen=True, slots=True)
class Judged:
    """One RCPT: whose it is, and the reply that refused it, if any."""

    raw: str
    ours: bool
    reply: Reply | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of the mail; unknown never means pass. `remove` holds RCPT octets to delete at the MTA."""

    action: Action
    stage: Stage
    reply: Reply | None = None
    remove: tuple[str, ...] = ()
    plan: Plan | None = None
    stored: Stored | None = None


class AccountRecords:
    """`dialects.context.Records` of one account in the queue."""

    __slots__ = ("_account", "_intake")

    def __init__(self, intake: Intake, account: str) -> None:
        self._intake, self._account = intake, account

    def find(self, kind: str, name: str) -> Record | None:
        """See `Records.find`."""
        return self._intake.find_record(self._account, kind, name)

    def fates(self, references: Sequence[str]) -> Mapping[str, Sequence[PartFate]]:
        """See `Records.fates`."""
        return self._intake.fates(self._account, references)


class Transaction:
    """One mail, from MAIL to the end of message. `queue_id` may become known late: set `mta_queue_id` when it
    is.
    """

    __slots__ = (
        "_asking",
        "_body",
        "_chance",
        "_clock",
        "_domain",
        "_envelope_id",
        "_fields",
        "_gate",
        "_held",
        "_intake",
        "_journal",
        "_local",
        "_login",
        "_mail",
        "_member",
        "_numbers",
        "_ours",
        "_request",
        "_size",
        "_started",
        "client",
        "declared_size",
        "mta_queue_id",
        "others",
        "recipients",
        "sasl_user",
        "sender",
        "tls_version",
    )

    def __init__(
        self,
        gate: Gate,
        intake: Intake,
        journal: Journal,
        client: Client,
        sender: str,
        parameters: Mapping[str, str],
        *,
        sasl_user: str = "",
        tls_version: str = "",
        mta_queue_id: str = "",
        local: bool = False,
        clock: Callable[[], float] = time.time,
        chance: Callable[[int], int] = secrets.randbelow,
    ) -> None:
        """`sender` as in MAIL FROM; `local`: injected by sendmail(1), where a refusal at RCPT would jam the
        maildrop; `chance` as in `Context`.
        """
        self._gate, self._intake, self._journal, self._clock = gate, intake, journal, clock
        self._chance = chance
        self._local = local
        self._held: Reply | None = None
        self._asking: Member | None = None  # whose the recipient in hand would be
        self._member: Member | None = None
        self._domain: Domain | None = None
        self._login: Login | None = None  # set when the mail itself must name the account
        self._mail: Mail | None = None  # once it is read
        self._request: SmsRequest | None = None  # once it is understood
        self._fields: list[tuple[str, bytes]] = []
        self._body: list[bytes] = []
        self._size = 0
        self._started = clock()
        self._numbers: set[str] = set()
        self.client = client
        self.sender = sender_of(sender)
        size = parameters.get("SIZE", "")
        self._envelope_id = parameters.get("ENVID", "")
        self.declared_size = int(size) if size.isascii() and size.isdigit() and len(size) <= 20 else 0
        self.sasl_user = sasl_user
        self.tls_version = tls_version
        self.mta_queue_id = mta_queue_id
        self.recipients: list[Judged] = []
        self._ours: list[tuple[str, Recipient, str | None]] = []  # octets of RCPT, address, number
        self.others = 0

    # --- the envelope ---------------------------------------------------------------------------------------

    def recipient(self, raw: str, parameters: Mapping[str, str]) -> Reply | None:
        """Judge one RCPT; the reply that refuses it, or None when it may pass (ours or not)."""
        domain = self._gate.domains.get(domain_of(raw))
        if domain is None:
            self.others += 1
            self.recipients.append(Judged(raw, ours=False, reply=None))
            return None
        self._asking = None
        try:
            judged = self._judge(raw, domain, parameters)
        except Refusal as refusal:
            why = domain.dialect.worded(refusal.reply, None)
            judged = Judged(raw, ours=True, reply=why)
            self._log_recipient(raw, why)
        self.recipients.append(judged)
        if judged.reply is None or self._gate.shadow:
            return None
        if self._local:
            self._held = self._held or judged.reply
            return None
        return judged.reply

    def _judge(self, raw: str, domain: Domain, parameters: Mapping[str, str]) -> Judged:
        local, name = parse_path(raw)
        recipient = Recipient(raw, local, name, parameters)
        login = domain.dialect.login
        if login is None or not login.needed(recipient, domain.options):
            login = None
            member = self._account_for(domain, recipient)
        else:
            member = None
            if self._gate.login_by_client and self._intake.login_blocked(self._known_as()):
                raise Deferred(domain.dialect.denied(Denial.BLOCKED))
        if self._domain is not None:
            self._check_alike(self._domain, domain, member)
        limits = None if member is None else self._gate.limits(member.name, domain.dialect)
        number = domain.dialect.recipient(recipient, domain.options)
        if number is not None:
            if member is not None:
                self._gate.way(member, number)
                if limits is not None:
                    self._check_willing(member, limits, number)
            self._numbers.add(number)
        if len(self._ours) >= self._gate.max_recipients:
            raise Deferred(reply.TOO_MANY_RECIPIENTS)
        if self.declared_size > domain.size_limit:
            raise Rejected(reply.mail_too_large(domain.size_limit))
        if member is not None:
            if limits is not None:
                self._check_quota(member, limits)
                self._check_credits(member, limits)
            self._member = member
        self._domain = domain
        self._login = login or self._login
        self._ours.append((raw, recipient, number))
        return Judged(raw, ours=True, reply=None)

    def _account_for(self, domain: Domain, recipient: Recipient) -> Member:
        owner = domain.dialect.owner
        if owner is None:
            member = self._gate.accounts.find(
                client=self.client.address, sender=self.sender, sasl_user=self.sasl_user, domain=domain.name
            )
        else:
            member = self._owner(domain, owner(recipient))
        if member is None:
            raise Rejected(reply.NOT_AUTHORISED)
        self._asking = member
        if member.account.disabled:
            raise Rejected(reply.ACCOUNT_DISABLED)
        if member.account.require_tls and not self.tls_version:
            raise Rejected(reply.TLS_REQUIRED)
        return member

    def _owner(self, domain: Domain, login: str) -> Member | None:
        """The account with an address of its own, if it takes mail from here. Raises Rejected."""
        member = self._gate.forwarding(login)
        if member is None:
            raise Rejected(reply.NO_SUCH_ADDRESS)
        if not self.sender and not member.account.allow_null_sender:
            return None  # a bounce must not become an SMS
        admitted = self._gate.accounts.admits(
            member,
            client=self.client.address,
            sender=self.sender,
            sasl_user=self.sasl_user,
            domain=domain.name,
        )
        return member if admitted else None

    def _check_alike(self, first: Domain, domain: Domain, member: Member | None) -> None:
        """One mail has one account and one dialect; an account that is not known yet is compared later."""
        same_rules = first is domain or (first.dialect is domain.dialect and first.options == domain.options)
        other = member is not None and self._member is not None and member is not self._member
        if other or not same_rules:
            raise Deferred(reply.SEND_SEPARATELY)

    def _balance(self, member: Member, limits: Limits | None) -> Decimal | None:
        """The credits that an account has left; None when they are not metered. Raises Deferred."""
        if limits is None or limits.credits is None:
            return None
        return credits_of(self._intake.credit_left(member.name, limits.credits))

    def _check_willing(self, member: Member, limits: Limits, number: str) -> None:
        """Whether the phone has not asked for nothing more."""
        if limits.suppression and self._intake.suppressed(member.name, number):
            raise Rejected(reply.OPTED_OUT)

    def _check_quota(self, member: Member, limits: Limits) -> None:
        """Whether anything is left of it; the queue decides exactly when it stores the mail."""
        if limits.quota is None:
            return
        left = self._intake.quota_left(member.name, self.sender.lower(), limits.quota)
        refusal = quotas.refusal(limits.quota, left, max(len(self._numbers), 1))
        if refusal is not None:
            raise refusal

    def _check_credits(self, member: Member, limits: Limits) -> None:
        """Whether any are left, as `_check_quota` does."""
        left = self._balance(member, limits)
        if left is not None and left <= 0:
            raise Rejected(reply.no_credit(Decimal(0)))

    @property
    def judged_by(self) -> tuple[str | None, str | None]:
        """Names of the dialect and the account, None while they are not known: the first SMS recipient
        settles the dialect, and the account too unless the mail names it.
        """
        return (
            self._domain.dialect.name if self._domain else None,
            self._member.name if self._member else None,
        )

    @property
    def concerns_us(self) -> bool:
        """Whether content must be seen: false for mail without an SMS recipient, which the MTA then carries
        unseen.
        """
        return self._domain is not None or self._held is not None

    # --- the content ----------------------------------------------------------------------------------------

    def header(self, name: str, value: bytes) -> None:
        """One header field as the MTA gives it."""
        self._size += len(name) + len(value) + 4
        if self._size <= self._gate.size_limit:
            self._fields.append((name, value))

    def body(self, chunk: bytes) -> None:
        """Some octets of the body; nothing is kept beyond the size limit."""
        self._size += len(chunk)
        if self._size <= self._gate.size_limit:
            self._body.append(chunk)

    # --- the decision ---------------------------------------------------------------------------------------

    def decide(self, progress: Callable[[], None] | None = None) -> Verdict:
        """The verdict at the end of message. When it claims the mail, the SMS are on stable storage."""
        if self._held is not None:
            return self._refused(self._held)
        domain = self._domain
        if domain is None:
            return self._nobody_left()
        try:
            return self._accept(domain, progress)
        except Refusal as refusal:
            why = domain.dialect.worded(refusal.reply, self._request)
            if self._gate.login_by_client and self._login is not None and domain.dialect.suspicious(why):
                self._count_failure(self._known_as())
            return self._complain(domain, refusal, why, progress)
        except Denied as denied:
            return self._complain(domain, denied, domain.dialect.denied(denied.denial), progress)

    def _accept(self, domain: Domain, progress: Callable[[], None] | None) -> Verdict:
        """The path of a mail; each line is one room of the house."""
        if self._size > domain.size_limit:
            raise Rejected(reply.mail_too_large(domain.size_limit))
        body = b"".join(self._body)
        mail = self._mail = parse_mail(self._fields, body)
        envelope = self._envelope()
        targets = tuple([(recipient, number) for _, recipient, number in self._ours])
        member = self._customer(domain, mail, targets)
        mail = self._mail = settled(mail, member.account.html, domain.dialect.charset)
        limits = self._gate.limits(member.name, domain.dialect)
        context = Context(
            envelope,
            targets,
            member.account,
            domain.options,
            self._clock(),
            self._may_mail(self.sender),
            AccountRecords(self._intake, member.name),
            self._chance,
            self._gate.channels[member.name],
            partial(self._intake.next_number, member.name),
            partial(self._gate.originator, member, unlocked=partial(self._unlocked, member)),
            partial(self._balance, member, limits),
            partial(self._gate.network, member),
        )
        judgements = 1
        while True:
            try:
                return self._taken(domain, mail, body, member, limits, context, progress)
            except RecordChanged:
                if judgements == _MOST_JUDGEMENTS:
                    raise
                judgements += 1

    def _taken(
        self,
        domain: Domain,
        mail: Mail,
        body: bytes,
        member: Member,
        limits: Limits | None,
        context: Context[Any],
        progress: Callable[[], None] | None,
    ) -> Verdict:
        """What the mail asks for, authorised, planned and stored. Raises Refusal and Denied."""
        request = domain.dialect.parse(mail, context)
        if member.account.quiet_hours:
            wishes = quiet.undisturbed(request.wishes, member.account.quiet_hours, self._started)
            request = request._replace(wishes=wishes)
        self._request = request
        results = Results(request, self._authorise(request, member), self._gate.price)
        while True:
            self._refuse(results, member, limits)
            judged = self._judged(domain, mail, member, context.envelope, request, results)
            new = self._new_mail(judged, mail, body, request, limits)
            try:
                if self._gate.shadow:
                    self._rehearse(new)
                    return self._verdict(judged, None)
                return self._verdict(judged, self._intake.put(new, progress))
            except Excess as excess:
                results.leave_out(excess.messages, excess.reply)

    def _refuse(self, results: Results, member: Member, limits: Limits | None) -> None:
        """Raises Refusal: first for a text that nobody can have, then for a used-up quota, then for a
        destination that the others must not be sent without (CLK §13).
        """
        fault = results.fault_of_all()
        if fault is not None:
            raise Rejected(fault)
        if limits is not None and self._login is not None:  # else it was looked at when each recipient came
            self._check_quota(member, limits)
        fault = results.fault()
        if fault is not None:
            raise Rejected(fault)

    def _rehearse(self, new: NewMail) -> None:
        """Raises the Refusal with which the queue would answer."""
        refusal = None if new.limits is None else self._intake.refusal(new)
        if refusal is not None:
            raise refusal

    def _judged(
        self,
        domain: Domain,
        mail: Mail,
        member: Member,
        envelope: Envelope,
        request: SmsRequest,
        results: Results,
    ) -> Plan:
        """The messages that are to be sent, and what is answered."""
        outcome = Outcome(
            envelope, mail, domain.options, request, results.all, self._started, self._gate.price
        )
        left_out: Sequence[LeftOut] = ()
        failed = request.unsendable
        if results.refused and request.keep_left_out:
            failed += tuple([request.wishes[one.place] for one in results.refused])
        elif results.refused:
            left_out = [
                LeftOut(one.written, domain.dialect.worded(one.reply, request).text)
                for one in results.refused
            ]
        answers, listeners = domain.dialect.answer(outcome), request.listeners
        return Plan(
            domain.dialect.name,
            member.name,
            results.messages,
            answers and [one for one in answers if self._may_mail(one.to)],
            request.records,
            listeners and [one for one in listeners if self._may_tell(one)],
            left_out,
            results.unsent if not failed else (*map(unsendable, failed), *results.unsent),
        )

    def _customer(self, domain: Domain, mail: Mail, targets: Targets) -> Member:
        """The account: known since RCPT, or the one that the mail names. Raises Refusal and Denied."""
        known = self._member
        if self._login is None:
            assert known is not None  # a recipient is taken with an account or with a login to come
            return known
        member = self._named(domain, self._login, mail, targets)
        if known is not None and member is not known:
            raise Denied(Denial.OTHER_ACCOUNT, member.name)
        if member.account.require_tls and not self.tls_version:
            raise Rejected(reply.TLS_REQUIRED)
        self._member = member
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
        gate = self._gate
        who = self._known_as() if gate.login_by_client else gate.known_as(given)
        counted = gate.login_rule is not None and who
        if counted and not gate.login_by_client and self._intake.login_blocked(who):
            raise Denied(Denial.BLOCKED)
        try:
            return gate.customer(
                given,
                client=self.client.address,
                sender=self.sender,
                sasl_user=self.sasl_user,
                domains={recipient.domain for _, recipient, _ in self._ours},
                proves_sender=self._login is not None and self._login.proves_sender,
            )
        except Denied as denied:
            if counted and denied.denial in _FAILED:
                self._count_failure(who)
            raise

    def _count_failure(self, who: str) -> None:
        rule = self._gate.login_rule
        if rule is not None and not self._gate.shadow and self._intake.login_failed(who, rule):
            blocked = f"blocked for {rule.block_seconds:.0f} s after {rule.count} failed logins"
            self._journal.warning(line(self.mta_queue_id, login=clean(who), status=blocked))

    def _unlocked(self, member: Member, number: str) -> bool:
        return self._intake.find_record(member.name, UNLOCKED, number) is not None

    def _known_as(self) -> str:
        return f"client {self.client.address}"

    def _authorise(self, request: SmsRequest, member: Member) -> Callable[[Wish], Iterator[Terms]]:
        """The terms of each SMSC that a wish may go by, the preferred one first; they raise Rejected where
        there is none, and Denied.
        """
        gate, account = self._gate, member.account
        own = account.sender_originators.get(self.sender.lower()) or account.default_originator or ""
        unlocked = partial(self._unlocked, member)

        def terms(wish: Wish) -> Iterator[Terms]:
            channel = wish.channel
            gate.check_text(member, wish.text)
            way = gate.way(member, wish.destination, channel)
            if wish.originator is not None or channel == EMAIL:
                wanted = wish.originator or ""
                originator = gate.originator(member, wanted, channel, unlocked=unlocked)
            else:
                originator = own if wish.default_originator is None else wish.default_originator
            append = request.append_text and wish.kind is Kind.TEXT
            languages = gate.languages(member, way) if channel == SMS else ()
            for smsc in way.smscs:
                yield gate.terms(
                    member.name,
                    originator,
                    request.max_parts,
                    append,
                    request.punctuation,
                    languages,
                    smsc,
                    channel,
                    wish.max_parts,
                    way.follows_delivery,
                )

        return terms

    def _new_mail(
        self, judged: Plan, mail: Mail, body: bytes, request: SmsRequest, limits: Limits | None
    ) -> NewMail:
        ours = [recipient.address for _, recipient, _ in self._ours]
        metered = limits is not None and limits.credits is not None
        messages = tuple(
            [self._gate.composed(one, self._started, metered=metered) for one in judged.messages]
        )
        counted = limits is not None and limits.duplicates is not None
        return NewMail(
            messages=messages,
            received_at=self._started,
            account=judged.account,
            dialect=judged.dialect,
            sender=self.sender,
            client=self.client.address,
            mta_queue_id=self.mta_queue_id,
            mail_message_id=_message_id(mail),
            fingerprint=fingerprint(
                self._fields, body, sender=self.sender, recipients=ours, mta_queue_id=self.mta_queue_id
            ),
            limits=limits,
            identity=identity(request, messages) if counted else b"",
            fee=thousandths(request.fee) if request.fee else 0,
            original=self._original(judged),
            answers=judged.answers,
            records=judged.records,
            listeners=judged.listeners,
            left_out=judged.left_out,
            failed=judged.failed,
        )

    def _original(self, judged: Plan) -> Original | None:
        """What reports will repeat; kept only if the sender asks for any."""
        if any(message.notify > Notify.LOST for message in judged.messages):
            return Original(clean(self._envelope_id), header_block(self._fields))
        return None

    def _may_mail(self, address: str) -> bool:
        """Whether mails of ours go there at all: never to where they would become SMS."""
        return self._gate.reports and domain_of(address) not in self._gate.domains

    def _may_tell(self, listener: Listener) -> bool:
        return self._gate.reports if listener.is_url else self._may_mail(listener.target)

    def _envelope(self) -> Envelope:
        return Envelope(
            self.client,
            self.sender,
            tuple([recipient for _, recipient, _ in self._ours]),
            self.sasl_user,
            self.tls_version,
            self.mta_queue_id,
        )

    def _claimed(self, judged: Plan, stored: Stored | None) -> Verdict:
        """Ours now: the MTA drops its copy, or what of it was for us."""
        action = Action.STRIP if self.others else self._gate.claim_all
        ours = tuple([raw for raw, _, _ in self._ours]) if action is Action.STRIP else ()
        return Verdict(action, Stage.EOM, None, ours, judged, stored)

    def _verdict(self, judged: Plan, stored: Stored | None) -> Verdict:
        verdict = self._claimed(judged, stored)
        self._log(verdict)
        if self._gate.shadow:
            return Verdict(Action.PASS, Stage.EOM, plan=judged)
        return verdict

    def _complain(
        self, domain: Domain, cause: Refusal | Denied, why: Reply, progress: Callable[[], None] | None
    ) -> Verdict:
        """Refuse, and tell it by mail where the dialect does so: then the answer is stored first."""
        mail, gate = self._mail, self._gate
        denied = cause if isinstance(cause, Denied) else None
        if mail is None or why.is_temporary or gate.shadow or not gate.reports:
            return self._refused(why, denied)
        told = domain.dialect.complaint(
            Objection(cause, why, self._envelope(), mail, domain.options, self._request)
        )
        if told is None:
            return self._refused(why, denied)
        answers = (told.answer,) if told.answer is not None and self._may_mail(told.answer.to) else ()
        if not (answers or told.instead):
            return self._refused(why, denied)
        judged = Plan(domain.dialect.name, self.judged_by[1] or "", (), answers)
        stored = None
        if answers:
            try:
                stored = self._intake.put(self._new_complaint(judged, mail), progress)
            except Refusal as refusal:
                return self._refused(refusal.reply)
        if not told.instead:
            return self._refused(why, denied)
        self._log(Verdict(Action.REJECT, Stage.EOM, why, plan=judged, stored=stored), denied)
        return self._claimed(judged, stored)

    def _new_complaint(self, judged: Plan, mail: Mail) -> NewMail:
        """Only an answer. Without fingerprint: the same mail may be right when it comes again."""
        return NewMail(
            messages=(),
            received_at=self._started,
            account=judged.account,
            dialect=judged.dialect,
            sender=self.sender,
            client=self.client.address,
            mta_queue_id=self.mta_queue_id,
            mail_message_id=_message_id(mail),
            answers=judged.answers,
        )

    def _refused(self, why: Reply, denied: Denied | None = None) -> Verdict:
        action = Action.DEFER if why.is_temporary else Action.REJECT
        verdict = Verdict(action, Stage.EOM, why)
        self._log(verdict, denied)
        if self._gate.shadow or (self.others and self._gate.bounce_mixed):
            # Our recipients stay in the envelope: the fail-safe route holds or bounces them, the others are
            # served.
            return Verdict(Action.PASS, Stage.EOM)
        return verdict

    def _nobody_left(self) -> Verdict:
        refused = [one.reply for one in self.recipients if one.reply is not None]
        if not refused or self._gate.shadow:
            return Verdict(Action.PASS, Stage.RCPT)
        permanent = any(not why.is_temporary for why in refused)
        return Verdict(Action.REJECT if permanent else Action.DEFER, Stage.RCPT)

    # --- the log --------------------------------------------------------------------------------------------

    def _log_recipient(self, raw: str, why: Reply) -> None:
        try:
            to = self._gate.numbers.address(*parse_path(raw))
        except Refusal:
            to = f"<{clean(raw.strip('<>'))}>"
        self._journal.info(
            line(
                self.mta_queue_id,
                client=f"[{clean(self.client.address)}]",
                from_=self._gate.senders.shown(self.sender),
                to=to,
                account=self._asking.name if self._asking else "-",
                status=f"{'would be ' if self._gate.shadow else ''}refused at RCPT ({why})",
            )
        )

    def _log(self, verdict: Verdict, denied: Denied | None = None) -> None:
        judged = verdict.plan
        stored = verdict.stored
        pairs: dict[str, object] = {
            "client": f"[{clean(self.client.address)}]",
            "from_": self._gate.senders.shown(self.sender),
            "account": self.judged_by[1] or "-",
            "dialect": self.judged_by[0] or "-",
            "nrcpt": len(self._ours),
        }
        if judged is not None:
            pairs["messages"] = len(judged.messages)
            pairs["parts"] = _parts_of(judged.messages)
            if judged.left_out:
                pairs["left_out"] = len(judged.left_out)
            if judged.failed:
                pairs["not_sent"] = len(judged.failed)
            if folded := sum([message.folded for message in judged.messages]):
                pairs["folded"] = folded
        if stored is not None:
            pairs["queue"] = stored.queue_id
        if denied is not None:
            pairs["denied"] = denied
        pairs["size"] = self._size
        pairs["delay"] = f"{self._clock() - self._started:.3f}"
        word = "would be " if self._gate.shadow else ""
        if verdict.reply is not None:
            by_mail = " by mail" if stored is not None else ""
            unsaid = ", nobody is told" if stored is None and judged is not None else ""
            word += f"refused{by_mail} at end of message ({verdict.reply}){unsaid}"
        elif stored is not None and stored.repeat:
            word += f"{verdict.action} (repeat of a stored mail, not sent again)"
        else:
            word += f"{verdict.action} (stored)"
        self._journal.info(line(self.mta_queue_id, **pairs, status=word))


def _message_id(mail: Mail) -> str:
    return clean((mail.first("message-id") or b"").decode("latin-1"))


def _parts_of(messages: Sequence[PlannedMessage]) -> int:
    return sum([len(message.parts) for message in messages])
