"""A queue in plain dictionaries: the contract's second store, and a stand-in where a test needs any queue."""

from __future__ import annotations

import contextlib
import copy
import math
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any

from sms_milter import reply
from sms_milter.credits import credits_of
from sms_milter.errors import Excess, RecordChanged, Refusal, Rejected
from sms_milter.model import (
    HELD_UNTIL,
    UNHEARD,
    Cancellation,
    Conversation,
    CreditRule,
    Deed,
    DeliveryReport,
    Digest,
    Done,
    DueReport,
    DuplicateRule,
    FloodRule,
    Heard,
    LeasedPart,
    LeftOut,
    Limits,
    LinkStatus,
    LoginRule,
    MobileMessage,
    MobilePart,
    NewMail,
    NewMessage,
    Notice,
    Notify,
    Outcome,
    PartFate,
    PartState,
    PlannedMessage,
    Priority,
    QuotaLeft,
    QuotaRule,
    ReceiptNews,
    Record,
    ReportOutcome,
    Selection,
    Settled,
    SmscLoad,
    Stored,
)
from sms_milter.policy import quotas
from sms_milter.policy.quiet import Quiet
from sms_milter.policy.rates import SETTLING_SECONDS, Holding, Share, shared
from sms_milter.reply import Limit
from sms_milter.smpp.receipt import other_forms
from support.memory_overview import MemoryOverview
from support.memory_ways import MemoryWays

DAY = 86400.0
WEEK = 7 * DAY
DELAY = 4 * 3600.0
FINAL = (PartState.DELIVERED, PartState.FAILED, PartState.EXPIRED)
LOST = Notify.LOST | Notify.FAILURE


class MemoryQueue(MemoryOverview):
    """All of `ports`' queues; nothing survives the process. Scans everything, always."""

    def __init__(self, *, retry_window_seconds: float = 5 * 86400.0) -> None:
        self._retry_window_seconds = retry_window_seconds
        self._last_id = 0
        self._mails: dict[int, NewMail] = {}
        self._parts: dict[int, dict[str, Any]] = {}
        self._flow: dict[float, Counter[str]] = {}
        self._receipts: list[tuple[int | None, ReceiptNews]] = []
        self._references: dict[tuple[str, str], int] = {}
        self._usage: list[tuple[str, str, float, int]] = []
        self._requests: list[tuple[tuple[str, bytes], float]] = []
        self._runs: dict[tuple[str, str], tuple[float, int]] = {}
        self._storms: dict[Any, dict[str, Any]] = {}
        self._counted: dict[int, tuple[int, int, PlannedMessage]] = {}  # in what, of which mail
        self._suppressed: dict[tuple[str, str], dict[str, Any]] = {}
        self._bookings: list[dict[str, Any]] = []
        self._deposits: dict[str, int] = {}
        self._failures: list[tuple[str, float]] = []
        self._blocks: dict[str, float] = {}
        self._records: dict[tuple[str, str, str], Record] = {}
        self._numbers: dict[str, int] = {}
        self._binds: dict[tuple[str, int], tuple[str, float]] = {}
        self._wishes: dict[str, dict[str, float]] = {}
        self._rates: dict[str, dict[str, Holding]] = {}
        self._loads: list[dict[str, Any]] = []
        self._links: list[dict[str, Any]] = []
        self._traces: dict[str, float] = {}
        self._cancellations: list[int] = []
        self._mobile: dict[int, dict[str, Any]] = {}
        self._reports: list[dict[str, Any]] = []
        self.reported = self.unfit = False
        self.asleep: list[tuple[LeasedPart, float]] = []

    def open(self) -> None:
        """See `Store.open`: it is always open."""

    def close(self) -> None:
        pass

    def free_octets(self) -> int | None:
        return None

    # --- milter workers -------------------------------------------------------------------------------------

    def put(self, mails: Sequence[NewMail], now: float) -> list[Stored | Refusal]:
        return [self._put(mail, now) for mail in mails]

    def put_waiting(self, take: Callable[[], Sequence[NewMail]], now: float) -> list[Stored | Refusal]:
        return self.put(take(), now)

    def _reference(self, originator: str, destination: str) -> int:
        link = (originator, destination)
        self._references[link] = (self._references.get(link, random.randrange(65536) - 1) + 1) % 65536
        return self._references[link]

    def _put(self, mail: NewMail, now: float) -> Stored | Refusal:
        for queue_id, known in reversed(self._mails.items()):
            fresh = known.received_at > now - self._retry_window_seconds
            if mail.fingerprint is not None and known.fingerprint == mail.fingerprint and fresh:
                return Stored(queue_id, repeat=True)
        for record in mail.records:
            known = self.find_record(mail.account, record.kind, record.name, now)
            if (known.written_by if known else 0) != record.written_by:
                return RecordChanged(reply.QUEUE_UNAVAILABLE)
        whole, mail = mail, self._without_counted(mail)
        needed = sum(len(message.parts) for message in mail.messages)
        refusal = self._refusal(mail, now)
        if refusal:
            if isinstance(refusal, Excess) and refusal.reply.limit is Limit.FLOOD:
                self._runs_refused(mail, refusal, now)
            return self._of_whole(refusal, whole, mail)
        self._charge(mail, needed, now)
        queue_id = self._last_id + 1
        self._mails[queue_id] = mail
        self._count_flow("stored", needed + len(mail.failed), now)
        self._count_flow("failed", len(mail.failed), now)
        counted = [(key, one) for one, key in self._alike(whole) if self._carrier(key) is not None]
        if not mail.messages and not mail.failed and not counted:
            self._last_id = queue_id
        for record in mail.records:
            self._records[mail.account, record.kind, record.name] = replace(record, written_by=queue_id)
        for answer in mail.answers:
            self._report(queue_id, None, now, answer)
        for message in mail.messages:
            plan = message.plan
            start = mail.received_at if plan.not_before is None else plan.not_before
            reference = 0
            if plan.concatenation:
                reference = self._reference(plan.originator, plan.destination)
            for number, part in enumerate(message.parts, 1):
                self._last_id += 1
                self._parts[self._last_id] = {
                    "part_id": self._last_id,
                    "queue_id": queue_id,
                    "mta_queue_id": mail.mta_queue_id,
                    "plan": plan,
                    "smsc": plan.smsc,
                    "form": message.form,
                    "room": max(message.room, len(message.parts)),
                    "promise": message.promise,
                    "escalate_at": message.promise and start + message.promise.seconds,
                    "aside": False,
                    "former": [],
                    "concatenation": reference if plan.concatenation else None,
                    "number": number,
                    "total": len(message.parts),
                    "body": part.stamped(reference) if plan.concatenation else part.body,
                    "state": PartState.QUEUED,
                    "due_at": start,
                    "expires_at": message.expires_at,
                    "attempts": 0,
                    "doubts": 0,
                    "bind": None,
                    "sequence": 0,
                    "key": None,
                    "stat": None,
                    "finished_at": None,
                    "submitted_at": 0.0,
                    "command_status": 0,
                    "price": message.price if mail.limits and mail.limits.credits else 0,
                    "had": False,
                    "tried": False,
                }
            self._last_id += max(0, message.room - len(message.parts))
        if mail.limits and mail.limits.credits and (mail.messages or mail.fee):
            cost = sum(message.price * len(message.parts) for message in mail.messages) + mail.fee
            self._book(mail.account, now, -cost, queue_id, f"{needed} SMS" if needed else "request")
        for plan in mail.failed:
            self._last_id += 1
            part = self._parts[self._last_id] = {
                "part_id": self._last_id,
                "queue_id": queue_id,
                "mta_queue_id": mail.mta_queue_id,
                "plan": plan,
                "number": 1,
                "total": 1,
                "body": b"",
                "state": PartState.FAILED,
                "due_at": now,
                "expires_at": now,
                "attempts": 0,
                "doubts": 0,
                "bind": None,
                "sequence": 0,
                "key": None,
                "stat": None,
                "finished_at": now,
                "submitted_at": now,
                "command_status": 0 if plan.unsent else 0x0B,
                "smsc": "",
                "price": 0,
                "had": False,
                "tried": False,
            }
            self._tell(part, PartState.FAILED, now, now, LOST)
        for key, message in counted:
            self._last_id += 1
            self._counted[self._last_id] = (self._storms[key]["held"], queue_id, message.plan)
        return Stored(queue_id, counted_in=self._count_alike(whole, queue_id))

    def _used(self, account: str, sender: str | None, since: float) -> list[tuple[float, int]]:
        return sorted(
            (at, parts)
            for one, by, at, parts in self._usage
            if one == account and at > since and sender in (None, by)
        )

    def _scopes(self, rule: QuotaRule, sender: str) -> list[tuple[str | None, int]]:
        limits = ((None, rule.messages), (sender, rule.of(sender)))
        return [(scope, limit) for scope, limit in limits if limit is not None]

    # --- storms ---------------------------------------------------------------------------------------------

    def _alike(self, mail: NewMail) -> Iterator[tuple[NewMessage, tuple[str, str, bytes] | None]]:
        """The messages with their keys; a second one alike in the mail has none."""
        seen = {None}
        rule = mail.limits and mail.limits.storms
        for message in mail.messages:
            key = (mail.account, message.plan.destination, message.likeness)
            yield message, (None if not rule or not message.likeness or key in seen else key)
            seen.add(key)

    def _carrier(self, key: tuple[str, str, bytes] | None) -> dict[str, Any] | None:
        """The first part of the held message that others can be counted in."""
        held = self._storms[key]["held"] if key in self._storms else None
        first = self._parts.get(held) if held else None
        if first is None or any(
            p["state"] is not PartState.QUEUED or p["bind"] for p in self._message(first)
        ):
            return None
        return first

    def _without_counted(self, mail: NewMail) -> NewMail:
        """What is stored of a mail; what must wait has its time."""
        kept, left_out, at_once = [], list(mail.left_out), False
        for message, key in self._alike(mail):
            carrier = self._carrier(key)
            if carrier is not None:
                why = f"counted in {carrier['queue_id']}"
                left_out.append(LeftOut(message.plan.destination, why))
                continue
            start = mail.received_at if message.plan.not_before is None else message.plan.not_before
            rule, storm = mail.limits and mail.limits.storms, self._storms.get(key)
            until = storm["due_at"] + rule.window_seconds if rule and storm else 0.0
            if rule and start < until <= start + 2 * rule.window_seconds:
                plan = message.plan._replace(not_before=until)
                message = message._replace(plan=plan, expires_at=message.expires_at + until - start)
            else:
                at_once = True
            kept.append(message)
        if tuple(kept) == mail.messages:
            return mail
        mail = mail._replace(messages=tuple(kept), left_out=left_out)
        return mail if at_once else mail._replace(identity=b"")

    def _of_whole(self, refusal: Refusal, whole: NewMail, left: NewMail) -> Refusal:
        if not isinstance(refusal, Excess) or left is whole:
            return refusal
        places = [place for place, (_, key) in enumerate(self._alike(whole)) if not self._carrier(key)]
        return Excess(refusal.reply, frozenset(places[at] for at in refusal.messages))

    def _count_alike(self, mail: NewMail, queue_id: int) -> tuple[int, ...]:
        counted = []
        own = [p for p in self._parts.values() if p["queue_id"] == queue_id and p["number"] == 1]
        for message, key in self._alike(mail):
            carrier = self._carrier(key)
            if carrier is None:
                first = own.pop(0)
                if key is not None:
                    start = message.plan.not_before or mail.received_at
                    held = first["part_id"] if first["due_at"] > start else None
                    self._storms[key] = {"due_at": first["due_at"], "held": held, "alike": 1}
                continue
            storm = self._storms[key]
            storm["alike"] += 1
            plan = carrier["plan"]._replace(text=f"({storm['alike']}x) {message.plan.text}")
            for part in self._message(carrier):
                part.update(plan=plan, form="stale " + part["form"].removeprefix("stale "))
                part["expires_at"] = max(part["expires_at"], message.expires_at)
            counted.append(carrier["queue_id"])
        return tuple(dict.fromkeys(counted))

    def refusal(self, mail: NewMail, now: float) -> Refusal | None:
        left = self._without_counted(mail)
        refusal = self._refusal(left, now)
        return refusal and self._of_whole(refusal, mail, left)

    def _refusal(self, mail: NewMail, now: float) -> Refusal | None:
        limits = mail.limits or Limits()
        unwilling = [
            place
            for place, one in enumerate(mail.messages)
            if limits.suppression and self.suppressed(mail.account, one.plan.destination)
        ]
        if unwilling:
            return Excess(reply.OPTED_OUT, frozenset(unwilling))
        if limits.duplicates and (why := self._duplicate(mail, limits.duplicates, now)):
            return why
        if limits.flood and (why := self._flooded(mail, limits.flood, now)):
            return why
        if limits.quota and (why := self._over_quota(mail, limits.quota, now)):
            return why
        return self._unpaid(mail, limits.credits) if limits.credits else None

    def _unpaid(self, mail: NewMail, rule: CreditRule) -> Refusal | None:
        balance = left = self.credit_left(mail.account, rule)
        excess = []
        for place, message in enumerate(mail.messages):
            price = message.price * len(message.parts)
            if price > left:
                excess.append(place)
            else:
                left -= price
        why = reply.no_credit(credits_of(max(balance, 0)))
        if excess:
            return Excess(why, frozenset(excess))
        return Rejected(why) if mail.fee > max(left, 0) else None

    def credit_left(self, account: str, rule: CreditRule) -> int:
        self._deposits[account] = rule.deposit
        return rule.deposit + sum(one["amount"] for one in self._bookings if one["account"] == account)

    def _book(self, account: str, at: float, amount: int, queue_id: int | None, note: str) -> None:
        what = {"account": account, "at": at, "amount": amount, "queue_id": queue_id, "note": note}
        self._bookings.append({"booking_id": len(self._bookings) + 1, **what})

    def _give_back(self, now: float) -> None:
        """Everything of which the SMSC never had anything."""
        back: Counter[tuple[str, int]] = Counter()
        count: Counter[tuple[str, int]] = Counter()
        for part in self._parts.values():
            lost = part["state"] in (PartState.FAILED, PartState.EXPIRED) and not part["doubts"]
            if part["price"] and lost and not part["had"]:
                whose = (self._mails[part["queue_id"]].account, part["queue_id"])
                back[whose] += part["price"]
                count[whose] += 1
                part.update(price=0, returned=part["price"])
        for (account, queue_id), amount in back.items():
            self._book(account, now, amount, queue_id, f"{count[account, queue_id]} SMS not sent")

    def _pay_again(self, part: dict[str, Any], now: float) -> bool:
        account = self._mails[part["queue_id"]].account
        price = part.pop("returned", 0)
        if price and price > self.credit_left(account, CreditRule(self._deposits[account])):
            part["returned"] = price
            return False
        if price:
            part["price"] = price
            self._book(account, now, -price, part["queue_id"], "1 SMS sent again")
        return True

    def suppressed(self, account: str, number: str) -> bool:
        return (account, number) in self._suppressed

    def suppress(self, account: str, number: str, why: str, now: float) -> bool:
        fresh = not self.suppressed(account, number)
        self._suppressed.setdefault((account, number), {"number": number, "at": now, "why": why})
        return fresh

    def unsuppress(self, account: str, number: str) -> bool:
        return self._suppressed.pop((account, number), None) is not None

    def list_suppressed(self, account: str) -> list[dict[str, Any]]:
        return [one for (whose, _), one in self._suppressed.items() if whose == account]

    def blocks(self, now: float) -> list[dict[str, Any]]:
        lasting = sorted((until, who) for who, until in self._blocks.items() if until > now)
        return [{"who": who, "until": until} for until, who in lasting]

    def lift_block(self, who: str, now: float) -> bool:
        return self._blocks.pop(who, 0.0) > now

    def balances(self) -> dict[str, int]:
        sums: Counter[str] = Counter()
        for one in self._bookings:
            sums[one["account"]] += one["amount"]
        return dict(sums)

    def book(self, account: str, rule: CreditRule, amount: int, note: str, now: float) -> int | None:
        after = self.credit_left(account, rule) + amount
        if after < 0 and amount < 0:
            return None
        self._book(account, now, amount, None, note)
        return after

    def bookings(self, account: str, limit: int = 100) -> list[dict[str, Any]]:
        own = [one for one in reversed(self._bookings) if one["account"] == account]
        return [{name: one[name] for name in one if name != "account"} for one in own[:limit]]

    def _duplicate(self, mail: NewMail, rule: DuplicateRule, now: float) -> Refusal | None:
        same = (mail.account, mail.identity)
        taken = [at for one, at in self._requests if one == same and at > now - rule.window_seconds]
        if not mail.identity or len(taken) < rule.allow:
            return None
        free_at = sorted(taken)[-rule.allow] + rule.window_seconds
        return Rejected(reply.duplicate(rule.allow, rule.window_seconds, free_at))

    def _run_of(self, mail: NewMail, rule: FloodRule, place: int, now: float) -> tuple[tuple[str, str], int]:
        key = (mail.account, "*" if rule.per_account else mail.messages[place].plan.destination)
        at, length = self._runs.get(key, (0.0, 0))
        return key, length if now - at < rule.gap_seconds else 0

    def _flooded(self, mail: NewMail, rule: FloodRule, now: float) -> Refusal | None:
        lengths: Counter[tuple[str, str]] = Counter()
        excess = set()
        for place in range(len(mail.messages)):
            key, length = self._run_of(mail, rule, place, now)
            lengths[key] += 1
            if length + lengths[key] > rule.messages:
                excess.add(place)
        free_at = now + rule.gap_seconds
        why = reply.flood(rule.messages, rule.gap_seconds, free_at, per_account=rule.per_account)
        return Excess(why, frozenset(excess)) if excess else None

    def _runs_refused(self, mail: NewMail, excess: Excess, now: float) -> None:
        assert mail.limits
        assert mail.limits.flood
        for place in excess.messages:
            key, length = self._run_of(mail, mail.limits.flood, place, now)
            self._runs[key] = (now, length)

    def _charge(self, mail: NewMail, needed: int, now: float) -> None:
        limits = mail.limits or Limits()
        if limits.duplicates and mail.identity:
            self._requests.append(((mail.account, mail.identity), now))
        for place in range(len(mail.messages)) if limits.flood else ():
            assert limits.flood
            key, length = self._run_of(mail, limits.flood, place, now)
            self._runs[key] = (now, length + 1)
        if limits.quota:
            self._usage.append((mail.account, mail.sender, now, needed))

    def _over_quota(self, mail: NewMail, rule: QuotaRule, now: float) -> Refusal | None:
        needed = sum(len(message.parts) for message in mail.messages)
        return quotas.refusal_of_all(rule, self._left(mail.account, mail.sender, rule, now, needed), needed)

    def _left(self, account: str, sender: str, rule: QuotaRule, now: float, needed: int) -> list[QuotaLeft]:
        found = []
        for scope, limit in self._scopes(rule, sender):
            since = quotas.since(rule, now)
            used = self._used(account, scope, since)
            left = max(0, limit - sum(parts for _, parts in used))
            free_at = since + rule.period_seconds if rule.fixed else now
            excess = max(1, sum(parts for _, parts in used) + needed - limit)
            for at, parts in () if rule.fixed else used:
                if excess > 0:
                    free_at = at + rule.period_seconds
                excess -= parts
            found.append(QuotaLeft(left, free_at if used else now, limit, scope is not None))
        return found

    def quota_left(self, account: str, sender: str, rule: QuotaRule, now: float) -> QuotaLeft:
        found = self._left(account, sender, rule, now, 1)
        return min(found, key=lambda left: (left.parts, -left.free_at))

    def next_number(self, account: str) -> int:
        self._numbers[account] = self._numbers.get(account, 0) % 2147483647 + 1
        return self._numbers[account]

    def last_number(self, account: str) -> int:
        return self._numbers.get(account, 0)

    def login_failed(self, who: str, rule: LoginRule, now: float) -> bool:
        self._failures.append((who, now))
        if sum(one == who and at > now - rule.within_seconds for one, at in self._failures) < rule.count:
            return False
        self._failures = [failure for failure in self._failures if failure[0] != who]
        self._blocks[who] = max(self._blocks.get(who, 0.0), now + rule.block_seconds)
        return True

    def login_blocked(self, who: str, now: float) -> bool:
        return self._blocks.get(who, 0.0) > now

    def find_record(self, account: str, kind: str, name: str, now: float) -> Record | None:
        known = self._records.get((account, kind, name))
        return known if known and (known.until is None or known.until > now) else None

    def fates(self, account: str, references: Sequence[str]) -> dict[str, list[PartFate]]:
        messages = [
            (part["part_id"], part["part_id"], part["queue_id"], part["plan"])
            for part in self._parts.values()
            if part["number"] == 1
        ]
        messages += [(key, *counted) for key, counted in self._counted.items()]
        return {
            plan.reference: [self._fate(part) for part in self._message(self._parts[about])]
            for _, about, queue_id, plan in sorted(messages, key=lambda one: one[0])
            if plan.reference in references and self._mails[queue_id].account == account
        }

    def _fate(self, part: dict[str, Any]) -> PartFate:
        heard = [receipt for owner, receipt in self._receipts if owner == part["part_id"]]
        newest = max(heard, key=lambda receipt: receipt.at, default=None)
        if newest is None:
            told_at = part["finished_at"] if part["state"] in FINAL else None
        else:
            told_at = newest.at if newest.done_at is None else newest.done_at
        stat, error = (newest.stat, newest.error) if newest else ("", "")
        submitted_at = part["submitted_at"] or None
        return PartFate(part["state"], submitted_at, told_at, stat, error, part["command_status"])

    # --- dispatcher -----------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def transaction(self) -> Iterator[MemoryQueue]:
        before = copy.deepcopy(self.__dict__)
        self.reported = self.unfit = False
        self.asleep = []
        try:
            yield self
        except BaseException:
            self.__dict__ = before
            raise

    def record(self, outcomes: Sequence[Outcome]) -> list[Settled]:
        for outcome in outcomes:
            self._record(outcome, self._parts[outcome.part_id])
        settled = []
        told = {self._parts[outcome.part_id].get("key") for outcome in outcomes if outcome.smsc_key}
        for place, (part_id, receipt) in enumerate(self._receipts):
            awaited = part_id is None and (receipt.smsc, receipt.smsc_key) in told
            if awaited and (found := self._match(receipt)):
                self._receipts[place] = (found["part_id"], receipt)
                settled.append(self._settle(found, receipt))
        return settled

    def _record(self, outcome: Outcome, part: dict[str, Any]) -> None:
        before = part["state"]
        if before in FINAL or before is PartState.ACCEPTED:
            return
        if outcome.late_from and (outcome.late_from != part["smsc"] or before is PartState.SUBMITTING):
            return
        self._count_flow("sent", outcome.state is PartState.ACCEPTED, outcome.at)
        self._count_flow("failed", outcome.state is PartState.FAILED, outcome.at)
        awaited = max(part["expires_at"], outcome.at) + WEEK
        part["command_status"] = outcome.command_status
        match outcome.state:
            case PartState.ACCEPTED:
                if not (part["promise"] and part["promise"].delivered):
                    part["escalate_at"] = None
                end = awaited if part["plan"].receipt else outcome.at
                part.update(finished_at=end, had=True)
            case PartState.FAILED:
                part.update(finished_at=outcome.at, escalate_at=None)
                first = part["part_id"] - part["number"] + 1
                for sibling in range(first, first + part["total"]):
                    if self._parts[sibling]["state"] is PartState.QUEUED:
                        self._parts[sibling].update(state=PartState.FAILED, finished_at=outcome.at)
                        self._count_flow("failed", 1, outcome.at)
                self._tell(part, outcome.state, outcome.at, outcome.at, LOST)
            case PartState.UNCERTAIN if before is PartState.SUBMITTING:
                part.update(finished_at=awaited, escalate_at=None)
            case PartState.QUEUED if before is not PartState.QUEUED:
                part.update(due_at=outcome.due_at, finished_at=None, tried=True)
                if outcome.elsewhere and part["promise"]:
                    part["escalate_at"] = outcome.at
                part["attempts"] += outcome.counts
                part["doubts"] += outcome.doubt
            case _:
                return
        part["state"] = outcome.state
        if outcome.smsc_key and outcome.state is not PartState.FAILED:
            part["key"] = (part["smsc"], outcome.smsc_key)
        self._give_back(outcome.at)
        if outcome.state in (PartState.ACCEPTED, PartState.QUEUED):
            event = Notify.SENT if outcome.state is PartState.ACCEPTED else Notify.RETRY
            self._tell_on_the_way(part, event, outcome.at)

    def settle_parked(self, since: float) -> list[Settled]:
        settled = []
        for place, (part_id, receipt) in enumerate(self._receipts):
            if part_id is None and receipt.at >= since and (found := self._match(receipt)):
                self._receipts[place] = (found["part_id"], receipt)
                settled.append(self._settle(found, receipt))
        return settled

    def settle(self, receipts: Sequence[ReceiptNews]) -> list[Settled]:
        settled = []
        for receipt in receipts:
            part = self._match(receipt)
            if part:
                settled.append(self._settle(part, receipt))
            self._receipts = [
                (part_id, kept)
                for part_id, kept in self._receipts
                if part_id is not None or kept.at >= receipt.at - WEEK
            ]
            self._receipts.append((part and part["part_id"], receipt))
        return settled

    def _match(self, receipt: ReceiptNews) -> dict[str, Any] | None:
        phone = "".join(filter(str.isdigit, receipt.source))
        key = (receipt.smsc, receipt.smsc_key)
        found = [part for part in self._parts.values() if part["key"] == key]
        found = found or [part for part in self._parts.values() if key in part["former"]]
        if not found:
            same = [part for part in self._parts.values() if part["plan"].destination == phone]
            forms = [(receipt.smsc, form) for form in other_forms(receipt.smsc_message_id)]
            like = [part for part in same if part["key"] in forms]
            found = like if len(like) == 1 else []
        if not found and (only := self._only_uncertain(receipt, phone)):
            only["key"] = key
            found = [only]
        return max(
            found,
            key=lambda part: (part["plan"].destination == phone, part["part_id"]),
            default=None,
        )

    def _only_uncertain(self, receipt: ReceiptNews, phone: str) -> dict[str, Any] | None:
        same = [
            part
            for part in self._parts.values()
            if part["smsc"] == receipt.smsc and part["plan"].destination == phone
        ]
        if any(part["state"] is PartState.SUBMITTING for part in same):
            return None
        doubtful = [
            part
            for part in same
            if part["state"] is PartState.UNCERTAIN and part["submitted_at"] <= receipt.at
        ]
        quoted = receipt.text.rstrip(".").strip()
        if len(doubtful) != 1 or not doubtful[0]["plan"].text.startswith(quoted):
            return None
        return doubtful[0]

    def _settle(self, part: dict[str, Any], receipt: ReceiptNews) -> Settled:
        former = part["key"] != (receipt.smsc, receipt.smsc_key) and receipt.state is not PartState.DELIVERED
        changed = (
            not former
            and part["state"] not in FINAL
            and (receipt.state is not None or part["stat"] != receipt.stat)
        )
        if changed:
            part["stat"] = receipt.stat
            if receipt.state:
                part.update(state=receipt.state, finished_at=receipt.at, escalate_at=None)
                end = "delivered" if receipt.state is PartState.DELIVERED else "failed"
                self._count_flow(end, 1, receipt.at)
                told = Notify.FAILURE
                if receipt.state is PartState.DELIVERED:
                    told = Notify.SUCCESS
                    if any(one["state"] is not PartState.DELIVERED for one in self._message(part)):
                        told = Notify.NEVER
                at = receipt.at if receipt.done_at is None else receipt.done_at
                self._tell(part, receipt.state, at, receipt.at, told, receipt.stat, receipt.error)
            elif not self._has_ended(part):
                at = receipt.at if receipt.done_at is None else receipt.done_at
                event = Notify.PENDING
                self._tell(part, part["state"], at, receipt.at, event, receipt.stat, receipt.error, event)
        names = ("queue_id", "mta_queue_id", "destination", "number", "total")
        plain = {**part, "destination": part["plan"].destination}
        return Settled(**{name: plain[name] for name in names}, receipt=receipt, changed=changed)

    def _leased(self, part: dict[str, Any]) -> LeasedPart:
        names = ("part_id", "queue_id", "mta_queue_id", "number", "total", "body", "attempts", "doubts")
        return LeasedPart(
            **{name: part[name] for name in names},
            destination=part["plan"].destination,
            received_at=self._mails[part["queue_id"]].received_at,
            expires_at=part["expires_at"],
            sequence=part["sequence"],
            account=self._mails[part["queue_id"]].account,
            promised=part["promise"] is not None,
        )

    def _queued(self) -> list[dict[str, Any]]:
        return [part for part in self._parts.values() if part["state"] is PartState.QUEUED]

    def lease(
        self,
        smsc: str,
        bind: str,
        sequences: Sequence[int],
        now: float,
        after: str = "",
        form: str = "",
        quiet: Quiet | None = None,
    ) -> list[LeasedPart]:
        due = [
            part
            for part in self._queued()
            if part["smsc"] == smsc and part["due_at"] <= now < part["expires_at"] and not part["aside"]
        ]
        taken = self._in_turn(due, len(sequences), after)
        for part in taken:
            if form and part["form"] not in ("", form):
                self.unfit = True
                for sibling in self._message(part):
                    sibling["aside"] = sibling["state"] is PartState.QUEUED
        fit = [part for part in taken if not part["aside"]]
        for part in list(fit) if quiet else ():
            assert quiet is not None
            until = quiet(self._mails[part["queue_id"]].account, part["plan"].destination, now)
            begun = any(one["state"] is not PartState.QUEUED for one in self._message(part))
            if until is not None and not begun and now < until < part["expires_at"]:
                self.asleep.append((self._leased(part), until))
                part.update(due_at=until, why="quiet hours")
                if part.get("escalate_at") is not None:
                    part["escalate_at"] += until - now
                fit.remove(part)
        chosen = list(zip(fit, sequences, strict=False))
        for part, sequence in chosen:
            part.update(state=PartState.SUBMITTING, bind=bind, sequence=sequence, submitted_at=now)
        return [self._leased(part) for part, _ in chosen]

    @property
    def ways(self) -> MemoryWays:
        return MemoryWays(self._parts, self._reference)

    def _in_turn(self, due: list[dict[str, Any]], count: int, after: str) -> list[dict[str, Any]]:
        chosen: list[dict[str, Any]] = []
        for priority in Priority:
            lines: dict[str, list[dict[str, Any]]] = {}
            for part in sorted(due, key=lambda part: (_order(part)[1], part["due_at"], part["part_id"])):
                if _order(part)[0] is priority:
                    lines.setdefault(self._mails[part["queue_id"]].account, []).append(part)
            names = sorted(lines, key=lambda name: (name <= after, name))[: count - len(chosen)]
            dealt = dict.fromkeys(names, 0)
            hungry = names
            while hungry and len(chosen) + sum(dealt.values()) < count:
                share, more = divmod(count - len(chosen) - sum(dealt.values()), len(hungry))
                for number, name in enumerate(hungry):
                    dealt[name] = min(len(lines[name]), dealt[name] + share + (number < more))
                hungry = [name for name in hungry if dealt[name] < len(lines[name])]
            chosen += [part for name in names for part in lines[name][: dealt[name]]]
        return chosen

    def reconsider(self, smsc: str, before: float, now: float) -> list[LeasedPart]:
        doubtful = [
            part
            for part in self._parts.values()
            if part["state"] is PartState.UNCERTAIN and part["smsc"] == smsc and not part["doubts"]
            if part["submitted_at"] <= before and part["expires_at"] > now
        ]
        for part in doubtful:
            part.update(state=PartState.QUEUED, due_at=now, doubts=1, finished_at=None)
        return [self._leased(part) for part in doubtful]

    def expire(self, now: float) -> list[LeasedPart]:
        self._look_for_overdue(now)
        over = [part for part in self._queued() if part["expires_at"] <= now][:1000]
        for part in over:
            part.update(state=PartState.EXPIRED, finished_at=now, sequence=0, escalate_at=None)
            self._tell(part, PartState.EXPIRED, now, now, LOST)
        self._give_back(now)
        self._count_flow("failed", len(over), now)
        return [self._leased(part) for part in over]

    def listen(self, parts: Sequence[MobilePart]) -> list[Heard]:
        heard = [self._listen(part) for part in parts]
        self.reported |= any(one.arrived == one.part.total for one in heard)
        return heard

    def _listen(self, part: MobilePart) -> Heard:
        key = (part.smsc, part.source, part.destination, part.width, part.reference, part.total)
        for mobile_id, one in reversed(self._mobile.items()):
            if part.total == 1 or one["key"] != key or one["at"] <= part.at - 3600:
                continue
            known = one["parts"].get(part.number)
            if known is None:
                one["parts"][part.number] = part.content
                if len(one["parts"]) == part.total:
                    one["due_at"] = part.at
            elif known != part.content:
                break
            return Heard(mobile_id, part, len(one["parts"]), repeat=known is not None)
        mobile_id = len(self._mobile) + 1
        due_at = part.at if part.total == 1 else part.at + 3600
        arrived = {part.number: part.content}
        more = {"first": part, "at": part.at, "due_at": due_at, "told": False}
        self._mobile[mobile_id] = {"key": key, "parts": arrived, **more}
        return Heard(mobile_id, part, 1)

    def due_mobile(self, now: float, limit: int) -> list[MobileMessage]:
        due = [
            (one["due_at"], mobile_id)
            for mobile_id, one in self._mobile.items()
            if not one["told"] and one["due_at"] <= now
        ]
        return [self._mobile_message(mobile_id) for _, mobile_id in sorted(due)[:limit]]

    def _mobile_message(self, mobile_id: int) -> MobileMessage:
        one = self._mobile[mobile_id]
        first = one["first"]
        parts = tuple(one["parts"].get(number) for number in range(1, first.total + 1))
        return MobileMessage(
            mobile_id, first.smsc, first.source, first.destination, first.alphabet, parts, first.at
        )

    def conversations(self, phone: str, limit: int) -> list[Conversation]:
        found = []
        for part in reversed(self._parts.values()):
            plan, mail = part["plan"], self._mails[part["queue_id"]]
            answerable = not plan.originator or plan.originator[0] in "+0123456789"
            reached = part["state"] in (PartState.ACCEPTED, PartState.UNCERTAIN, PartState.DELIVERED)
            if part["number"] == 1 and plan.destination == phone and answerable and reached:
                found.append(
                    Conversation(
                        part["queue_id"],
                        mail.mta_queue_id,
                        mail.account,
                        mail.dialect,
                        mail.sender,
                        plan.recipient,
                        plan.originator,
                        plan.reference,
                        mail.mail_message_id,
                    )
                )
        return found[:limit]

    def mobile_told(self, told: Sequence[tuple[int, NewMail | None]], now: float) -> None:
        for mobile_id, mail in told:
            self._mobile[mobile_id]["told"] = True
            if mail is not None:
                self._put(mail, now)

    def parked_receipts(self, limit: int = 100) -> list[dict[str, Any]]:
        names = ("at", "done_at", "smsc", "smsc_message_id", "source", "stat", "error")
        return [
            {name: getattr(receipt, name) for name in names}
            for part_id, receipt in reversed(self._receipts)
            if part_id is None
        ][:limit]

    def list_mobile(self, limit: int = 1000) -> list[dict[str, Any]]:
        shown = []
        for mobile_id, one in reversed(self._mobile.items()):
            first, arrived = one["first"], len(one["parts"])
            state = "told" if one["told"] else "incomplete" if arrived < first.total else "waiting"
            who = {"smsc": first.smsc, "source": first.source, "destination": first.destination}
            more = {"parts": first.total, "arrived": arrived, "state": state}
            shown.append({"mobile_id": mobile_id, "at": first.at, **who, **more})
        return shown[:limit]

    def abandoned(self, smsc: str, owner: str = "", now: float = 0.0) -> list[LeasedPart]:
        others = {
            f"{name}/{number}{suffix}"
            for (name, number), (who, until) in self._binds.items()
            for suffix in ("", "-transmitter")
            if who != owner and until > now
        }
        return [
            self._leased(part)
            for part in self._parts.values()
            if part["state"] is PartState.SUBMITTING and part["smsc"] == smsc and part["bind"] not in others
        ]

    def submitting_to(self) -> list[str]:
        return sorted({p["smsc"] for p in self._parts.values() if p["state"] is PartState.SUBMITTING})

    def next_due(self, smsc: str) -> float | None:
        return min((part["due_at"] for part in self._queued() if part["smsc"] == smsc), default=None)

    def report_loads(self, loads: Sequence[SmscLoad], now: float) -> None:
        self._loads = [{**asdict(load), "reported_at": now} for load in loads]

    def hold_binds(self, smsc: str, binds: int, owner: str, now: float, until: float) -> frozenset[int]:
        wishes = self._wishes.setdefault(smsc, {})
        wishes[owner] = until
        most = math.ceil(binds / sum(end > now for end in wishes.values()))
        numbers = range(1, binds + 1)
        had = [number for number in numbers if self._binds.get((smsc, number), ("", 0))[0] == owner]
        held: set[int] = set()
        for number in [*had, *numbers]:
            other, over = self._binds.get((smsc, number), (owner, now))
            if number not in held and len(held) < most and (other == owner or over <= now):
                self._binds[smsc, number] = (owner, until)
                held.add(number)
        return frozenset(held)

    def release_binds(self, owner: str) -> None:
        self._binds = {key: value for key, value in self._binds.items() if value[0] != owner}
        for wishes in self._wishes.values():
            wishes.pop(owner, None)

    def hold_rate(self, smsc: str, rate: int, owner: str, now: float, until: float) -> Share:
        of_smsc = self._rates.setdefault(smsc, {})
        held, share = shared(
            rate, owner, [one for one in of_smsc.values() if one.until > now - SETTLING_SECONDS], now, until
        )
        of_smsc[owner] = held
        return share

    def report_links(self, links: Sequence[LinkStatus], now: float) -> None:
        self._links = [
            {"smsc": link.smsc, "bind": link.bind, "state": link.state.value, "reported_at": now}
            for link in links
        ]

    def purge(self, before: float, limit: int = 1000) -> int:
        self._forget_flow(before)
        self._mobile = {key: one for key, one in self._mobile.items() if one["at"] >= before}
        gone = []
        for queue_id in self._mails:
            parts = [part for part in self._parts.values() if part["queue_id"] == queue_id]
            carriers = [into for into, counted, _ in self._counted.values() if counted == queue_id]
            parts += [self._parts[into] for into in carriers if not parts and into in self._parts]
            told = all(one["finished"] for one in self._reports if one["queue_id"] == queue_id)
            if told and all(p["finished_at"] is not None and p["finished_at"] < before for p in parts):
                gone.append(queue_id)
        for queue_id in gone[:limit]:
            del self._mails[queue_id]
        self._parts = {key: part for key, part in self._parts.items() if part["queue_id"] in self._mails}
        self._counted = {key: one for key, one in self._counted.items() if one[1] in self._mails}
        self._receipts = [
            (part_id, receipt)
            for part_id, receipt in self._receipts
            if part_id in self._parts or (part_id is None and receipt.at >= before - WEEK)
        ]
        return len(gone[:limit])

    def _has_ended(self, part: dict[str, Any]) -> bool:
        first = part["part_id"] - part["number"] + 1
        told = any(one["message_id"] == first and not one["event"] for one in self._reports)
        return told or any(
            one["state"] in (PartState.FAILED, PartState.EXPIRED) for one in self._message(part)
        )

    # --- reports --------------------------------------------------------------------------------------------

    def _message(self, part: dict[str, Any]) -> list[dict[str, Any]]:
        first = part["part_id"] - part["number"] + 1
        return [self._parts[part_id] for part_id in range(first, first + part["total"])]

    def _report(self, queue_id: int, message_id: int | None, now: float, content: Any, **more: Any) -> None:
        told = {"queue_id": queue_id, "message_id": message_id, "created_at": now, "due_at": now}
        more = {"report_id": len(self._reports) + 1, "attempts": 0, "finished": False, **more}
        self._reports.append({"event": None, "listener": None, **told, **more, "content": content})

    def _tell(
        self,
        part: dict[str, Any],
        state: PartState,
        at: float,
        now: float,
        told: Notify,
        stat: str = "",
        error: str = "",
        event: Notify = Notify.NEVER,
    ) -> None:
        """Whoever wants to hear one of `told` does, once, of the message and of those counted in it; `event`
        is NEVER for the end of a message.
        """
        first = part["part_id"] - part["number"] + 1
        ended = state in (PartState.FAILED, PartState.EXPIRED)
        of_the_smsc = (ended or event is Notify.DELAYED) and not stat
        facts = {
            "state": state,
            "smsc": part["smsc"],
            "stat": stat,
            "error": error,
            "command_status": (part["command_status"] if of_the_smsc else 0) or 0,
            "at": at,
            "parts": part["total"],
            "on_the_way": event,
            "cancelled": ended and of_the_smsc and part["command_status"] is None,
            "doubts": max(one["doubts"] for one in self._message(part)),
        }
        self._tell_of(first, part["queue_id"], part["plan"], facts, told, now)
        for message_id, (into, queue_id, plan) in self._counted.items():
            if into == first:
                self._tell_of(message_id, queue_id, plan, facts, told, now)

    def _tell_of(
        self,
        message_id: int,
        queue_id: int,
        plan: PlannedMessage,
        facts: dict[str, Any],
        told: Notify,
        now: float,
    ) -> None:
        """The same facts of one message of them."""
        mail, event = self._mails[queue_id], facts["on_the_way"]
        report = DeliveryReport(
            sender=mail.sender,
            recipient=plan.recipient,
            destination=plan.destination,
            arrived_at=mail.received_at,
            original_recipient=plan.original_recipient,
            envelope_id=mail.original.envelope_id if mail.original else "",
            header=mail.original.header if mail.original else b"",
            originator=plan.originator,
            reference=plan.reference,
            public_id=plan.public_id,
            **facts,
        )
        hearing = [(None, plan.notify)] + [(one, plan.notice & one.told) for one in mail.listeners]
        known = {(one["listener"], one["event"]) for one in self._reports if one["message_id"] == message_id}
        for listener, wanted in hearing:
            if wanted & told and (listener, event) not in known:
                due_at = now + (listener.gather_seconds if listener else 0.0)
                more = {"due_at": due_at, "event": event, "listener": listener}
                self._report(queue_id, message_id, now, report, **more)
                self.reported = True

    def _tell_on_the_way(self, part: dict[str, Any], event: Notify, at: float) -> None:
        taken = (PartState.ACCEPTED, PartState.DELIVERED)
        if event is Notify.RETRY or all(one["state"] in taken for one in self._message(part)):
            self._tell(part, part["state"], at, at, event, event=event)

    def _look_for_overdue(self, now: float) -> None:
        for part in self._parts.values():
            message = self._message(part)
            states = {one["state"] for one in message}
            plan = part["plan"]
            start = self._mails[part["queue_id"]].received_at if plan.not_before is None else plan.not_before
            if part["state"] in (PartState.QUEUED, PartState.SUBMITTING) and start + DELAY <= now:
                event = Notify.DELAYED
                self._tell(part, part["state"], now, now, event, event=event)
            open_ = states & {PartState.QUEUED, PartState.SUBMITTING, PartState.FAILED, PartState.EXPIRED}
            silent = part["state"] in (PartState.ACCEPTED, PartState.UNCERTAIN)
            validity = part["plan"].validity_seconds
            patience = (2 * DAY if validity is None else validity) + DAY
            if silent and not open_ and part["submitted_at"] + patience <= now:
                self._tell(part, part["state"], part["submitted_at"], now, Notify.FAILURE)

    def due_reports(
        self, now: float, limit: int, *, urls: bool = False, digest_above: int = 0
    ) -> list[DueReport]:
        due = [one for one in self._waiting(urls) if one["due_at"] <= now]
        due.sort(key=lambda one: one["due_at"])
        taken: list[int] = []
        found = []
        for one in due[:limit]:
            if one["report_id"] not in taken:
                group = self._gathered(one, due, digest_above)
                taken += [member["report_id"] for member in group]
                found.append(self._due(group))
        return found

    def _waiting(self, urls: bool) -> list[dict[str, Any]]:
        return [one for one in self._reports if not one["finished"] and urls == self._is_url(one)]

    def _is_url(self, one: dict[str, Any]) -> bool:
        return bool(one["listener"] and one["listener"].is_url)

    def _gathered(
        self, one: dict[str, Any], due: list[dict[str, Any]], digest_above: int
    ) -> list[dict[str, Any]]:
        sender = self._mails[one["queue_id"]].sender
        same = [
            other
            for other in due
            if isinstance(other["content"], DeliveryReport)
            and other["listener"] is None
            and self._mails[other["queue_id"]].sender == sender
        ]
        if digest_above and one in same and len(same) > digest_above:
            return same
        if one["listener"] is None or not one["listener"].gather_seconds:
            return [one]
        same = ("queue_id", "listener")
        return [other for other in self._waiting(False) if all(other[name] == one[name] for name in same)]

    def _due(self, group: list[dict[str, Any]]) -> DueReport:
        one, *others = group
        mail = self._mails[one["queue_id"]]
        content = one["content"]
        if one["listener"]:
            news = tuple(member["content"] for member in group)
            content = Notice(mail.dialect, one["listener"].target, news)
        elif others:
            content = Digest(tuple(member["content"] for member in group))
        names = ("report_id", "queue_id", "created_at", "attempts")
        same_mail = len({member["queue_id"] for member in group}) == 1
        return DueReport(
            **{name: one[name] for name in names},
            mta_queue_id=mail.mta_queue_id,
            mail_message_id=mail.mail_message_id if same_mail else "",
            account=mail.account,
            content=content,
            more=tuple(other["report_id"] for other in others),
        )

    def next_report(self, *, urls: bool = False) -> float | None:
        return min((one["due_at"] for one in self._waiting(urls)), default=None)

    def record_reports(self, outcomes: Sequence[ReportOutcome]) -> None:
        for outcome in outcomes:
            report = self._reports[outcome.report_id - 1]
            if outcome.again_at is None:
                report["finished"] = True
            else:
                report["due_at"] = outcome.again_at
                report["attempts"] += 1

    # --- operators ------------------------------------------------------------------------------------------

    def _shown(self, part: dict[str, Any]) -> dict[str, Any]:
        names = ("part_id", "queue_id", "mta_queue_id", "number", "total", "bind", "sequence", "attempts")
        mail = self._mails[part["queue_id"]]
        return {
            **{name: part[name] for name in (*names, "due_at", "expires_at", "stat")},
            "state": part["state"].value,
            "destination": part["plan"].destination,
            "smsc": part["smsc"],
            "public_id": part["plan"].public_id or None,
            "account": mail.account,
            "received_at": mail.received_at,
        }

    def list_parts(self, *, states: Sequence[str] = (), limit: int = 1000) -> list[dict[str, Any]]:
        shown = [self._shown(part) for part in reversed(self._parts.values())]
        return [part for part in shown if not states or part["state"] in states][:limit]

    def show_mail(self, name: str) -> dict[str, Any] | None:
        for queue_id, mail in reversed(self._mails.items()):
            whole = name in (str(queue_id), mail.mta_queue_id)
            if whole or name in [message.plan.public_id for message in mail.messages]:
                messages: dict[int, dict[str, Any]] = {}
                for part in self._parts.values():
                    if part["queue_id"] == queue_id and (whole or part["plan"].public_id == name):
                        plan = part["plan"]
                        shown = {**self._shown(part), "receipts": self._stats(part["part_id"])}
                        fields = {"destination": plan.destination, "kind": plan.kind.value, "parts": []}
                        fields["comment"] = plan.comment or None
                        fields["public_id"] = plan.public_id or None
                        message = messages.setdefault(id(plan), fields)
                        message["parts"].append(shown)
                return {
                    "queue_id": queue_id,
                    "mta_queue_id": mail.mta_queue_id,
                    "account": mail.account,
                    "sender": mail.sender,
                    "messages": list(messages.values()),
                    "left_out": [{"destination": one.destination, "why": one.why} for one in mail.left_out],
                }
        return None

    def trace(self, smsc: str, until: float) -> None:
        self._traces[smsc] = until

    def traced(self, now: float) -> frozenset[str]:
        return frozenset(smsc for smsc, until in self._traces.items() if until > now)

    def change(self, deed: Deed, wanted: Selection, now: float, after: int = 0) -> Done:
        changed, meant_all = [], []
        for part in self._parts.values():
            plan, mail = part["plan"], self._mails[part["queue_id"]]
            meant = (
                part["part_id"] > after
                and wanted.name in ("", str(part["queue_id"]), part["mta_queue_id"], plan.public_id)
                and wanted.account in ("", mail.account)
                and wanted.smsc in ("", part["smsc"])
                and plan.destination.startswith(wanted.destination)
                and wanted.state in (None, part["state"])
                and wanted.message_id in (None, part["part_id"] - part["number"] + 1)
            )
            if meant:
                meant_all.append(part)
            if meant and self._do(deed, part, now):
                changed.append(part)
        if deed is Deed.CANCEL:
            self._count_flow("failed", len(changed), now)
            for part in changed:
                part["command_status"] = None
                self._tell(part, PartState.FAILED, now, now, LOST)
        self._give_back(now)
        asked = []
        if deed is Deed.CANCEL:
            asked = [part for part in meant_all if self._ask_to_cancel(part)]
        return Done([self._leased(part) for part in changed], None, [self._leased(part) for part in asked])

    def _ask_to_cancel(self, part: dict[str, Any]) -> bool:
        known = part["part_id"] in self._cancellations
        if part["state"] is not PartState.ACCEPTED or known or not (part["key"] and part["plan"].receipt):
            return False
        self._cancellations.append(part["part_id"])
        return True

    def cancellations(self, smsc: str) -> list[Cancellation]:
        parts = [self._parts[part_id] for part_id in self._cancellations]
        return [
            Cancellation(self._leased(part), part["key"][1].upper())
            for part in parts
            if part["state"] is PartState.ACCEPTED and part["plan"].smsc == smsc
        ]

    def cancelled(self, part_id: int, now: float, *, done: bool) -> None:
        self._cancellations.remove(part_id)
        part = self._parts[part_id]
        if done and part["state"] is PartState.ACCEPTED:
            part |= {"state": PartState.FAILED, "finished_at": now}
            self._count_flow("failed", 1, now)
            self._tell(part, PartState.FAILED, now, now, LOST)

    def _do(self, deed: Deed, part: dict[str, Any], now: float) -> bool:
        held = part["due_at"] == HELD_UNTIL
        queued = part["state"] is PartState.QUEUED
        if deed is Deed.HOLD and queued and not held:
            part["due_at"] = HELD_UNTIL
        elif deed is Deed.RELEASE and queued and held:
            part["due_at"] = max(now, part["plan"].not_before or 0)
        elif deed is Deed.CANCEL and queued:
            part |= {"state": PartState.FAILED, "finished_at": now}
        elif deed is Deed.RETRY and queued and not held and part["due_at"] > now and part["tried"]:
            part["due_at"] = now
        elif deed is Deed.RETRY and part["state"] in (
            PartState.UNCERTAIN,
            PartState.FAILED,
            PartState.EXPIRED,
        ):
            if not self._pay_again(part, now):
                return False
            start = part["plan"].not_before or self._mails[part["queue_id"]].received_at
            again = now + part["expires_at"] - start
            part |= {"state": PartState.QUEUED, "due_at": now, "expires_at": again, "attempts": 0}
            part |= {"doubts": 0, "key": None, "stat": None, "finished_at": None, "tried": False}
            part["had"] = False
            first = part["part_id"] - part["number"] + 1
            self._reports = [one for one in self._reports if one["message_id"] != first]
        else:
            return False
        return True

    def _stats(self, part_id: int) -> list[dict[str, Any]]:
        return [{"stat": receipt.stat} for owner, receipt in self._receipts if owner == part_id]

    def summary(self, now: float, *, backlog: bool = True) -> dict[str, Any]:
        states = [part["state"] for part in self._parts.values()]
        waiting = []
        lines = {(part["smsc"], part["plan"].priority) for part in self._queued()} if backlog else set()
        for smsc, priority in sorted(lines):
            dues = [
                part["due_at"]
                for part in self._queued()
                if (part["smsc"], part["plan"].priority) == (smsc, priority)
            ]
            waiting.append(
                {
                    "smsc": smsc,
                    "priority": priority.name.lower(),
                    "queued": len(dues),
                    "due": sum(due <= now for due in dues),
                    "oldest_seconds": max(0.0, now - min(dues)),
                }
            )
        return {
            "parts": {state.value: states.count(state) for state in PartState},
            "backlog": waiting,
            "reports_waiting": sum(not one["finished"] for one in self._reports),
            "parked_receipts": sum(part_id is None for part_id, _ in self._receipts),
            "mobile_waiting": sum(not one["told"] for one in self._mobile.values()),
            "dispatchers": [
                {
                    "name": name,
                    "alive_until": max(until for who, until in self._binds.values() if who == name),
                }
                for name in sorted({who for who, _ in self._binds.values()})
            ],
            "smscs": self._told(self._loads, now, "limited_by"),
            "links": self._told(self._links, now, "state"),
        }

    def _told(self, rows: list[dict[str, Any]], now: float, state: str) -> list[dict[str, Any]]:
        """It has one dispatcher only; whatever that has said is stale when it is gone."""
        if any(until > now for wishes in self._wishes.values() for until in wishes.values()):
            return [{**row, "stale": False} for row in rows]
        return [{**row, state: UNHEARD, "stale": True} for row in rows]


def _order(part: dict[str, Any]) -> tuple[Priority, int]:
    """Priority among all, and place within the account."""
    plan = part["plan"]
    return (Priority.NORMAL, plan.priority) if plan.own_order else (plan.priority, 0)
