"""What SMSCs are known to do wrong, and what becomes of the parts: the table of docs/outcomes.md, to be run.

The scripts are in the words of docs/simulator.md, whoever plays them: our simulator or an SMSC written by
others (`support.played`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from support.hasty import Hasty

PHONES = [f"4479731000{number}0" for number in range(10)]
HIT = PHONES[5]  # the one that a fault befalls
WINDOW = 4


# The dispatcher's minute is over in 0.6 s, the SMSC's is not: on a busy machine a PDU may take longer, and
# its part is in doubt with good reason. Where nothing rests on these times, the SMSC has six seconds.
_NO_HURRY = {"response_timeout": "10m", "enquire_link": "10m"}


@dataclass(frozen=True)
class Fault:
    """`script` is played to an ESME with `settings`; `outcome` raises AssertionError if it is another."""

    script: Mapping[str, Any]
    outcome: Callable[[Hasty], None]
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def esme(self) -> Mapping[str, Any]:
        """All settings of the ESME."""
        doubtless = self.outcome in (once, once_known_days_later, once_by_the_next_bind, failed, accepted)
        return {**(_NO_HURRY if doubtless else {}), **self.settings}


# --- outcomes; their names, with spaces, are the words of the table -----------------------------------------


def twice(smsc: Hasty) -> None:
    """The SMSC had it, and gets it again; the log calls that and nothing but the window in doubt."""
    _in_doubt(smsc)
    assert smsc.arrived[HIT] == 2


def once_although_in_doubt(smsc: Hasty) -> None:
    """The SMSC never had it; that could not be known, so the log calls it in doubt."""
    _in_doubt(smsc)
    assert smsc.arrived[HIT] == 1


def _in_doubt(smsc: Hasty) -> None:
    smsc.until(lambda: set(smsc.states()) == {"delivered"}, "the end of every part")
    assert smsc.arrived.keys() == set(PHONES)
    assert {phone for phone, times in smsc.arrived.items() if times > 1} <= smsc.in_doubt
    assert HIT in smsc.in_doubt
    assert len(smsc.in_doubt) <= WINDOW


def once(smsc: Hasty) -> None:
    """All arrive, none is in doubt, and every receipt is taken."""
    smsc.until_ended()
    assert set(smsc.states()) == {"delivered"}
    assert smsc.in_doubt == set()  # whatever is may come twice
    assert smsc.arrived == dict.fromkeys(PHONES, 1)
    smsc.until(lambda: smsc.peer.is_idle, "every receipt to be taken")


def once_known_days_later(smsc: Hasty) -> None:
    """Accepted at once, for three days nothing more, then as ever."""
    smsc.until(lambda: set(smsc.states()) == {"accepted"}, "every part at the SMSC")
    smsc.skip(3 * 86400)
    once(smsc)


def failed(smsc: Hasty) -> None:
    """That part ends at once, is not tried again, and no other suffers."""
    smsc.until_ended()
    assert [state == "failed" for state in smsc.states()] == [phone == HIT for phone in PHONES]
    assert smsc.peer.submitted == len(PHONES)


def accepted(smsc: Hasty) -> None:
    """The SMSC has it, and nothing more is heard."""
    smsc.until(lambda: set(smsc.states()) == {"accepted"}, "every part at the SMSC")
    assert smsc.arrived == dict.fromkeys(PHONES, 1)


def once_by_the_next_bind(smsc: Hasty) -> None:
    """The bind is tried again, later; all arrive, none is in doubt."""
    once(smsc)
    assert smsc.peer.binds == 2


def uncertain(smsc: Hasty) -> None:
    """It is never sent again, and nobody knows."""
    smsc.until(lambda: smsc.states()[5] == "uncertain", "doubt")
    smsc.until(lambda: smsc.states().count("delivered") == len(PHONES) - 1, "the end of the others")
    assert smsc.arrived == dict.fromkeys(PHONES, 1)
    assert smsc.in_doubt == {HIT}


def settled_by_its_late_response(smsc: Hasty) -> None:
    """The link goes on, so that the response is heard when it comes, and the receipt finds the part."""
    smsc.until(lambda: smsc.in_doubt, "doubt")
    smsc.until(lambda: set(smsc.states()) == {"delivered"}, "the end of the doubt")
    assert smsc.arrived == dict.fromkeys(PHONES, 1)
    assert smsc.in_doubt == {HIT}
    assert f"to={HIT}" in smsc.lines.text
    assert "status=late response: accepted" in smsc.lines.text
    assert smsc.peer.binds == 1


# --- the table ----------------------------------------------------------------------------------------------


def _hit(**fields: Any) -> dict[str, Any]:
    return {"rules": [{"to": HIT, "times": 1, **fields}]}


def _all(**fields: Any) -> dict[str, Any]:
    return {"rules": [fields]}


def _receipt(**fields: Any) -> dict[str, Any]:
    return {"rules": [{"receipt": fields}]}


def _refused_bind(status: str) -> Fault:
    return Fault({"refuse_binds": [{"status": status, "times": 1}]}, once_by_the_next_bind)


FAULTS = {
    # responses
    "response lost": Fault(_hit(act="lose"), twice),
    "response lost, on_uncertain: wait": Fault(_hit(act="lose"), twice, {"on_uncertain": "wait"}),
    "response lost, on_uncertain: never-twice": Fault(
        _hit(act="lose"), uncertain, {"on_uncertain": "never-twice"}
    ),
    "response later than response_timeout": Fault(_hit(delay="900ms"), twice),
    "response later than response_timeout, on_uncertain: never-twice": Fault(
        _hit(delay="900ms"), settled_by_its_late_response, {"on_uncertain": "never-twice"}
    ),
    "no response, not taken": Fault(_hit(act="silence"), once_although_in_doubt),
    "response twice": Fault(_all(twice=True), once),
    "responses out of order": Fault(_all(jitter="30ms"), once),
    "response with a vendor's TLV": Fault(_hit(tlvs="vendor"), once),
    "response whose id has no NUL": Fault(_hit(tlvs="no-nul"), once),
    "response whose TLV is too short": Fault(_hit(tlvs="wrong-length"), once),
    "response with an empty id": Fault(_all(id="empty", receipt={"when": "never"}), accepted),
    # refusals
    **{
        f"refusal for now, {status}": Fault(_hit(act="refuse", status=status), once)
        for status in ("0x58", "0x14", "0x08", "0x45", "0xFF")
    },
    **{
        f"refusal for good, {status}": Fault(_hit(act="refuse", status=status), failed)
        for status in ("0x0B", "0x01", "0x43", "0x0411")
    },
    "generic_nack 0x08": Fault(_hit(act="nack", status="0x08"), once),
    # the link
    "link cut in the middle of a response": Fault(_hit(act="cut"), twice),
    "link closed instead of a response, taken": Fault(_hit(act="take-and-close"), twice),
    "link closed instead of a response, not taken": Fault(_hit(act="close"), once_although_in_doubt),
    "link half open after half a response": Fault(
        _hit(act="stall"), once_although_in_doubt, {"enquire_link": "10s", "response_timeout": "10m"}
    ),
    "unbind instead of a response": Fault(_hit(act="unbind"), once_although_in_doubt),
    "every octet alone": Fault({"fragment": 1}, once),
    # binds
    "bind refused, 0x05": _refused_bind("0x05"),
    "bind refused, 0x0D": _refused_bind("0x0D"),
    "bind refused, 0x0E": _refused_bind("0x0E"),
    "bind refused, 0x08": _refused_bind("0x08"),
    # PDUs that nobody asked for
    "outbind on a bound link": Fault(_hit(act="outbind"), once),
    "request with an unknown command id": Fault(_hit(act="unknown"), once),
    # receipts
    "receipt before the response": Fault(_receipt(when="before"), once),
    "receipt three times": Fault(_receipt(times=3), once),
    "receipts on the way": Fault(_receipt(interim=["ENROUTE", "ACCEPTD", "BUFFRED"]), once),
    "receipt without TLVs": Fault(_receipt(tlvs="none"), once),
    "receipt with message_state only": Fault(_receipt(tlvs="state"), once),
    "receipt whose TLV has no NUL": Fault(_receipt(tlvs="no-nul"), once),
    "receipt with a vendor's TLV": Fault(_receipt(tlvs="vendor"), once),
    "receipt whose TLV is too long": Fault(_receipt(tlvs="wrong-length"), once),
    "receipt as data_sm": Fault(_receipt(carrier="data_sm"), once),
    "receipt in message_payload": Fault(_receipt(place="message_payload"), once),
    "receipt that says it is from days ahead, dates with seconds": Fault(
        _receipt(dates="12", dated="3d"), once
    ),
    "receipt after three days": Fault(_receipt(delay="800ms"), once_known_days_later),
    "receipt with the century and a hexadecimal error": Fault(_receipt(dates="14", error="21b"), once),
    "receipt with esm_class 0x44": Fault(_receipt(esm_class="0x44"), once),
    # ids
    "ids are UUIDs": Fault(_all(id="uuid"), once),
    "ids of twenty digits": Fault(_all(id="padded"), once),
    "one id for all": Fault(_all(id="constant"), once),
    "ids hex, in receipts decimal; receipt_ids: hex-dec": Fault(
        _receipt(id="decimal", tlvs="state"), once, {"receipt_ids": "hex-dec"}
    ),
    "ids decimal, in receipts hex; receipt_ids: dec-hex": Fault(
        _all(id="decimal", receipt={"id": "hex", "tlvs": "state"}), once, {"receipt_ids": "dec-hex"}
    ),
    "ids decimal, in receipts padded; receipt_ids: strip-zeros": Fault(
        _all(id="decimal", receipt={"id": "padded", "tlvs": "state"}), once, {"receipt_ids": "strip-zeros"}
    ),
}
