"""Scripts in the words of docs/simulator.md, played by SMSCs that others have written.

They get a script with all its defaults; times are in seconds. `cannot` names what a library has no means for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from sms_milter.simulate.script import Options
from support.smsc import Smsc

# Per library: (setting, value or None for any but the default) -> why not.
_CANNOT: dict[str, dict[tuple[str, Any], str]] = {
    "node": {
        ("fragment", None): "the library writes whole PDUs",
    },
    "smpp34": {
        ("fragment", None): "the library writes whole PDUs",
        ("refuse_binds", None): "the library takes every bind",
        ("act", "nack"): "the library sends no generic_nack",
        ("act", "outbind"): "the library sends no outbind",
        ("act", "unknown"): "the library sends no other requests than its own",
        ("act", "stall"): "the library answers enquire_link by itself, always",
        ("twice", None): "the library answers a request once",
        ("tlvs", None): "the library puts nothing behind the id of a response",
        ("receipt.carrier", None): "the library sends no data_sm",
        ("status", 0x43): "the library knows other command_status values as 0x08 only",
        ("status", 0x45): "the library knows other command_status values as 0x08 only",
        ("status", 0x0411): "the library knows other command_status values as 0x08 only",
    },
}
LIBRARIES = tuple(_CANNOT)


def cannot(library: str, script: Mapping[str, Any]) -> str:
    """Why that library cannot play this; "" when it can."""
    unable = _CANNOT[library]
    for place, value, default in _settings(Options.model_validate(dict(script)), Options()):
        if value != default and (why := unable.get((place, value)) or unable.get((place, None))):
            return why
    return ""


def _settings(options: Options, plain: Options) -> Iterator[tuple[str, Any, Any]]:
    """Each setting by its name in the script, with its value and its default."""
    yield "fragment", options.fragment, plain.fragment
    yield "refuse_binds", options.refuse_binds, plain.refuse_binds
    for rule in options.rules:
        plain_rule = type(rule)()
        for name in type(rule).model_fields:
            yield name, getattr(rule, name), getattr(plain_rule, name)
        for name in type(rule.receipt).model_fields:
            yield f"receipt.{name}", getattr(rule.receipt, name), getattr(plain_rule.receipt, name)


class Played:
    """An SMSC of others that plays a script, as a `support.hasty.Peer`. It runs on when a test is over."""

    def __init__(self, smsc: Smsc, script: Mapping[str, Any]) -> None:
        assert not cannot(smsc.library, script)
        self._smsc = smsc
        self.port = smsc.port
        smsc.play(Options.model_validate(dict(script)).model_dump(mode="json"))

    @property
    def arrived(self) -> Counter[str]:
        return Counter(one.destination for one in list(self._smsc.received) if one.taken)

    @property
    def binds(self) -> int:
        return self._smsc.binds

    @property
    def submitted(self) -> int:
        return len(self._smsc.received)

    @property
    def is_idle(self) -> bool:
        return self._smsc.receipts_open == 0

    def stop(self) -> None:
        """Its process may serve the next test."""
