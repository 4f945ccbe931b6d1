"""Each fault that SMSCs are known for, alone: what the table of outcomes says of it is what happens.

The SMSC is our simulator; time runs faster, so that pauses of minutes can be waited for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.hasty import Hasty

PHONES = [f"44797310000{number}" for number in range(10)]
HIT = "*5"  # of the ten, the one that the fault befalls


def rule(**fields: Any) -> dict[str, Any]:
    return {"rules": [{"to": HIT, "times": 1, **fields}]}


def receipt(**fields: Any) -> dict[str, Any]:
    return {"rules": [{"receipt": fields}]}


# --- nothing is lost, and twice comes only what is in doubt -------------------------------------------------


@pytest.mark.parametrize(
    ("act", "taken"),
    [
        ("cut", True),
        ("lose", True),
        ("take-and-close", True),
        ("stall", False),
        ("silence", False),
        ("close", False),
        ("unbind", False),
    ],
)
def test_an_answer_that_never_comes_leaves_doubt_about_what_was_on_the_wire(
    tmp_path: Path, act: str, taken: bool
) -> None:
    with Hasty(tmp_path, rule(act=act)) as smsc:
        smsc.put(*PHONES)
        smsc.until_ended()
        assert set(smsc.states()) == {"delivered"}
        assert smsc.arrived.keys() == set(PHONES)
        twice = {phone for phone, times in smsc.arrived.items() if times > 1}
        assert twice <= smsc.in_doubt
        assert (PHONES[5] in twice) is taken
        assert len(smsc.in_doubt) <= 4  # no more than the window held


@pytest.mark.parametrize("status", ["0x58", "0x14", "0x08", "0x45", "0xFF"])
def test_a_refusal_for_now_is_tried_again_and_doubles_nothing(tmp_path: Path, status: str) -> None:
    with Hasty(tmp_path, rule(act="refuse", status=status)) as smsc:
        smsc.put(*PHONES)
        smsc.until_ended()
        assert set(smsc.states()) == {"delivered"}
        assert smsc.arrived == dict.fromkeys(PHONES, 1)
        assert smsc.in_doubt == set()


@pytest.mark.parametrize("status", ["0x0B", "0x01", "0x43", "0x0411"])
def test_a_refusal_for_good_ends_that_part_at_once_and_no_other(tmp_path: Path, status: str) -> None:
    with Hasty(tmp_path, rule(act="refuse", status=status)) as smsc:
        smsc.put(*PHONES)
        smsc.until_ended()
        assert [state == "failed" for state in smsc.states()] == [phone == PHONES[5] for phone in PHONES]
        assert smsc.simulator.tally.submitted == len(PHONES)


@pytest.mark.parametrize(
    "script",
    [
        rule(act="nack", status="0x08"),
        rule(act="outbind"),
        rule(twice=True),
        {"rules": [{"jitter": "30ms"}]},
        rule(tlvs="vendor"),
        rule(tlvs="no-nul"),
        rule(tlvs="wrong-length"),
        {"fragment": 1},
        {"fragment": 7},
        receipt(when="before"),
        receipt(times=3),
        receipt(interim=["ENROUTE", "ACCEPTD", "BUFFRED"]),
        receipt(tlvs="none"),
        receipt(tlvs="state"),
        receipt(tlvs="no-nul"),
        receipt(tlvs="vendor"),
        receipt(tlvs="wrong-length"),
        receipt(carrier="data_sm"),
        receipt(place="message_payload"),
        receipt(dates="12", dated="3d"),
        receipt(dates="14", error="21b"),
        receipt(esm_class="0x44"),
        {"rules": [{"id": "uuid"}]},
        {"rules": [{"id": "padded"}]},
        {"rules": [{"id": "constant"}]},
    ],
    ids=repr,
)
def test_what_is_merely_odd_costs_nothing(tmp_path: Path, script: dict[str, Any]) -> None:
    with Hasty(tmp_path, script) as smsc:
        smsc.put(*PHONES)
        smsc.until_ended()
        assert set(smsc.states()) == {"delivered"}
        assert smsc.arrived == dict.fromkeys(PHONES, 1)
        assert smsc.in_doubt == set()
        smsc.until(lambda: smsc.simulator.is_idle, "every receipt to be taken")


@pytest.mark.parametrize(
    ("rule_of_ids", "script"),
    [
        ("hex-dec", receipt(id="decimal", tlvs="state")),
        ("dec-hex", {"rules": [{"id": "decimal", "receipt": {"id": "hex", "tlvs": "state"}}]}),
        ("strip-zeros", {"rules": [{"id": "decimal", "receipt": {"id": "padded", "tlvs": "state"}}]}),
    ],
)
def test_ids_of_receipts_in_another_form(tmp_path: Path, rule_of_ids: str, script: dict[str, Any]) -> None:
    with Hasty(tmp_path, script, receipt_ids=rule_of_ids) as smsc:
        smsc.put(*PHONES)
        smsc.until_ended()
        assert set(smsc.states()) == {"delivered"}


def test_an_smsc_that_gives_no_ids_is_believed_and_nothing_more_is_heard(tmp_path: Path) -> None:
    with Hasty(tmp_path, {"rules": [{"id": "empty", "receipt": {"when": "never"}}]}) as smsc:
        smsc.put(*PHONES)
        smsc.until(lambda: set(smsc.states()) == {"accepted"}, "every part at the SMSC")
        assert smsc.arrived == dict.fromkeys(PHONES, 1)


# --- binds --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["0x05", "0x0D", "0x0E", "0x08"])
def test_a_refused_bind_is_tried_again_and_loses_nothing(tmp_path: Path, status: str) -> None:
    with Hasty(tmp_path, {"refuse_binds": [{"status": status, "times": 2}]}) as smsc:
        smsc.put(*PHONES)
        smsc.until_ended()
        assert smsc.simulator.tally.binds == 3
        assert smsc.arrived == dict.fromkeys(PHONES, 1)


def test_an_smsc_that_holds_a_lost_bind_gets_the_rest_later(tmp_path: Path) -> None:
    with Hasty(tmp_path, {**rule(act="close"), "hold_binds": "250ms"}) as smsc:
        smsc.put(*PHONES)
        smsc.until_ended()
        assert smsc.simulator.tally.binds >= 3  # the first, one refused as already bound, the last
        assert smsc.arrived == dict.fromkeys(PHONES, 1)


def test_a_half_open_link_is_noticed_by_its_silence(tmp_path: Path) -> None:
    with Hasty(tmp_path, rule(act="stall"), enquire_link="10s", response_timeout="10m") as smsc:
        smsc.put(*PHONES)
        smsc.until_ended()
        assert smsc.simulator.tally.binds == 2
        assert set(smsc.states()) == {"delivered"}


# --- what becomes of doubt ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "times", "ends"),
    [("retry", 2, "delivered"), ("never-twice", 1, "uncertain"), ("wait", 2, "delivered")],
)
def test_what_becomes_of_a_part_whose_answer_was_lost(
    tmp_path: Path, policy: str, times: int, ends: str
) -> None:
    with Hasty(tmp_path, rule(act="lose"), on_uncertain=policy) as smsc:
        smsc.put(PHONES[5])
        smsc.until(lambda: smsc.in_doubt, "doubt")
        smsc.until(lambda: smsc.states() == [ends] and smsc.arrived[PHONES[5]] == times, f"{times} × {ends}")


# --- parts --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "script", [rule(act="refuse", status="0x14"), rule(twice=True), {"rules": [{"jitter": "20ms"}]}], ids=repr
)
def test_a_long_message_arrives_whole_and_once(tmp_path: Path, script: dict[str, Any]) -> None:
    with Hasty(tmp_path, script) as smsc:
        smsc.put(PHONES[5], parts=5)
        smsc.until_ended()
        assert smsc.states() == ["delivered"] * 5
        assert smsc.arrived == {PHONES[5]: 1}
        assert smsc.in_doubt == set()
