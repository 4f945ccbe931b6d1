"""Several SMSCs in a route: when a message goes another way, and what it becomes there."""

from __future__ import annotations

from pathlib import Path

import pytest

from sms_milter.config.schema import Smsc, declared
from sms_milter.model import Escalate, Feature
from sms_milter.smpp.codec import parse_submit_sm
from support.exchange import Exchange


@pytest.fixture
def exchange(tmp_path: Path) -> Exchange:
    return Exchange(tmp_path, escalate_after="2m")


def test_everything_goes_by_the_first_while_it_can(exchange: Exchange) -> None:
    for number in range(3):
        exchange.put(destination=f"44797310000{number}")
    exchange.step()
    assert (exchange.sent("primary"), exchange.sent("backup")) == (3, 0)


def test_a_message_that_is_not_accepted_in_time_goes_to_the_next(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path, up=("backup",), escalate_after="2m")
    exchange.put("Pump " * 60)
    exchange.step(60)
    assert exchange.sent("backup") == 0
    exchange.step(61)
    exchange.step(times=3)
    assert exchange.sent("backup") == 2
    assert "status=moved from primary to backup: not accepted within 120 s" in exchange.lines.text


def test_what_comes_after_the_time_need_not_wait_for_its_own(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path, up=("backup",), escalate_after="2m")
    exchange.step(1)
    exchange.step(125)
    exchange.put()
    exchange.step(1, times=3)
    assert exchange.sent("backup") == 1
    assert "unusable for 126 s (not bound)" in exchange.lines.text


def test_nothing_goes_to_an_smsc_that_is_down_itself(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path, up=(), escalate_after="2m")
    exchange.put()
    exchange.step(1, times=200)
    assert exchange.smsc_of() == ["primary"]


def test_without_a_promise_it_waits(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path, up=("backup",))
    exchange.put()
    exchange.step(10, times=60)
    assert exchange.smsc_of() == ["primary"]
    assert exchange.sent("backup") == 0


def test_a_deferred_message_is_not_moved_before_its_time(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path, up=("backup",), escalate_after="2m")
    exchange.put(not_before=exchange.now + 3600)
    exchange.step(10, times=100)
    assert exchange.smsc_of() == ["primary"]
    exchange.step(2700)
    exchange.step(1, times=3)
    assert exchange.sent("backup") == 1


def test_a_part_on_the_wire_is_waited_for(exchange: Exchange) -> None:
    exchange.put()
    exchange.step()
    exchange.step(50)
    assert exchange.states() == ["submitting"]
    exchange.wires["primary"].answer()
    exchange.step(80)
    exchange.step(1, times=3)
    assert exchange.states() == ["accepted"]
    assert exchange.sent("backup") == 0


def test_parts_that_are_left_follow_only_where_they_are_cut_alike(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path, primary={"window": 1}, escalate_after="2m")
    exchange.put("Pump " * 60)
    exchange.step()
    exchange.wires["primary"].answer(status=0)
    exchange.wires["primary"].lose()
    exchange.step()
    exchange.step(121)
    exchange.step(1, times=3)
    assert exchange.smsc_of() == ["primary", "backup"]
    assert exchange.sent("backup") == 1


def test_parts_that_are_left_stay_where_others_would_be_cut_otherwise(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path, primary={"window": 1}, backup={"long_messages": "sar"}, escalate_after="2m")
    exchange.put("Pump " * 60)
    exchange.step()
    exchange.wires["primary"].answer(status=0)
    exchange.wires["primary"].lose()
    exchange.step()
    exchange.step(121)
    exchange.step(1, times=3)
    assert exchange.smsc_of() == ["primary", "primary"]


def test_it_is_composed_for_the_next_smsc(tmp_path: Path) -> None:
    exchange = Exchange(
        tmp_path,
        up=("backup",),
        backup={"long_messages": "payload", "source_ton_npi": "0/1"},
        escalate_after="2m",
    )
    exchange.put("Pump " * 60, receipt=True, validity_seconds=7200)
    exchange.step(121)
    exchange.step(1, times=4)
    ((_, body),) = exchange.wires["backup"].submits
    submit = parse_submit_sm(body)
    assert dict(submit.tlvs)[0x0424] == b"Pump " * 60
    assert (submit.source_addr_ton, submit.source_addr_npi, submit.registered_delivery) == (0, 1, 1)
    assert submit.validity_period == "000000015757000R"  # of two hours, after two minutes and some steps
    assert "composed anew for backup (2 to 1 parts)" in exchange.lines.text


def test_it_may_need_more_parts_there(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path, up=("backup",), backup={"alphabet": "ascii"}, escalate_after="2m")
    exchange.put("à" * 100)
    exchange.step(121)
    exchange.step(1, times=4)
    assert exchange.sent("backup") == 2
    exchange.wires["backup"].answer()
    exchange.step()
    assert exchange.states() == ["accepted", "accepted"]


def test_from_an_smsc_that_is_down_it_goes_back_to_an_earlier_one(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path, up=("backup",), escalate_after="2m", backup={"window": 1})
    exchange.put(destination="447973100001")
    exchange.put(destination="447973100002")
    exchange.step(121)
    exchange.step(1, times=2)
    exchange.wires["backup"].answer(status=0x58)
    exchange.wires["backup"].lose()
    exchange.wires["primary"].connect(exchange.now - 1_700_000_000.0)
    exchange.step(1, times=2)
    exchange.step(130)
    exchange.step(1, times=3)
    assert exchange.sent("primary") == 2


def test_an_smsc_that_fails_most_of_what_it_gets_is_left(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path, primary={"window": 30}, escalate_after="10s")
    for number in range(25):
        exchange.put(destination=f"4479731000{number:02}")
    exchange.step()
    exchange.wires["primary"].answer(status=0x08)
    exchange.step()
    exchange.step(2)
    exchange.step(5)
    assert set(exchange.smsc_of()) == {"primary"}
    exchange.step(1, times=8)
    assert set(exchange.smsc_of()) == {"backup"}


@pytest.mark.parametrize("status", [0x45, 0x0A])
def test_what_one_refuses_another_may_take(tmp_path: Path, status: int) -> None:
    exchange = Exchange(tmp_path, escalate_after="1h")
    exchange.put()
    exchange.step()
    while exchange.sent("primary"):
        exchange.wires["primary"].answer(status=status)
        exchange.step(1, times=3)
        exchange.step(61 if exchange.smsc_of() == ["primary"] else 0.05)
    assert exchange.sent("backup") == 1


def test_a_bad_destination_is_bad_everywhere(exchange: Exchange) -> None:
    exchange.put()
    exchange.step()
    exchange.wires["primary"].answer(status=0x0B)
    exchange.step(times=2)
    assert exchange.states() == ["failed"]


def test_what_is_not_delivered_in_time_is_sent_again(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path, escalate_after="2m", escalate_unless="delivered")
    exchange.put(receipt=True)
    exchange.step()
    exchange.wires["primary"].answer()
    exchange.step()
    exchange.step(100)
    assert exchange.states() == ["accepted"]
    exchange.step(25)
    exchange.step(1, times=3)
    assert exchange.sent("backup") == 1
    assert "not delivered within 120 s, possibly a duplicate" in exchange.lines.text


# --- a reload -----------------------------------------------------------------------------------------------


def test_what_waits_for_an_smsc_that_no_route_names_any_more_goes_by_the_route(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path, up=())
    exchange.put()
    exchange.step()
    exchange.rules = [{"to": "*", "via": ["backup"]}]
    exchange.start("backup")
    exchange.step(1, times=3)
    assert exchange.sent("backup") == 1
    assert "moved from primary to backup: no route names primary" in exchange.lines.text


def test_after_a_change_of_an_smsc_what_waits_for_it_is_composed_anew(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path, up=())
    exchange.put("Pump " * 60)
    exchange.step()
    exchange.smscs["primary"] = {"long_messages": "payload"}
    exchange.start("primary")
    exchange.step(1, times=3)
    assert exchange.sent("primary") == 1


def test_what_needs_more_parts_than_it_has_room_for_fails_and_says_so(tmp_path: Path) -> None:
    exchange = Exchange(
        tmp_path, up=(), primary={"long_messages": "payload"}, backup={"long_messages": "payload"}
    )
    exchange.put("Pump " * 60)
    exchange.step()
    exchange.smscs["primary"] = {}
    exchange.start("primary")
    exchange.step(1, times=3)
    assert exchange.states() == ["failed"]
    assert "needs 2 parts there and has room for 1" in exchange.lines.text


def test_parts_that_have_begun_to_go_go_on_as_they_began(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path, primary={"window": 1})
    exchange.put("Pump " * 60)
    exchange.step()
    exchange.wires["primary"].answer()
    exchange.dispatcher.drain()
    exchange.step()
    exchange.smscs["primary"] = {"window": 1, "long_messages": "payload"}
    exchange.start("primary")
    exchange.step(1, times=3)
    ((_, body),) = exchange.wires["primary"].submits
    assert parse_submit_sm(body).esm_class == 0x40


@pytest.mark.parametrize(
    ("escalate", "route", "seconds"),
    [
        (Escalate.AT_ONCE, "2m", 1),
        (Escalate.AT_ONCE, None, 1),
        (Escalate.LATE, "2m", 120),
        (Escalate.LATE, None, 300),
        (Escalate.AS_ROUTED, "2m", 120),
    ],
)
def test_a_mail_may_ask_for_another_way(
    tmp_path: Path, escalate: Escalate, route: str | None, seconds: int
) -> None:
    exchange = Exchange(tmp_path, up=("backup",), **({"escalate_after": route} if route else {}))
    exchange.put(escalate=escalate)
    if seconds > 1:
        exchange.step(seconds - 2, times=1)
        exchange.step(1, times=1)
        assert exchange.sent("backup") == 0
    exchange.step(2)
    exchange.step(1, times=3)
    assert exchange.sent("backup") == 1


def test_a_mail_may_ask_for_no_other_way(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path, up=("backup",), escalate_after="2m")
    exchange.put(escalate=Escalate.NEVER)
    exchange.step(10, times=60)
    assert exchange.smsc_of() == ["primary"]


@pytest.mark.parametrize(
    ("lacks", "text", "wish", "sent"),
    [
        ("flash", "Hi", {"features": int(Feature.FLASH)}, 0),
        ("flash", "Hi", {}, 1),
        ("ucs2", "\u4f60", {}, 0),
        ("concat", "A" * 161, {}, 0),
        ("8bit", "Hi", {}, 1),
    ],
)
def test_no_message_goes_to_an_smsc_that_lacks_what_it_needs(
    tmp_path: Path, lacks: str, text: str, wish: dict[str, int], sent: int
) -> None:
    features = [name for name in declared(Smsc)["features"].default if name != lacks]
    exchange = Exchange(tmp_path, up=("backup",), backup={"features": features}, escalate_after="2m")
    exchange.put(text, **wish)
    exchange.step(121)
    exchange.step(1, times=3)
    assert exchange.sent("backup") == sent


def test_what_was_on_the_wire_to_an_smsc_that_is_gone_is_in_doubt_for_good(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path)
    exchange.put()
    exchange.step()
    assert exchange.states() == ["submitting"]
    exchange.smscs = {"backup": exchange.smscs["backup"]}
    exchange.rules = [{"to": "*", "via": ["backup"]}]
    exchange.start("backup")
    exchange.step(1, times=3)
    assert exchange.states() == ["uncertain"]
    assert exchange.sent("backup") == 0
