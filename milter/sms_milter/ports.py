"""What the use cases need from the world, as Protocols. Implementations meet them in `roles`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from sms_milter.errors import Refusal
from sms_milter.metrics import Metric
from sms_milter.model import (
    Cancellation,
    Client,
    ComposedPart,
    Conversation,
    CreditRule,
    Deed,
    Done,
    DueReport,
    Handed,
    Heard,
    LeasedPart,
    LinkState,
    LinkStatus,
    LoginRule,
    MobileMessage,
    MobilePart,
    NewMail,
    Outcome,
    PartFate,
    QuotaLeft,
    QuotaRule,
    ReceiptNews,
    Record,
    ReportOutcome,
    Selection,
    Settled,
    SmscLoad,
    Stored,
    WaitingMessage,
    WebAnswer,
)
from sms_milter.policy.rates import Share
from sms_milter.smpp.session import Event, Session


class Meter(Protocol):
    """Counts what happens, for whoever watches; returns at once, any thread may call."""

    def count(self, metric: Metric, *labels: str, by: int = 1) -> None:
        """It happened once more, or `by` times; a value for each of the metric's labels."""

    def took(self, metric: Metric, seconds: float, *labels: str) -> None:
        """It happened, and took so long."""

    def close(self) -> None:
        """The process ends: hand on what is left."""


class Journal(Protocol):
    """The log. One line per decision and outcome; severities have one meaning each.

    info — it happened; warning — someone should look today; error — one mail or part suffered;
    critical — we stop.
    """

    def debug(self, line: str) -> None:
        """For developers; off unless asked for."""

    def info(self, line: str) -> None:
        """It happened."""

    def warning(self, line: str) -> None:
        """Someone should look today."""

    def error(self, line: str) -> None:
        """One mail or part suffered."""

    def critical(self, line: str) -> None:
        """We stop."""


class PasswordCheck(Protocol):
    """Knows right passwords from wrong ones; a hash is slow to verify on purpose."""

    def right(
        self,
        password_hash: str,
        password: str,
        *,
        digest: bool = False,
        client: str = "",
        welcome: Callable[[], None] = ...,
    ) -> bool:
        """Whether `password` is the one that was hashed, or with `digest` its MD5, if the hash allows that.
        With the hash "" it never is, and that takes as long.

        One that has to be verified waits for its turn, behind those of other clients where its `client` was
        wrong lately. When it has come `welcome` is called; what that raises is raised, and Deferred when it
        does not come in time.
        """


class SenderProofs(Protocol):
    """Knows by the DNS for whom a client may send, and who has signed a mail. Raises Deferred when the DNS
    does not answer in time.
    """

    def spf(self, client: Client, sender: str) -> bool:
        """Whether the domain of the envelope sender ("" is the null sender, then that of HELO) lets this
        client send for it (RFC 7208): the result is pass.
        """

    def dkim(self, fields: Sequence[tuple[str, bytes]], body: bytes, domains: Collection[str]) -> bool:
        """Whether one of these domains (lower case) has signed the mail (RFC 6376), all of its body and the
        header fields that `mail.proofs.covers` names. Fields as the MTA gives them.
        """


class Doorbell(Protocol):
    """Wakes a role of this host at once; never blocks, never fails."""

    def ring(self) -> None:
        """New work is committed."""


class IntakeQueue(Protocol):
    """The milter worker's side of the queue. Every method is one transaction; raises QueueUnavailable."""

    def put(self, mails: Sequence[NewMail], now: float) -> list[Stored | Refusal]:
        """Store each mail whole or not at all; durable when this returns.

        A mail whose fingerprint is stored already within the retry window gives `Stored(…, repeat=True)`; one
        beyond its limits gives a `Refusal`, an `Excess` when some of its messages would be taken, and one
        with a record that was written since it was read gives `RecordChanged`; the others of the batch are
        not affected. Nothing is left of what is refused, but that a message refused as part of a flood counts
        as the last one for the pause after it (SMSCentre §12.1).

        Where `limits.storms` is set, a message with a likeness goes at once unless one alike went, or is to
        go, less than the window before (`policy.storms.held_until`): then it is held until the window is
        over. While one is held and nothing of it was ever submitted, those alike are not stored beside it but
        counted in it: it says what the last of them said, with how many they are, and its mail's name stands
        in `Stored.counted_in`. What is counted has no price, and no limit is asked; what is held is no
        duplicate. Messages of one mail are not counted in each other.
        """

    def refusal(self, mail: NewMail, now: float) -> Refusal | None:
        """How `put` would refuse the mail as its limits stand; nothing is changed."""

    def quota_left(self, account: str, sender: str, rule: QuotaRule, now: float) -> QuotaLeft:
        """What the quota of an account and one of its senders leaves."""

    def credit_left(self, account: str, rule: CreditRule) -> int:
        """The account's balance, in thousandths of a credit."""

    def suppressed(self, account: str, number: str) -> bool:
        """Whether a phone has asked for nothing more from an account."""

    def next_number(self, account: str) -> int:
        """A number for a request of the account that brings none: from 1 on, and after 2147483647 from 1
        again. Durable before any mail that is put later.
        """

    def login_failed(self, who: str, rule: LoginRule, now: float) -> bool:
        """Remember a failed login; whether `who` is blocked by it."""

    def login_blocked(self, who: str, now: float) -> bool:
        """Whether `who` may not try to log in now."""

    def count_refused(self, times: int, now: float) -> None:
        """So many more recipients or mails were refused (see `OperatorQueue.flow`)."""

    def find_record(self, account: str, kind: str, name: str, now: float) -> Record | None:
        """What the account's mails have left behind by that name; None if nothing, or if its time is over."""

    def fates(self, account: str, references: Sequence[str]) -> dict[str, list[PartFate]]:
        """The parts, in order, of the account's newest message with each reference; unknown ones are left
        out.
        """


class Intake(Protocol):
    """Where a callback thread leaves a mail: the committer, which groups waiting mails."""

    def put(self, mail: NewMail, progress: Callable[[], None] | None = None) -> Stored:
        """Wait until the mail is durable. Raises Deferred when that cannot be had in time, or
        Rejected/Deferred on quota.

        `progress` is called every few seconds while a commit is under way: the MTA's timer starts anew.
        """

    def refusal(self, mail: NewMail) -> Refusal | None:
        """As `IntakeQueue.refusal`, bounded in time; raises Deferred."""

    def quota_left(self, account: str, sender: str, rule: QuotaRule) -> QuotaLeft:
        """As `IntakeQueue.quota_left`, bounded in time; raises Deferred."""

    def credit_left(self, account: str, rule: CreditRule) -> int:
        """As `IntakeQueue.credit_left`, bounded in time; raises Deferred."""

    def suppressed(self, account: str, number: str) -> bool:
        """As `IntakeQueue.suppressed`, bounded in time; raises Deferred."""

    def next_number(self, account: str) -> int:
        """As `IntakeQueue.next_number`, bounded in time; raises Deferred."""

    def login_failed(self, who: str, rule: LoginRule) -> bool:
        """As `IntakeQueue.login_failed`, bounded in time; raises Deferred."""

    def login_blocked(self, who: str) -> bool:
        """As `IntakeQueue.login_blocked`, bounded in time; raises Deferred."""

    def count_refused(self) -> None:
        """One more recipient or mail was refused: returns at once, counted within seconds."""

    def find_record(self, account: str, kind: str, name: str) -> Record | None:
        """As `IntakeQueue.find_record`, bounded in time; raises Deferred."""

    def fates(self, account: str, references: Sequence[str]) -> dict[str, list[PartFate]]:
        """As `IntakeQueue.fates`, bounded in time; raises Deferred."""


class Work(Protocol):
    """One transaction of the dispatcher: durable together, or not at all."""

    def record(self, outcomes: Sequence[Outcome]) -> list[Settled]:
        """Store outcomes. Returns receipts that had arrived earlier and now found their part.

        A FAILED part takes its siblings that are still QUEUED with it (SMPP §6: do not submit the rest).
        What the SMSC never had of a metered account's message is given back.
        """

    def settle(self, receipts: Sequence[ReceiptNews]) -> list[Settled]:
        """Store receipts; those that match no part yet are parked and returned by a later `record`.

        One with an id that nobody knows settles the only uncertain part for its phone, if there is one.
        """

    def settle_parked(self, since: float) -> list[Settled]:
        """Settle receipts parked since a time whose part is known meanwhile: while one dispatcher stores the
        response, another may park the receipt, and neither sees what the other does.
        """

    def lease(
        self,
        smsc: str,
        bind: str,
        sequences: Sequence[int],
        now: float,
        after: str = "",
        form: str = "",
    ) -> list[LeasedPart]:
        """Mark up to `len(sequences)` due parts of `smsc` as `submitting` on `bind`, each with its sequence
        number.

        Order: priority; within one the accounts share alike, those behind `after` (by name, around) first;
        within an account its own order, due time, age; parts of one message in order. Messages composed for
        another `form` ("": any is right) are not leased but set aside, see `unfit`.
        """

    def listen(self, parts: Sequence[MobilePart]) -> list[Heard]:
        """Store what phones sent; a message is told once all of its parts are there, in whatever order, or an
        hour after the first.
        """

    def reconsider(self, smsc: str, before: float, now: float) -> list[LeasedPart]:
        """Parts of `smsc` that were submitted before a time and are uncertain since, for the first time, are
        queued once more; returns them.
        """

    def cancelled(self, part_id: int, now: float, *, done: bool) -> None:
        """The SMSC has cancelled a part, which has failed by that, or cannot any more."""

    def expire(self, now: float) -> list[LeasedPart]:
        """Mark queued parts whose time is over as `expired` and return them (at most 1000 at a time).

        Messages whose receipts are overdue keep their states, but are reported.
        """

    @property
    def unfit(self) -> bool:
        """Whether a lease has set messages aside that must be composed anew (`Ways.unfit`)."""

    @property
    def ways(self) -> Ways:
        """Messages that go another way."""

    @property
    def reported(self) -> bool:
        """Whether anything done so far has ended a message whose sender is to be told (`ReportQueue`)."""


class Ways(Protocol):
    """Messages that go another way, in a transaction of the dispatcher; what is on the wire is left alone."""

    def promised(self, smsc: str, before: float, limit: int) -> list[WaitingMessage]:
        """Some of the messages of `smsc` whose promise is over by then, the oldest first."""

    def waiting_for(self, smsc: str, limit: int) -> list[WaitingMessage]:
        """Some of the messages with parts that wait for `smsc`."""

    def unfit(self, limit: int) -> list[WaitingMessage]:
        """Some of the messages that a lease has set aside to be composed anew."""

    def smscs(self) -> list[str]:
        """All that parts wait for, configured or not."""

    def move(
        self, message: WaitingMessage, smsc: str, now: float, escalate_at: float | None, why: str
    ) -> None:
        """Its queued parts go to `smsc`, at the place they had in time, with a new promise."""

    def move_accepted(
        self, message: WaitingMessage, smsc: str, now: float, escalate_at: float | None, why: str
    ) -> None:
        """As `move`, and the parts that another SMSC has accepted go once more. Receipts for these still
        find them, and count if they say delivered.
        """

    def postpone(self, message: WaitingMessage, escalate_at: float | None) -> None:
        """Look again at that time whether its promise is kept; None: never."""

    def keep_form(self, message: WaitingMessage, form: str) -> None:
        """Its queued parts go as they are, whatever they were composed for."""

    def refit(self, message: WaitingMessage, form: str, parts: Sequence[ComposedPart], now: float) -> None:
        """`parts`, at most `message.room`, take the place of its parts, all of which must be queued."""


class ReportQueue(Protocol):
    """The report role's side of the queue: its mails, from the end of a message to the MTA's 250.

    Raises QueueUnavailable.
    """

    def due_reports(
        self, now: float, limit: int, *, urls: bool = False, digest_above: int = 0
    ) -> list[DueReport]:
        """Up to `limit` mails that are to be handed to the MTA now, or `urls` that are to be requested; they
        stay due until an outcome is recorded. Delivery status notifications for an envelope sender that are
        more than `digest_above` become one; 0: never.
        """

    def next_report(self, *, urls: bool = False) -> float | None:
        """When the next one falls due (may be in the past); None without any."""

    def record_reports(self, outcomes: Sequence[ReportOutcome]) -> None:
        """Store what became of them, durable together."""


class MobileQueue(Protocol):
    """Messages from phones, from their last part to whom they concern. Raises QueueUnavailable."""

    def due_mobile(self, now: float, limit: int) -> list[MobileMessage]:
        """Up to `limit` that are to be told now, the oldest first."""

    def conversations(self, phone: str, limit: int) -> list[Conversation]:
        """Messages that reached a phone (digits) and that it can answer, newest first."""

    def suppress(self, account: str, number: str, why: str, now: float) -> bool:
        """As `OperatorQueue.suppress`."""

    def unsuppress(self, account: str, number: str) -> bool:
        """As `OperatorQueue.unsuppress`."""

    def mobile_told(self, told: Sequence[tuple[int, NewMail | None]], now: float) -> None:
        """These are done with; the mails that tell of them, answers only, are stored with it."""


class Outbox(Protocol):
    """The way of our own mails to the MTA."""

    def submit(self, recipient: str, mail: bytes, sender: str = "") -> str:
        """Hand over one mail (CR LF line ends), usually with the null sender; the MTA's words of thanks.

        Raises ReportRefused, ReportDeferred, OutboxUnavailable when no mail could be handed over, or
        OutboxSilent when the MTA may have this one.
        """

    def close(self) -> None:
        """Nothing more for now."""


class Web(Protocol):
    """The way to web services."""

    def ask(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> WebAnswer:
        """Make one HTTP request and wait for its answer, whatever its status; redirects are not followed.

        Raises NotSent, or NoAnswer when it may have arrived.
        """


class Outlet(Protocol):
    """What takes the errands of one channel; all methods return at once."""

    @property
    def free(self) -> int:
        """How many more it could work on now."""

    def take(self, part: LeasedPart) -> None:
        """Begin to hand it over."""

    def done(self) -> list[Handed]:
        """What has come of those taken, each once."""


class DispatchQueue(Protocol):
    """The dispatcher's side of the queue. Raises QueueUnavailable."""

    def transaction(self) -> AbstractContextManager[Work]:
        """Everything done inside is committed at its end, or rolled back on an exception."""

    def abandoned(self, smsc: str, owner: str = "", now: float = 0.0) -> list[LeasedPart]:
        """Parts that are still `submitting`, but for those on binds that another than `owner` holds at that
        time. What `owner` does not know of itself is in doubt: the process that had it is gone.
        """

    def submitting_to(self) -> list[str]:
        """The SMSCs and outlets with parts that are still `submitting`, configured or not."""

    def next_due(self, smsc: str) -> float | None:
        """When the next queued part of `smsc` falls due (may be in the past); None without any."""

    def hold_binds(self, smsc: str, binds: int, owner: str, now: float, until: float) -> frozenset[int]:
        """The numbers of 1 to `binds` that `owner` may have until a time: those it has and those that nobody
        else has, or has had renewed in time; not more than its share among all who have asked. To be called
        again well before; what it then may not keep stays its own until the time it was told last. Their
        names (`Link.name`) are SMSC/NUMBER, with -transmitter behind that or not.
        """

    def release_binds(self, owner: str) -> None:
        """Others may have them at once."""

    def hold_rate(self, smsc: str, rate: int, owner: str, now: float, until: float) -> Share:
        """What `owner` may have until a time of the `rate` (parts per second, at least 1) that all who ask
        for it share; to be called again well before, while there is something to send. See `policy.rates`.

        It need not survive the end of the machine.
        """

    def report_links(self, links: Sequence[LinkStatus], now: float) -> None:
        """Leave the state of the links for `sms-milter status`."""

    def report_loads(self, loads: Sequence[SmscLoad], now: float) -> None:
        """Leave what limits each SMSC for `sms-milter status`."""

    def cancellations(self, smsc: str) -> list[Cancellation]:
        """What this SMSC is to be asked to cancel; they stay until `Work.cancelled`."""

    def traced(self, now: float) -> frozenset[str]:
        """The SMSCs whose PDUs an operator wants to see in the log."""

    def purge(self, before: float, limit: int = 1000) -> int:
        """Forget up to `limit` mails that were finished before that time; returns how many."""


class Link(Protocol):
    """One SMPP link with its session; all methods return at once."""

    smsc: str
    name: str
    number: int  # of the bind at its SMSC, from 1 on
    needed: bool  # False while it stands by

    @property
    def session(self) -> Session | None:
        """The session on the present connection, None while there is none."""

    @property
    def state(self) -> LinkState:
        """What the link is doing."""

    def pump(self, now: float) -> list[Event]:
        """Read what has arrived, let time pass; connect when it is time. What came of it."""

    def flush(self) -> None:
        """Write what waits."""

    def deadline(self) -> float | None:
        """When `pump` must be called even if nothing arrives."""

    def watch(self, *, on: bool) -> None:
        """Whether every PDU goes to the log from now on."""

    def permit(self, now: float, *, on: bool) -> None:
        """Whether the bind is ours to have; without that it stays down."""

    def shutdown(self, now: float) -> None:
        """Unbind and stay down; `pump` until the state is DOWN."""

    def status(self, now: float) -> LinkStatus:
        """For `sms-milter status`."""


class OperatorQueue(Protocol):
    """What `sms-milter queue` and `status` read and change. Never the text of a message."""

    def list_parts(self, *, states: Sequence[str] = (), limit: int = 1000) -> list[dict[str, Any]]:
        """Parts, newest first, with state, age, destination, SMSC and ids."""

    def show_mail(self, name: str) -> dict[str, Any] | None:
        """One mail by our queue id or the MTA's, with messages, parts and receipts; of the mail only the one
        message whose client knows it by that name; None if there is none.
        """

    def parked_receipts(self, limit: int = 100) -> list[dict[str, Any]]:
        """Receipts that belong to no part we know, newest first: when, by whom, of what, what they say."""

    def list_mobile(self, limit: int = 1000) -> list[dict[str, Any]]:
        """Messages from phones, newest first: from, to, when, parts, and whether somebody was told."""

    def suppress(self, account: str, number: str, why: str, now: float) -> bool:
        """Send nothing more from an account to a phone; False if that was so already."""

    def unsuppress(self, account: str, number: str) -> bool:
        """It may be written to again; False if it might."""

    def list_suppressed(self, account: str) -> list[dict[str, Any]]:
        """The phones that want nothing more from an account, since when and why, oldest first."""

    def blocks(self, now: float) -> list[dict[str, Any]]:
        """Who may not log in after too many failures, and until when: `who` as the log names it."""

    def lift_block(self, who: str, now: float) -> bool:
        """Let them try again at once; whether they were blocked. What they failed before counts no more."""

    def balances(self) -> dict[str, int]:
        """Thousandths of a credit that are booked, by account; what the configuration gives comes on top."""

    def book(self, account: str, rule: CreditRule, amount: int, note: str, now: float) -> int | None:
        """Add an amount, in thousandths of a credit; the balance after it. None, and nothing done, if an
        amount is taken away that is not there.
        """

    def bookings(self, account: str, limit: int = 100) -> list[dict[str, Any]]:
        """What an account has bought, paid and got back, newest first."""

    def summary(self, now: float, *, backlog: bool = True) -> dict[str, Any]:
        """Counts by state, backlog by priority and age (unless it is not wanted: it costs a step through an
        index for each part), dispatchers, links.
        """

    def flow(self, since: float, until: float) -> list[dict[str, Any]]:
        """What was done in each minute that began within a time, oldest first, none where nothing was:
        `minute` (its beginning) and how many SMS were `stored` (taken from mails), `sent` (an SMSC took
        them), `delivered` and `failed` (or expired, or cancelled), and how many recipients or mails
        `refused`. Counted with the change itself, each SMS by its parts.
        """

    def ages(self, now: float, bounds: Sequence[float]) -> list[dict[str, Any]]:
        """What waits, by `smsc` and `lane`: how many `parts`, and their `ages`, counted between `bounds` (in
        seconds, ascending), the youngest first.

        Lanes of what may go: high, normal, low; again (tried before, released or timed, and soon in one of
        these); the others, of one age: later, held. Costs one step through an index for each part.
        """

    def find_messages(self, name: str, number: str, limit: int) -> list[dict[str, Any]]:
        """The newest messages to numbers that end in these digits (unless ""), or known by a name (unless
        ""): our queue id or the MTA's, the Message-ID, the client's id or ours for the client, the SMSC's for
        a part. Each with its mail, and how many parts are in which of its `states`.

        Where a store has no index for that, only mails among the newest million parts are looked at.
        """

    def show_message(self, message_id: int) -> dict[str, Any] | None:
        """As `show_mail`, of the mail only this message; `message_count` says how many the mail has."""

    def trace(self, smsc: str, until: float) -> None:
        """Log all PDUs of this SMSC until then; a time in the past ends it."""

    def change(self, deed: Deed, wanted: Selection, now: float, after: int = 0) -> Done:
        """Do it to the next parts after that id, a thousand at most, durable together.

        A part that is on the wire is left alone. A cancelled part has failed, its sender is told; what the
        SMSC has is to be cancelled there. A part that is tried again after its end gets its whole validity
        anew, and a new report. Raises QueueUnavailable.
        """
