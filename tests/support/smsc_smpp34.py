"""The SMSC of `support.smsc` with PyPI's smpp34. Run: `python -m support.smsc_smpp34 PORT DELAY_MS`."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from itertools import count

import smpp34

_FIELDS = (
    *("service_type", "source_addr", "source_addr_ton", "source_addr_npi"),
    *("destination_addr", "dest_addr_ton", "dest_addr_npi"),
    *("esm_class", "protocol_id", "data_coding", "registered_delivery"),
)
_MESSAGE_IDS = count(1)


def tell(event: str, **facts: object) -> None:
    """One JSON line."""
    sys.stdout.write(json.dumps({"event": event, **facts}) + "\n")
    sys.stdout.flush()


async def answer(event: smpp34.SubmitSmEvent, esme: smpp34.Esme, delay_seconds: float) -> None:
    """Accept or refuse one submit_sm, then send its receipt."""
    if delay_seconds:
        await asyncio.sleep(delay_seconds)
    refused = event.destination_addr.endswith("11")
    message_id = "" if refused else f"{next(_MESSAGE_IDS):08X}"
    facts = {name: getattr(event, name) for name in _FIELDS}
    tlvs = {f"{tlv.tag:04x}": tlv.value.hex() for tlv in event.tlvs}
    tell("submit", message_id=message_id, short_message=event.short_message.hex(), tlvs=tlvs, **facts)
    if refused:
        event.reject(smpp34.ESME_RINVDSTADR)
        return
    event.accept(message_id=message_id)
    if event.registered_delivery & 1 and esme.can_receive:
        await deliver_receipt(event, esme, message_id)
    if event.destination_addr.endswith("0070707") and esme.can_receive:
        await esme.deliver_sm(
            source_addr=event.destination_addr,
            source_addr_ton=1,
            source_addr_npi=1,
            destination_addr=event.source_addr,
            short_message=b"Yes, I do!",
        )


async def deliver_receipt(event: smpp34.SubmitSmEvent, esme: smpp34.Esme, message_id: str) -> None:
    """A receipt in the form of SMPP 3.4 appendix B."""
    stat = "EXPIRED" if event.destination_addr.endswith("03") else "DELIVRD"
    now = time.strftime("%y%m%d%H%M")
    text = f"id:{message_id} sub:001 dlvrd:001 submit date:{now} done date:{now} stat:{stat} err:000 text:"
    await esme.deliver_sm(
        source_addr=event.destination_addr,
        source_addr_ton=1,
        source_addr_npi=1,
        destination_addr=event.source_addr,
        esm_class=0x04,
        short_message=text.encode(),
    )


async def serve(port: int, delay_seconds: float) -> None:
    """Until killed."""
    asyncio.get_running_loop().add_reader(sys.stdin, lambda: os._exit(0))  # the test is gone
    server = smpp34.Server(host="127.0.0.1", port=port, system_id="smpp34", inbound_capacity=10_000)
    await server.start()
    tell("listening")
    sessions: dict[str, smpp34.Esme] = {}
    tasks: set[asyncio.Task[None]] = set()
    while True:
        event = await server.next()
        if isinstance(event, smpp34.Esme):
            sessions[event.session_id] = event
            tell("bound")
        elif isinstance(event, smpp34.SubmitSmEvent):
            task = asyncio.create_task(answer(event, sessions[event.session_id], delay_seconds))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        elif sessions.pop(event.session_id, None):
            tell("unbound")


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]) / 1000))
