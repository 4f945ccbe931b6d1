"""The SMSC of `support.smsc` with PyPI's smpp34. Run: `python -m support.smsc_smpp34 PORT DELAY_MS`.

Each line of stdin is a script (`support.played`) that replaces the one before.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import sys
import time
import uuid
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from itertools import count
from typing import Any

import smpp34

_FIELDS = (
    *("service_type", "source_addr", "source_addr_ton", "source_addr_npi"),
    *("destination_addr", "dest_addr_ton", "dest_addr_npi"),
    *("esm_class", "protocol_id", "data_coding", "registered_delivery"),
)
_STATES = {"ENROUTE": 1, "BUFFRED": 1, "DELIVRD": 2, "EXPIRED": 3, "DELETED": 4, "UNDELIV": 5, "ACCEPTD": 6}
_DATES = {"10": "%y%m%d%H%M", "12": "%y%m%d%H%M%S", "14": "%Y%m%d%H%M%S"}
_VENDOR = 0x1400
_PLAIN_RECEIPT: dict[str, Any] = {
    "when": "after",
    "delay": 0,
    "times": 1,
    "interim": [],
    "stat": "DELIVRD",
    "error": None,
    "id": "same",
    "tlvs": "none",
    "place": "short_message",
    "dates": "10",
    "dated": 0,
    "esm_class": 4,
}


def tell(event: str, **facts: object) -> None:
    """One JSON line."""
    sys.stdout.write(json.dumps({"event": event, **facts}) + "\n")
    sys.stdout.flush()


class Smsc:
    """Its rules, and who is bound."""

    def __init__(self, port: int, delay_seconds: float) -> None:
        self._port = port
        self._plain = {
            "act": "accept",
            "delay": delay_seconds,
            "jitter": 0,
            "id": "hex",
            "receipt": _PLAIN_RECEIPT,
        }
        self._rules: list[dict[str, Any]] = []
        self._tries: Counter[str] = Counter()
        self._numbers = count(1)
        self._sessions: dict[str, smpp34.Esme] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._withheld: list[smpp34.SubmitSmEvent] = []  # one that is dropped would be answered 0x08

    async def serve(self) -> None:
        """Until killed."""
        asyncio.get_running_loop().add_reader(sys.stdin, self._heed)
        server = smpp34.Server(host="127.0.0.1", port=self._port, system_id="smpp34", inbound_capacity=10_000)
        await server.start()
        tell("listening")
        while True:
            event = await server.next()
            if isinstance(event, smpp34.Esme):
                self._sessions[event.session_id] = event
                tell("bound")
            elif isinstance(event, smpp34.SubmitSmEvent):
                if esme := self._sessions.get(event.session_id):
                    self._begin(self._submitted(event, esme))
                # else it was read before its connection ended, and shown after: nobody waits for an answer
            elif self._sessions.pop(event.session_id, None):
                tell("unbound")

    def _heed(self) -> None:
        line = sys.stdin.buffer.readline()
        if not line:
            os._exit(0)  # the test is gone
        for task in self._tasks:
            task.cancel()
        self._rules = json.loads(line)["rules"]
        self._tries.clear()
        tell("playing")

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- submit_sm ------------------------------------------------------------------------------------------

    def _rule_for(self, destination: str) -> dict[str, Any]:
        for rule in self._rules:
            if re.fullmatch(rule["to"].replace("*", ".*"), destination):
                self._tries[destination] += 1
                return rule if self._tries[destination] <= (rule["times"] or 1000) else self._plain
        return self._plain

    async def _submitted(self, event: smpp34.SubmitSmEvent, esme: smpp34.Esme) -> None:
        rule = self._rule_for(event.destination_addr)
        if rule is self._plain and event.destination_addr.endswith("11"):
            rule = {"act": "refuse", "status": smpp34.ESME_RINVDSTADR}
        match rule["act"]:
            case "refuse":
                self._tell_submit(event, "", taken=False)
                event.reject(rule["status"])
            case "silence":
                self._withheld.append(event)
            case "close":
                self._withheld.append(event)
                self._break()
            case "unbind":
                self._withheld.append(event)
                with suppress(smpp34.SmppError):
                    await esme.unbind()
            case _:
                await self._take(event, esme, rule)

    def _tell_submit(self, event: smpp34.SubmitSmEvent, message_id: str, *, taken: bool) -> None:
        facts = {name: getattr(event, name) for name in _FIELDS}
        tlvs = {f"{tlv.tag:04x}": tlv.value.hex() for tlv in event.tlvs}
        octets = event.short_message.hex()
        tell("submit", taken=taken, message_id=message_id, short_message=octets, tlvs=tlvs, **facts)

    async def _take(self, event: smpp34.SubmitSmEvent, esme: smpp34.Esme, rule: dict[str, Any]) -> None:
        number = next(self._numbers)
        message_id = _id_in(rule["id"], number)
        self._tell_submit(event, message_id, taken=True)
        receipt = rule["receipt"]
        in_receipt = message_id if receipt["id"] == "same" else _id_in(receipt["id"], number)
        if receipt["when"] == "before":
            await self._report(event, esme, in_receipt, receipt)
        if rule["act"] == "accept":
            # Of four parts on the wire the first waits longest.
            await asyncio.sleep(rule["delay"] + rule["jitter"] * (1 - number % 4 / 4))
            event.accept(message_id=message_id)
        else:
            self._withheld.append(event)
        if rule["act"] in ("cut", "take-and-close"):
            self._break(_half() if rule["act"] == "cut" else b"")
        if receipt["when"] == "after":
            await asyncio.sleep(receipt["delay"])
            await self._report(event, esme, in_receipt, receipt)
        if event.destination_addr.endswith("0070707") and esme.can_receive:
            await esme.deliver_sm(**_back(event), short_message=b"Yes, I do!")

    def _break(self, last_octets: bytes = b"") -> None:
        """Close the connections that stand; the library has no word for it, so it is done behind its back."""
        for name in os.listdir("/proc/self/fd"):
            with suppress(OSError), socket.socket(fileno=os.dup(int(name))) as connection:
                if connection.getsockname() == ("127.0.0.1", self._port) and connection.getpeername():
                    connection.sendall(last_octets)
                    connection.shutdown(socket.SHUT_RDWR)

    # --- receipts -------------------------------------------------------------------------------------------

    async def _report(
        self, event: smpp34.SubmitSmEvent, esme: smpp34.Esme, message_id: str, rule: dict[str, Any]
    ) -> None:
        """Receipts in the form of SMPP 3.4 appendix B, as far as they are wanted."""
        if not event.registered_delivery & 1 or not esme.can_receive:
            return
        expired = rule is _PLAIN_RECEIPT and event.destination_addr.endswith("03")
        ends = ["EXPIRED" if expired else rule["stat"]] * rule["times"]
        for stat in [*(rule["interim"] if event.registered_delivery & 0x10 else ()), *ends]:
            tell("receipt")
            await self._deliver(_receipt(event, message_id, stat, rule))

    async def _deliver(self, fields: dict[str, Any]) -> None:
        """By whatever bind there is, until it is taken."""
        while True:
            for esme in reversed(list(self._sessions.values())):
                with suppress(smpp34.SmppError):
                    if esme.can_receive and (await esme.deliver_sm(**fields)).is_success:
                        tell("receipt_taken")
                        return
            await asyncio.sleep(0.02)


def _id_in(form: str, number: int) -> str:
    match form:
        case "decimal":
            return str(number)
        case "padded":
            return f"{number:020}"
        case "uuid":
            return str(uuid.uuid4())
        case "constant":
            return "constant"
        case "empty":
            return ""
    return f"{number:08X}"


def _back(event: smpp34.SubmitSmEvent) -> dict[str, Any]:
    """Addresses from the phone to who wrote to it."""
    return {
        "source_addr": event.destination_addr,
        "source_addr_ton": 1,
        "source_addr_npi": 1,
        "destination_addr": event.source_addr,
    }


def _half() -> bytes:
    """Of a PDU; the library composes deliver_sm for us, and no response."""
    whole = smpp34.DeliverSm("447973100000", "ACME", b"never heard to the end", sequence_number=77).encode()
    return whole[: len(whole) // 2]


def _receipt(event: smpp34.SubmitSmEvent, message_id: str, stat: str, rule: dict[str, Any]) -> dict[str, Any]:
    form = _DATES[rule["dates"]]
    now, done = time.strftime(form), time.strftime(form, time.localtime(time.time() + rule["dated"]))
    text = (
        f"id:{message_id} sub:001 dlvrd:001 submit date:{now} done date:{done} stat:{stat}"
        f" err:{rule['error'] or '000'} text:"
    ).encode()
    tlvs = _tlvs(rule["tlvs"], message_id, stat)
    if rule["place"] == "message_payload":
        tlvs, text = [*tlvs, smpp34.Tlv(smpp34.TLV_MESSAGE_PAYLOAD, text)], b""
    return {**_back(event), "esm_class": rule["esm_class"], "short_message": text, "tlvs": tlvs}


def _tlvs(which: str, message_id: str, stat: str) -> list[smpp34.Tlv]:
    state = smpp34.Tlv(smpp34.TLV_MESSAGE_STATE, bytes((_STATES[stat],)))
    receipted = smpp34.Tlv(smpp34.TLV_RECEIPTED_MESSAGE_ID, message_id.encode() + b"\0")
    return {
        "none": [],
        "state": [state],
        "proper": [receipted, state],
        "vendor": [smpp34.Tlv(_VENDOR, b"\x01\x02\x03"), receipted, state],
        "no-nul": [smpp34.Tlv(smpp34.TLV_RECEIPTED_MESSAGE_ID, message_id.encode()), state],
        "wrong-length": [receipted, smpp34.Tlv(smpp34.TLV_MESSAGE_STATE, b"\0\0" + state.value)],
    }[which]


if __name__ == "__main__":
    asyncio.run(Smsc(int(sys.argv[1]), int(sys.argv[2]) / 1000).serve())
