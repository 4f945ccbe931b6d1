"""Closed groups (HSL §8) and routes."""

from __future__ import annotations

from sms_milter.config.schema import RouteRule
from sms_milter.model import Promise
from sms_milter.policy.destinations import NumberGroup, RouteTable


def test_a_closed_group_holds_numbers_and_prefixes() -> None:
    group = NumberGroup(["447973100000", "4179*"])
    assert "447973100000" in group
    assert "41790000001" in group
    assert "4479731000001" not in group
    assert "447973100001" not in group


def test_an_empty_group_holds_nobody() -> None:
    assert "447973100000" not in NumberGroup([])


def rules(*pairs: tuple[str, list[str]]) -> list[RouteRule]:
    return [RouteRule.model_validate({"to": to, "via": via}) for to, via in pairs]


def test_the_longest_beginning_that_fits_counts() -> None:
    table = RouteTable({"default": rules(("*", ["c"]), ("+41", ["b"]), ("+4179", ["a", "b"]))})
    assert table.smscs("default", "41790000001") == ("a", "b")
    assert table.smscs("default", "41310000001") == ("b",)
    assert table.smscs("default", "447973100000") == ("c",)


def test_no_rule_and_no_route_give_no_way() -> None:
    table = RouteTable({"swiss": rules(("+41", ["a"]))})
    assert table.smscs("swiss", "447973100000") == ()
    assert table.smscs("other", "41790000001") == ()


def test_a_rule_names_the_languages_of_its_phones() -> None:
    turkish = RouteRule.model_validate({"to": "+90", "via": ["a"], "national_languages": ["turkish"]})
    table = RouteTable({"default": [turkish, *rules(("*", ["a"]))]})
    found = [table.way("default", number) for number in ("905321000000", "447973100000")]
    assert [way.languages for way in found if way] == [("turkish",), ()]
    assert table.way("other", "905321000000") is None


def test_a_group_of_nobody_is_false() -> None:
    assert not NumberGroup([])
    assert NumberGroup(["4179*"])


def test_only_several_smscs_can_promise_anything() -> None:
    one = {"to": "+41", "via": ["a"], "escalate_after": "2m"}
    two = {"to": "*", "via": ["a", "b"], "escalate_after": "2m", "escalate_unless": "delivered"}
    table = RouteTable({"default": [RouteRule.model_validate(rule) for rule in (one, two)]})
    swiss, others = table.way("default", "41790000001"), table.way("default", "447973100000")
    assert swiss is not None
    assert others is not None
    assert swiss.promise is None
    assert others.promise == Promise(120.0, delivered=True)
    assert table.used == {"a", "b"}
    assert table.choices
    assert others.follows_delivery
    assert not swiss.follows_delivery
