"""Run by Debian's Python, which has gammu: reads messages as lists of TPDUs in hex, writes what it sees."""

import json
import sys

import gammu  # type: ignore[import-not-found]  # not in our virtual environment


def plain(value):
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def entries(parts):
    whole = gammu.DecodeSMS(parts)
    return [] if whole is None else whole["Entries"]


READERS = {"BEGIN:VCARD": gammu.DecodeVCARD, "BEGIN:VCALENDAR": gammu.DecodeVCS}


def card(parts):
    octets = b"".join(part["Text"] for part in parts if isinstance(part["Text"], bytes))
    read = READERS.get(octets.partition(b"\r\n")[0].decode("latin-1"))
    if read is None:
        return {}
    return {one["Type"]: plain(one["Value"]) for one in read(octets.decode("latin-1"))["Entries"]}


messages = []
for tpdus in json.load(sys.stdin):
    read = [gammu.DecodePDU(bytes.fromhex(tpdu), False) for tpdu in tpdus]
    messages.append({"parts": plain(read), "entries": plain(entries(read)), "card": card(read)})
json.dump(messages, sys.stdout)
