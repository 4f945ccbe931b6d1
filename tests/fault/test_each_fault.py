"""Each fault that SMSCs are known for, alone: what docs/outcomes.md says of it is what happens.

The SMSC is our simulator; time runs faster, so that pauses of minutes can be waited for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.hasty import Hasty, Simulated
from support.outcomes import FAULTS, HIT, PHONES


@pytest.mark.parametrize("name", FAULTS)
def test_outcome(tmp_path: Path, name: str) -> None:
    fault = FAULTS[name]
    with Hasty(tmp_path, Simulated(fault.script), **fault.esme) as smsc:
        smsc.put(*PHONES)
        fault.outcome(smsc)


def test_an_smsc_that_holds_a_lost_bind_gets_the_rest_later(tmp_path: Path) -> None:
    script = {"rules": [{"to": HIT, "times": 1, "act": "close"}], "hold_binds": "250ms"}
    with Hasty(tmp_path, Simulated(script)) as smsc:
        smsc.put(*PHONES)
        smsc.until_ended()
        assert smsc.peer.binds >= 3  # the first, one refused as already bound, the last
        assert smsc.arrived == dict.fromkeys(PHONES, 1)


@pytest.mark.parametrize(
    "rule", [{"act": "refuse", "status": "0x14", "times": 1}, {"twice": True}, {"jitter": "20ms"}], ids=repr
)
def test_a_long_message_arrives_whole_and_once(tmp_path: Path, rule: dict[str, Any]) -> None:
    with Hasty(tmp_path, Simulated({"rules": [rule]})) as smsc:
        smsc.put(HIT, parts=5)
        smsc.until_ended()
        assert smsc.states() == ["delivered"] * 5
        assert smsc.arrived == {HIT: 1}
        assert smsc.in_doubt == set()
