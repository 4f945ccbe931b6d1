"""The declarations: limits hold, secrets are not shown, sections are frozen, and they can be read back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from sms_milter.config import schema
from sms_milter.config.schema import (
    Account,
    Configuration,
    Section,
    Setting,
    Smsc,
    declared,
    expected,
    inside,
    section_of,
    setting,
)
from sms_milter.config.values import Size, number_of
from sms_milter.dialects import DIALECTS

SECTIONS = [
    *(
        one
        for one in vars(schema).values()
        if isinstance(one, type) and issubclass(one, Section) and one is not Section
    ),
    *(dialect.options for dialect in DIALECTS.values()),
]
NEEDED: dict[type[BaseModel], dict[str, Any]] = {
    Smsc: {"host": "smsc1.example.net", "system_id": "acme"},
    schema.RouteRule: {"to": "*", "via": ["primary"]},
    schema.Domain: {"dialect": "hsl"},
    schema.EmailChannel: {"outlet": "email"},
    schema.HttpChannel: {"outlet": "http", "url": "https://voice.example.net/calls"},
    schema.SmppChannel: {"outlet": "smpp"},
    schema.TlsCertificate: {"subject": "monitor.acme.example"},
    schema.TrustedResults: {"name": "mx.example.com"},
}


def everything() -> Iterator[tuple[type[BaseModel], Setting]]:
    for section in SECTIONS:
        for one in declared(section).values():
            yield section, one


def with_value(section: type[BaseModel], name: str, value: object) -> BaseModel:
    return section.model_validate(NEEDED.get(section, {}) | {name: value})


def test_without_a_word_everything_has_its_default() -> None:
    whole = Configuration()
    assert whole.milter.max_message_size == 10 * 1024 * 1024
    assert whole.milter.decision_timeout == 20.0
    assert whole.queue.path == "/var/lib/sms-milter/queue.db"
    assert Account().require == ("client", "sender")
    assert Account().closed_group is None
    smsc = Smsc(host="smsc1.example.net", system_id="acme")
    assert (smsc.port, smsc.window, smsc.enquire_link, smsc.validity) == (2775, 10, 30.0, 86400.0)


@pytest.mark.parametrize(("section", "one"), [*everything()], ids=lambda x: getattr(x, "name", None))
def test_every_default_is_valid(section: type[BaseModel], one: Setting) -> None:
    if not one.required and one.name != "from":
        assert getattr(with_value(section, one.name, one.default), one.attribute) == one.checked_default


LIMITED = [(s, one) for s, one in everything() if one.at_least is not None or one.at_most is not None]


@pytest.mark.parametrize(("section", "one"), LIMITED, ids=lambda x: getattr(x, "name", None))
def test_every_limit_holds_and_can_be_reached(section: type[BaseModel], one: Setting) -> None:
    for limit, beyond in ((one.at_least, -1), (one.at_most, +1)):
        if limit is not None:
            number = number_of(limit)
            assert getattr(with_value(section, one.name, number), one.attribute) == number
            with pytest.raises(ValidationError):
                with_value(section, one.name, number + beyond)


LONG = [(s, one) for s, one in everything() if one.longest is not None]


@pytest.mark.parametrize(("section", "one"), LONG, ids=lambda x: getattr(x, "name", None))
def test_every_length_holds(section: type[BaseModel], one: Setting) -> None:
    assert one.longest is not None
    needed = {"long_password": True} if one.name == "password" else {}
    values = NEEDED.get(section, {}) | needed
    section.model_validate(values | {one.name: "x" * one.longest})
    with pytest.raises(ValidationError):
        section.model_validate(values | {one.name: "x" * (one.longest + 1)})


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.__name__)
def test_sections_are_frozen_and_know_their_names(section: type[BaseModel]) -> None:
    one = section.model_validate(NEEDED.get(section, {}))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(one, next(iter(section.model_fields)), 1)
    with pytest.raises(ValidationError):
        with_value(section, "unheard_of", "1")


def test_secrets_are_not_in_reprs() -> None:
    smsc = Smsc(host="h", system_id="acme", password="hidden")
    account = Account(password_hash="hidden", api_keys=("hidden",))
    assert "hidden" not in f"{smsc!r} {smsc} {account!r}"
    assert smsc.password == "hidden"


def test_a_refusal_does_not_show_the_secret() -> None:
    with pytest.raises(ValidationError) as refused:
        Smsc(host="h", system_id="acme", password="hidden-and-long")
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize(("password", "long"), [("12345678", False), ("123456789", True)])
def test_a_password_as_long_as_allowed_is_taken(password: str, long: bool) -> None:
    assert Smsc(host="h", system_id="s", password=password, long_password=long).password == password


def test_a_longer_password_needs_a_word() -> None:
    with pytest.raises(ValidationError, match=r"9 characters and SMPP 3\.4 allows 8"):
        Smsc(host="h", system_id="s", password="123456789")


class Options(BaseModel):
    """A model of somebody else, as a dialect declares its options."""

    limit: Size = setting("1MB", at_least="1KB", doc="How much.", in_force=False)
    word: str = setting("a", doc="Which one.", in_force=("a", "b"), name="from")


def test_declarations_are_read_back() -> None:
    limit, word = declared(Options).values()
    assert (limit.name, limit.default, limit.checked_default, limit.at_least) == (
        "limit",
        "1MB",
        1 << 20,
        "1KB",
    )
    assert (word.name, word.attribute, word.in_force) == ("from", "word", ("a", "b"))
    assert limit.acts(1 << 20)
    assert not limit.acts(1 << 21)
    assert word.acts("b")
    assert not word.acts("c")


@pytest.mark.parametrize(
    ("section", "name", "words"),
    [
        (Smsc, "window", "a whole number from 1 to 1000"),
        (Smsc, "system_id", "text in printable ASCII, at most 15 characters"),
        (Smsc, "enquire_link", "a duration such as 30s, 2m, 24h or 30d, from 1s to 1h"),
        (Smsc, "tls", "true or false"),
        (Smsc, "bind", "transceiver or transmitter+receiver"),
        (Account, "append", "text of at most 1000 characters"),
        (Account, "credits", "a number with at most three decimals, at least 0, or null"),
        (Account, "clients", "a list"),
        (Account, "closed_group", "a list, or null"),
        (Account, "quota", "settings below it, or null"),
        (Account, "country_code", "a country code such as 41, or null"),
        (schema.Quota, "messages", "unlimited or a whole number"),
    ],
)
def test_what_is_expected_is_said_in_words(section: type[BaseModel], name: str, words: str) -> None:
    one = declared(section)[name]
    assert expected(one.annotation, one) == words


def test_annotations_are_followed() -> None:
    routes = declared(Configuration)["routes"].annotation
    assert section_of(routes) is None
    assert section_of(inside(inside(routes))) is schema.RouteRule
    assert section_of(declared(Account)["quota"].annotation) is schema.Quota
    assert inside(declared(Account)["append"].annotation) is None
