"""The path of one mail: recipients as they come, its content, and the decision at the end of message."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sms_milter import metrics, reply
from sms_milter.dialects.context import Context, Objection, Outcome
from sms_milter.errors import Denied, Excess, RecordChanged, Refusal, Rejected
from sms_milter.gate import Domain, Gate
from sms_milter.intake import choice, lines, storing, vouching
from sms_milter.intake.desk import Desk
from sms_milter.intake.dialogue import Dialogue
from sms_milter.intake.proof import Proof
from sms_milter.intake.verdict import Judged, Verdict
from sms_milter.intake.ways import terms_of
from sms_milter.mail.address import domain_of
from sms_milter.mail.parse import Mail
from sms_milter.mail.parse import parse as parse_mail
from sms_milter.mail.proofs import DKIM, SPF
from sms_milter.mail.settled import settled
from sms_milter.model import (
    Action,
    Certificate,
    Client,
    LeftOut,
    Limits,
    Listener,
    NewMail,
    Plan,
    SmsRequest,
    Stage,
    Stored,
)
from sms_milter.policy import quiet, storms
from sms_milter.policy.accounts import Member
from sms_milter.ports import Intake, Journal, Meter
from sms_milter.reply import Reply
from sms_milter.sms.plan import unsendable
from sms_milter.sms.results import Results

NO_CERTIFICATE = Certificate()
_BY_DNS = frozenset({SPF, DKIM})
_MOST_JUDGEMENTS = 5  # of one mail whose records other mails change


class Transaction:
    """One mail, from MAIL to the end of message. `queue_id` may become known late: set `mta_queue_id` when it
    is.
    """

    __slots__ = (
        "_body",
        "_chance",
        "_clock",
        "_envelope_id",
        "_fields",
        "_gate",
        "_held",
        "_intake",
        "_journal",
        "_local",
        "_mail",
        "_meter",
        "_request",
        "_said",
        "_size",
        "_started",
        "mta_queue_id",
        "others",
        "recipients",
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
        certificate: Certificate = NO_CERTIFICATE,
        mta_queue_id: str = "",
        local: bool = False,
        clock: Callable[[], float] = time.time,
        chance: Callable[[int], int] = secrets.randbelow,
        meter: Meter = metrics.UNMETERED,
    ) -> None:
        """`sender` as in MAIL FROM; `local`: injected by sendmail(1), where a refusal at RCPT would jam the
        maildrop; `chance` as in `Context`.
        """
        self._gate, self._intake, self._journal, self._clock = gate, intake, journal, clock
        self._chance, self._meter = chance, meter
        self._local = local
        self._held: Reply | None = None
        self._mail: Mail | None = None  # once it is read
        self._request: SmsRequest | None = None  # once it is understood
        self._fields: list[tuple[str, bytes]] = []
        self._body: list[bytes] = []
        self._size = 0
        self._started = clock()
        self._envelope_id = parameters.get("ENVID", "")
        self._said = Dialogue(
            gate, intake, client, sender, parameters.get("SIZE", ""), sasl_user, tls_version, certificate
        )
        self.mta_queue_id = mta_queue_id
        self.recipients: list[Judged] = []
        self.others = 0

    # --- the envelope ---------------------------------------------------------------------------------------

    def recipient(self, raw: str, parameters: Mapping[str, str]) -> Reply | None:
        """Judge one RCPT; the reply that refuses it, or None when it may pass (ours or not)."""
        domain = self._gate.domains.get(domain_of(raw))
        if domain is None:
            self.others += 1
            self.recipients.append(Judged(raw, ours=False, reply=None))
            return None
        why = None
        try:
            self._said.judge(raw, domain, parameters)
        except Refusal as refusal:
            why = domain.dialect.worded(refusal.reply, None)
            self._meter.count(metrics.REFUSALS, "rcpt", f"{why.code} {why.enhanced}")
            self._journal.info(lines.recipient(self._gate, self._said, self.mta_queue_id, raw, why))
        self.recipients.append(Judged(raw, ours=True, reply=why))
        if why is None or self._gate.shadow:
            return None
        if self._local:
            self._held = self._held or why
            return None
        self._intake.count_refused()
        return why

    @property
    def judged_by(self) -> tuple[str | None, str | None]:
        """Names of the dialect and the account, None while they are not known."""
        domain, member = self._said.domain, self._said.member
        return domain.dialect.name if domain else None, member.name if member else None

    def explained(self) -> list[str]:
        """Why the mail is that account's and no other's, in lines for a person."""
        ours = dict.fromkeys(domain_of(one.raw) for one in self.recipients if one.ours)
        return list(choice.explained(self._gate, self._said.caller, self._said.sender, ours))

    @property
    def concerns_us(self) -> bool:
        """Whether content must be seen: false for mail without an SMS recipient, which the MTA then carries
        unseen.
        """
        return self._said.domain is not None or self._held is not None

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
        domain = self._said.domain
        if domain is None:
            return self._nobody_left()
        try:
            return self._accept(domain, progress)
        except Refusal as refusal:
            why = domain.dialect.worded(refusal.reply, self._request)
            named_itself = self._said.login is not None
            if self._gate.login_by_client and named_itself and domain.dialect.suspicious(why):
                self._proof().count_failure(self._said.known_as)
            return self._complain(domain, refusal, why, progress)
        except Denied as denied:
            return self._complain(domain, denied, domain.dialect.denied(denied.denial), progress)

    def _accept(self, domain: Domain, progress: Callable[[], None] | None) -> Verdict:
        """The path of a mail; each line is one room of the house."""
        if self._size > domain.size_limit:
            raise Rejected(reply.mail_too_large(domain.size_limit))
        gate, said = self._gate, self._said
        body = b"".join(self._body)
        mail = self._mail = parse_mail(self._fields, body)
        targets = said.targets
        member = said.member if said.login is None else self._proof().customer(domain, mail, targets)
        assert member is not None  # a recipient is taken with an account or with a login to come
        if not _BY_DNS.isdisjoint(member.account.require):
            vouching.check_mail(
                gate, member, said.client, said.sender, self._fields, body, spf_holds=said.spf_holds
            )
        mail = self._mail = settled(mail, member.account.html, domain.dialect.charset)
        limits = gate.limits(member.name, domain.dialect)
        desk = Desk(gate, self._intake, member, limits)
        context = Context(
            said.envelope(self.mta_queue_id),
            targets,
            member.account,
            domain.options,
            self._clock(),
            self._may_mail(said.sender),
            desk,
            self._chance,
            gate.channels[member.name],
            desk.number,
            desk.originator,
            desk.balance,
            desk.network,
        )
        judgements = 1
        while True:
            try:
                return self._taken(domain, mail, body, member, desk, limits, context, progress)
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
        desk: Desk,
        limits: Limits | None,
        context: Context[Any],
        progress: Callable[[], None] | None,
    ) -> Verdict:
        """What the mail asks for, authorised, planned and stored. Raises Refusal and Denied."""
        gate, said = self._gate, self._said
        request = domain.dialect.parse(mail, context)
        if limits is not None and limits.storms is not None:
            limits = storms.applying(limits, request.wishes, self._started)
        if member.account.quiet_hours:
            wishes = quiet.undisturbed(request.wishes, member.account.quiet_hours, self._started)
            request = request._replace(wishes=wishes)
        self._request = request
        terms = terms_of(gate, member, said.sender, request, desk.unlocked)
        results = Results(request, terms, gate.price)
        while True:
            self._refuse(results, member, limits)
            judged = self._judged(domain, member, request, results, mail, context)
            new = storing.new_mail(
                gate,
                said,
                judged,
                mail,
                request,
                limits,
                body=body,
                received_at=self._started,
                mta_queue_id=self.mta_queue_id,
                envelope_id=self._envelope_id,
            )
            try:
                if gate.shadow:
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
        if limits is not None and self._said.login is not None:  # else looked at when each recipient came
            self._said.check_quota(member, limits)
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
        member: Member,
        request: SmsRequest,
        results: Results,
        mail: Mail,
        context: Context[Any],
    ) -> Plan:
        """The messages that are to be sent, and what is answered."""
        outcome = Outcome(
            context.envelope, mail, domain.options, request, results.all, self._started, self._gate.price
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

    def _proof(self) -> Proof:
        return Proof(self._gate, self._intake, self._journal, self._meter, self._said, self.mta_queue_id)

    def _may_mail(self, address: str) -> bool:
        """Whether mails of ours go there at all: never to where they would become SMS."""
        return self._gate.reports and domain_of(address) not in self._gate.domains

    def _may_tell(self, listener: Listener) -> bool:
        return self._gate.reports if listener.is_url else self._may_mail(listener.target)

    # --- the verdict ----------------------------------------------------------------------------------------

    def _claimed(self, judged: Plan, stored: Stored | None) -> Verdict:
        """Ours now: the MTA drops its copy, or what of it was for us."""
        action = Action.STRIP if self.others else self._gate.claim_all
        ours = tuple([raw for raw, _, _ in self._said.ours]) if action is Action.STRIP else ()
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
        mail, gate, said = self._mail, self._gate, self._said
        denied = cause if isinstance(cause, Denied) else None
        if mail is None or why.is_temporary or gate.shadow or not gate.reports:
            return self._refused(why, denied)
        envelope = said.envelope(self.mta_queue_id)
        told = domain.dialect.complaint(Objection(cause, why, envelope, mail, domain.options, self._request))
        if told is None:
            return self._refused(why, denied)
        answers = (told.answer,) if told.answer is not None and self._may_mail(told.answer.to) else ()
        if not (answers or told.instead):
            return self._refused(why, denied)
        judged = Plan(domain.dialect.name, self.judged_by[1] or "", (), answers)
        stored = None
        if answers:
            new = storing.new_complaint(
                said, judged, mail, received_at=self._started, mta_queue_id=self.mta_queue_id
            )
            try:
                stored = self._intake.put(new, progress)
            except Refusal as refusal:
                return self._refused(refusal.reply)
        if not told.instead:
            return self._refused(why, denied)
        self._log(Verdict(Action.REJECT, Stage.EOM, why, plan=judged, stored=stored), denied)
        return self._claimed(judged, stored)

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

    def _log(self, verdict: Verdict, denied: Denied | None = None) -> None:
        if verdict.reply is not None and not self._gate.shadow:
            self._intake.count_refused()
        self._count(verdict)
        seconds = self._clock() - self._started
        self._journal.info(
            lines.mail(
                self._gate, self._said, self.mta_queue_id, verdict, denied, size=self._size, seconds=seconds
            )
        )

    def _count(self, verdict: Verdict) -> None:
        repeat = verdict.stored is not None and verdict.stored.repeat
        word = "repeat" if repeat else str(verdict.action)
        dialect = self.judged_by[0] or "-"
        self._meter.count(metrics.MAILS, f"would be {word}" if self._gate.shadow else word, dialect)
        if (why := verdict.reply) is not None:
            self._meter.count(metrics.REFUSALS, "eom", f"{why.code} {why.enhanced}")
