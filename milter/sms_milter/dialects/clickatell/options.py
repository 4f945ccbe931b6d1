"""The settings of a domain with `dialect: clickatell`."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator

from sms_milter.config.schema import Section, setting
from sms_milter.config.values import AsciiText, Size
from sms_milter.dialects.clickatell.smart import network_code


class ClickatellOptions(Section):
    """Settings of a domain with `dialect: clickatell`."""

    addresses: tuple[str, ...] = setting(("sms",), doc="Local parts that mail for SMS is sent to.")
    max_mail: Size = setting("10MB", at_least="1KB", doc="The largest mail taken; 552 5.3.4 beyond it.")
    max_parts: int = setting(
        10, at_least=1, at_most=255, doc="The most SMS that one message may need, whatever concat says."
    )
    max_messages: int = setting(
        100_000,
        at_least=1,
        at_most=1_000_000,
        doc="The most messages that one mail may ask for; 554 5.5.3 beyond it.",
    )
    newline: Literal["lf", "crlf"] = setting(
        "lf", doc="What stands between the text lines of a message: one character (lf), or two (crlf)."
    )
    on_unmappable: Literal["ucs2", "replace", "reject"] = setting(
        "ucs2",
        doc="Text that the GSM alphabet cannot show, without unicode:1: sent in UCS-2 (ucs2), with ? in place"
        " of each such character (replace), or refused with error 116 (reject).",
    )
    hold: Literal["local", "smsc"] = setting(
        "local",
        doc="Who waits for the time of a delayed message: our queue (local), or the SMSC (smsc).",
    )
    pass_validity: bool = setting(
        False, doc="Tell the SMSC the validity too, which else counts in our queue only."
    )
    receipts: bool = setting(
        True,
        doc="Ask the SMSC for receipts; false asks for those only of messages with deliv_ack or callback.",
    )
    service_type: AsciiText = setting("", longest=5, doc="The service_type of every submit_sm.")
    reply_style: Literal["full", "single"] = setting(
        "full", doc="A response mail about one destination names it (full), or not (single)."
    )
    strict_credits: bool = setting(
        False,
        doc="A message that costs more than max_credits: refused with error 302 (true), or taken and not"
        " sent, which is status 009.",
    )
    binary_dcs: Literal["4", "0xF5"] = setting(
        "4", doc="The data_coding of ringtones, logos and cards: 4, or 0xF5, which is 8-bit data of class 1."
    )
    operator_network: str = setting(
        "",
        doc="The network (MCC-MNC, such as 262-01) for operator logos that name none; empty refuses them.",
    )

    @field_validator("operator_network")
    @classmethod
    def _is_network(cls, network: str) -> str:
        network_code(network)
        return network
