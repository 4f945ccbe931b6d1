"""Wireshark's dissectors: SMPP with its user data header, WSP and WBXML; and the TPDU that a phone gets."""

from __future__ import annotations

import json
import struct
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from support.requirements import program

_RAW_IP, _USER_0 = 101, 147  # link types of pcap files
_SMPP_PORT, _OUR_PORT = 2775, 40000
_LAYERS = "smpp gsm_sms gsm_sms_ud wsp wbxml"

Layers = dict[str, Any]


def smpp(pdus: Sequence[bytes], default: str = "GSM 7-bit") -> list[Layers]:
    """What it says of each PDU of one connection, where data_coding 0 means `default`. Parts of a message are
    joined at the last of them.
    """
    options = ["-d", f"tcp.port=={_SMPP_PORT},smpp", "-o", f"smpp.decode_sms_over_smpp:{default}"]
    return _dissected(_RAW_IP, list(_segments(pdus)), options)


def tpdus(octets: Sequence[bytes]) -> list[Layers]:
    """What it says of each SMS-DELIVER."""
    return _dissected(_USER_0, octets, ["-o", 'uat:user_dlts:"User 0 (DLT=147)","gsm_sms","0","","0",""'])


def found(layers: Any, name: str) -> list[Any]:
    """Every value of the field `name`, however deep."""
    if isinstance(layers, list):
        return [value for one in layers for value in found(one, name)]
    if not isinstance(layers, dict):
        return []
    here = layers.get(name, [])
    values = list(here) if isinstance(here, list) else [here]
    return values + [value for key, one in layers.items() if key != name for value in found(one, name)]


def octets_of(value: str) -> bytes:
    """A field of octets, which it writes in hexadecimal with colons."""
    return bytes.fromhex(value.replace(":", ""))


def _segments(pdus: Sequence[bytes]) -> Iterator[bytes]:
    """IPv4 packets of one TCP connection, one PDU each; nobody checks the checksums."""
    sequence = 1
    for pdu in pdus:
        tcp = struct.pack(">HHIIBBHHH", _OUR_PORT, _SMPP_PORT, sequence, 1, 0x50, 0x18, 8192, 0, 0)
        addresses = bytes((192, 0, 2, 1, 192, 0, 2, 2))
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 40 + len(pdu), sequence & 0xFFFF, 0, 64, 6, 0) + addresses
        yield ip + tcp + pdu
        sequence += len(pdu)


def _dissected(link_type: int, frames: Sequence[bytes], options: Sequence[str]) -> list[Layers]:
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link_type)
    records = [struct.pack("<IIII", at, 0, len(one), len(one)) + one for at, one in enumerate(frames)]
    with tempfile.TemporaryDirectory() as folder:
        capture = Path(folder) / "frames.pcap"
        capture.write_bytes(head + b"".join(records))
        done = subprocess.run(
            [program("tshark"), "-r", capture, *options, "-T", "json", "--no-duplicate-keys", "-J", _LAYERS],
            capture_output=True,
            check=True,
            timeout=120,
            env={"PATH": "/usr/bin:/bin", "HOME": folder, "WIRESHARK_CONFIG_DIR": folder, "LANG": "C.UTF-8"},
        )
    packets = json.loads(done.stdout)
    assert len(packets) == len(frames)
    return [packet["_source"]["layers"] for packet in packets]
