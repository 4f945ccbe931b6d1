"""The gate: the configuration as the milter needs it at every mail. Compiled once, never changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sms_milter import reply
from sms_milter.allowances import limits_of
from sms_milter.channels import errand
from sms_milter.composition import Composition
from sms_milter.config.schema import (
    Channel,
    Configuration,
    HttpChannel,
    SmppChannel,
)
from sms_milter.dialects import DIALECTS, Dialect
from sms_milter.errors import Denied, Rejected
from sms_milter.logline import Numbers, Senders
from sms_milter.mail.address import domain_of, parse_path
from sms_milter.model import (
    EMAIL,
    EVERY_FEATURE,
    SMS,
    Action,
    Caller,
    Credentials,
    Limits,
    LoginRule,
)
from sms_milter.policy.accounts import AccountBook, Member, may_write_as
from sms_milter.policy.destinations import NumberGroup, RouteTable, Way
from sms_milter.policy.logins import LoginBook, household, unknown_name
from sms_milter.policy.originators import Standing, bare, standing
from sms_milter.policy.texts import DeniedTexts
from sms_milter.ports import PasswordCheck, SenderProofs
from sms_milter.reply import Denial
from sms_milter.sms.plan import originator_address
from sms_milter.sms.terms import Marks, SmscTraits, Terms, features_of, traits_of


@dataclass(frozen=True, slots=True)
class Domain:
    """One of our domains, compiled."""

    name: str
    dialect: Dialect
    options: Any  # the dialect's own options model
    size_limit: int  # octets


class Gate:
    """Who may send where, and how: everything a transaction asks."""

    def __init__(
        self, configuration: Configuration, passwords: PasswordCheck, proofs: SenderProofs | None = None
    ) -> None:
        """`proofs` verifies SPF and DKIM; only needed where an account requires them
        (`mail.proofs.required`).
        """
        milter = configuration.milter
        self.claim_all = Action.DISCARD if milter.claim == "discard" else Action.STRIP
        self.bounce_mixed = milter.mixed_refusal == "bounce"
        self.max_recipients = milter.max_recipients
        self.shadow = milter.shadow
        self.reports = bool(configuration.reports.submit_to)
        self.numbers = Numbers(masked=configuration.log.mask_numbers)
        self.senders = Senders(secret_senders(configuration))
        self.domains = {
            name: Domain(
                name,
                DIALECTS[domain.dialect],
                domain.options,
                min(milter.max_message_size, domain.options.max_mail),
            )
            for name, domain in configuration.domains.items()
        }
        self.size_limit = max((domain.size_limit for domain in self.domains.values()), default=0)
        self.accounts = AccountBook(configuration.accounts)
        self._for_all = configuration.limits
        guard = configuration.limits.failed_logins
        self.login_rule = None if guard is None else LoginRule(guard.count, guard.within, guard.block)
        self.login_by_client = guard is not None and guard.per == "client"
        self._logins = LoginBook(self.accounts)
        self._passwords = passwords
        self.proofs = proofs
        self.trusted_results = configuration.authentication.trusted_results
        required = {check for account in configuration.accounts.values() for check in account.require}
        self.asks_helo = "spf" in required
        self.asks_certificate = "tls" in required
        self._originators = {
            name: frozenset(map(bare, account.originators))
            for name, account in configuration.accounts.items()
        }
        self.routes = RouteTable(configuration.routes)
        self._denied_texts = {
            name: DeniedTexts(account.denied_texts)
            for name, account in configuration.accounts.items()
            if account.denied_texts
        }
        self.closed_groups = {
            name: NumberGroup(account.closed_group)
            for name, account in configuration.accounts.items()
            if account.closed_group is not None
        }
        blocked = (NumberGroup(configuration.limits.blocked), reply.BLOCKED)
        delisted = (NumberGroup(configuration.limits.delisted), reply.DELISTED)
        self._unwilling = {
            name: tuple(
                [
                    (group, why)
                    for group, why in (blocked, (NumberGroup(account.opted_out), reply.OPTED_OUT), delisted)
                    if group
                ]
            )
            for name, account in configuration.accounts.items()
        }
        self.traits = {name: traits_of(smsc) for name, smsc in configuration.smscs.items()}
        self._features = {name: features_of(smsc) for name, smsc in configuration.smscs.items()}
        self._channels: dict[str, Channel] = {str(n): one for n, one in configuration.channels.items()}
        self._outlets = {name: Way("", (errand.outlet_name(name),), (), 0) for name in self._channels}
        self.channels = {
            name: frozenset(self._channels if account.channels is None else account.channels)
            for name, account in configuration.accounts.items()
        }
        validity_seconds = {name: smsc.validity for name, smsc in configuration.smscs.items()} | {
            errand.outlet_name(name): channel.validity
            for name, channel in configuration.channels.items()
            if not isinstance(channel, SmppChannel)
        }
        composition = Composition(self.routes, self.traits, validity_seconds)
        self.composed = composition.composed
        self.price = composition.price
        self.terms = lru_cache(4096)(self._terms)
        self.limits = lru_cache(4096)(self._limits)

    def customer(
        self,
        given: Credentials,
        caller: Caller,
        *,
        sender: str,
        domains: Iterable[str],
        welcome: Callable[[], None],
        proves_sender: bool = False,
    ) -> Member:
        """The account that a mail names, once its password and the other required checks hold in all of
        `domains`; see `dialects.Login` for `proves_sender`, `ports.PasswordCheck` for `welcome`. Raises
        Denied, and Deferred.
        """
        if given.author is not None:
            return self._authored(given.author, caller, domains)
        member = self._logins.find(given)
        if not given.api_key:
            # Nobody's password is verified too, so that time does not tell which names there are.
            password_hash = member.account.password_hash if member is not None else ""
            right = any(
                self._passwords.right(
                    password_hash, one, digest=given.digest, client=household(caller.address), welcome=welcome
                )
                for one in given.passwords
            )
            if member is not None and not right:
                raise Denied(Denial.WRONG_PASSWORD, member.name)
        if member is None:
            raise Denied(Denial.UNKNOWN_LOGIN)
        elsewhere = self._logins.for_another_interface(member, given.names)
        if not (given.api_key or elsewhere or self._logins.owns(member, given.names)):
            raise Denied(Denial.WRONG_NAME, member.name)
        if member.account.disabled:
            raise Denied(Denial.DISABLED, member.name)
        if elsewhere:
            raise Denied(Denial.WRONG_INTERFACE, member.name)
        if not all(self.accounts.reaches(member, caller, domain) for domain in domains):
            raise Denied(Denial.NOT_FROM_HERE, member.name)
        proven = proves_sender and "password" not in member.account.require
        if not (proven or self.accounts.lists(member, sender)):
            raise Denied(Denial.NOT_BY_SENDER, member.name)
        return member

    def _authored(self, author: str, caller: Caller, domains: Iterable[str]) -> Member:
        """The account of the address in From, as if it were the envelope sender's. Raises Denied."""
        found = [self.accounts.find(caller, sender=author, domain=domain) for domain in domains if author]
        if not found or found[0] is None or any(member is not found[0] for member in found):
            raise Denied(Denial.UNKNOWN_AUTHOR)
        return found[0]

    def forwarding(self, login: str) -> Member | None:
        """The account whose own address that is, if mail to it goes to anybody."""
        member = self._logins.find(Credentials({"login": login}))
        return member if member is not None and member.account.forward_to else None

    def known_as(self, given: Credentials) -> str:
        """Whose logins these are, for counting failures: an account, or the digest of a name that no account
        has, lest a block tell which names there are. "" for an API key: there is nothing to guess more often.
        """
        if given.api_key or not given.names:
            return ""
        member = self._logins.find(given)
        return f"account {member.name}" if member is not None else f"nobody {unknown_name(given)}"

    def originator(
        self, member: Member, wanted: str, channel: str = SMS, *, unlocked: Callable[[str], bool]
    ) -> str:
        """An originator that a mail asks for, when the account may show it; `unlocked` is asked for the
        digits of numbers that its settings do not name. Raises Denied.
        """
        if channel == EMAIL:
            if not _is_mailbox(wanted):
                raise Denied(Denial.BAD_ORIGINATOR, member.name)
            if not may_write_as(member.account, wanted):
                raise Denied(Denial.ORIGINATOR_NOT_ALLOWED, member.name)
            return wanted
        allowed, digits = self._originators[member.name], bare(wanted)
        listed = not allowed or digits in allowed
        unlisted = standing(member.account, wanted) is Standing.UNLISTED and not unlocked(digits)
        if (not listed or unlisted) and digits not in member.account.mo_numbers:
            raise Denied(Denial.ORIGINATOR_NOT_ALLOWED, member.name)
        try:
            originator_address(wanted)
        except ValueError:
            raise Denied(Denial.BAD_ORIGINATOR, member.name) from None
        return wanted

    def way(self, member: Member, number: str, channel: str = SMS) -> Way:
        """How `number` is reached: by some SMSCs, or by the channel's own outlet. Raises Rejected when the
        closed group, a list of those who want nothing or the routes do not allow it, or when there is no such
        channel.
        """
        route: str | None = member.account.route
        if channel != SMS:
            settings = self._channels.get(channel)
            if settings is None or channel not in self.channels[member.name]:
                raise Rejected(reply.NO_SUCH_CHANNEL)
            # Mail to ourselves would pass by this milter and end in the fail-safe route.
            if channel == EMAIL and (not _is_mailbox(number) or domain_of(number) in self.domains):
                raise Rejected(reply.NO_SUCH_ADDRESS)
            route = (settings.route or route) if isinstance(settings, SmppChannel) else None
        group = self.closed_groups.get(member.name)
        if group is not None and number not in group:
            raise Rejected(reply.NOT_IN_CLOSED_GROUP)
        for others, why in self._unwilling[member.name]:
            if number in others:
                raise Rejected(why)
        if route is None:
            return self._outlets[channel]
        way = self.routes.way(route, number)
        if way is None:
            raise Rejected(reply.NO_ROUTE)
        return way

    def check_text(self, member: Member, text: str) -> None:
        """Raises Rejected for a text that the account may not send."""
        denied = self._denied_texts.get(member.name)
        if denied is not None and denied.are_in(text):
            raise Rejected(reply.TEXT_DENIED)

    def _limits(self, name: str, dialect: Dialect) -> Limits | None:
        return limits_of(self.accounts[name].account, self._for_all, dialect)

    def network(self, member: Member, number: str) -> str:
        """The mobile network of `number` as its route names it, MCC-MNC; "" when it does not."""
        way = self.routes.way(member.account.route, number)
        return "" if way is None else way.network

    def languages(self, member: Member, way: Way) -> tuple[str, ...]:
        """Languages whose national tables the account or the way allows."""
        own, there = member.account.national_languages, way.languages
        return own + tuple([language for language in there if language not in own]) if there else own

    def _terms(
        self,
        name: str,
        originator: str,
        dialect_parts: int,
        append: bool,
        punctuation: bool,
        languages: tuple[str, ...],
        smsc: str,
        channel: str,
        most_parts: int | None,
        follow: bool,
    ) -> Terms:
        account = self.accounts[name].account
        allowed = dialect_parts if account.max_parts == "default" else account.max_parts
        terms = Terms(
            originator=originator,
            append=account.append if append else "",
            max_parts=allowed if most_parts is None else min(allowed, most_parts),
            long_messages=account.long_messages,
            punctuation=punctuation if account.transliterate == "default" else account.transliterate,
            languages=languages,
            keep_words=account.keep_words,
            route=account.route,
            smsc=smsc,
            traits=self.traits.get(smsc, SmscTraits()),
            receipt=follow,
            features=self._features.get(smsc, EVERY_FEATURE),
        )
        if channel == SMS:
            return terms
        settings = self._channels[channel]
        if isinstance(settings, SmppChannel):
            return replace(terms, append="", route=settings.route or account.route, marks=_marks(settings))
        final = not (isinstance(settings, HttpChannel) and settings.call_back)
        return replace(terms, route="", errand=True, final=final)


def _marks(settings: SmppChannel) -> Marks:
    return Marks(
        settings.service_type, settings.protocol_id, settings.data_coding, tuple(settings.tlvs.items())
    )


def secret_senders(configuration: Configuration) -> frozenset[str]:
    """The addresses that alone prove in some domain who sends, in lower case."""
    by_sender = {
        name for name, domain in configuration.domains.items() if DIALECTS[domain.dialect].secret_senders
    }
    return frozenset(
        pattern.lower()
        for account in configuration.accounts.values()
        if not by_sender.isdisjoint(account.domains or by_sender)
        for pattern in account.senders
        if not pattern.startswith(("@", "*"))
    )


def _is_mailbox(address: str) -> bool:
    """Whether it is a mail address and nothing else, so that it may stand in an SMTP command."""
    try:
        local, domain = parse_path(address)
    except Rejected:
        return False
    return f"{local}@{domain}".lower() == address.lower()
