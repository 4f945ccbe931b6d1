"""The table of command_status against SMPP §6."""

from __future__ import annotations

import pytest

from sms_milter.smpp.status import LIMITED_TRIES, Class, classify, retry_delay


@pytest.mark.parametrize(
    ("value", "name", "kind", "dsn"),
    [
        (0x00, "ROK", "-", ""),
        (0x01, "RINVMSGLEN", "P", "5.3.4"),
        (0x03, "RINVCMDID", "C", "5.5.0"),
        (0x04, "RINVBNDSTS", "B", ""),
        (0x08, "RSYSERR", "T", "4.3.0"),
        (0x0A, "RINVSRCADR", "P", "5.1.7"),
        (0x0B, "RINVDSTADR", "P", "5.1.1"),
        (0x0E, "RINVPASWD", "B", ""),
        (0x14, "RMSGQFUL", "H", "4.3.1"),
        (0x43, "RINVESMCLASS", "P", "5.6.0"),
        (0x45, "RSUBMITFAIL", "T", "5.3.0"),
        (0x48, "RINVSRCTON", "C", "5.1.7"),
        (0x51, "RINVDSTNPI", "C", "5.1.3"),
        (0x58, "RTHROTTLED", "H", "4.3.2"),
        (0x61, "RINVSCHED", "P", "5.6.0"),
        (0x64, "RX_T_APPN", "T", "4.3.0"),
        (0x66, "RX_R_APPN", "P", "5.7.1"),
        (0xC0, "RINVOPTPARSTREAM", "C", "5.5.0"),
        (0xFE, "RDELIVERYFAILURE", "P", "5.3.0"),
        (0xFF, "RUNKNOWNERR", "T", "5.3.0"),
        (0x102, "RSERTYPUNAVAIL", "T", "5.7.1"),
        (0x104, "RINVDCS", "P", "5.6.0"),
        (0x112, "SMPP50", "P", "5.7.1"),
        (0x400, "VENDOR", "P", "5.3.0"),
        (0x4FF, "VENDOR", "P", "5.3.0"),
        (0x22, "RESERVED", "T", "5.3.0"),
        (0xFFFFFFFF, "RESERVED", "T", "5.3.0"),
    ],
)
def test_each_status_has_its_class(value: int, name: str, kind: str, dsn: str) -> None:
    found = classify(value)
    assert (found.value, found.name, found.kind, found.dsn) == (value, name, Class(kind), dsn)


@pytest.mark.parametrize("value", [0x45, 0xFF, 0x22, 0x113, 0x500])
def test_some_are_worth_three_tries(value: int) -> None:
    found = classify(value)
    assert found.limited
    assert [found.is_final(tries) for tries in (1, 2, LIMITED_TRIES)] == [False, False, True]


def test_permanent_is_final_at_once_and_temporary_never() -> None:
    assert classify(0x0B).is_final(1)
    assert classify(0x15).is_final(1)
    assert not classify(0x08).is_final(1000)
    assert not classify(0x58).is_final(1000)
    assert not classify(0x04).is_final(1000)


def test_what_ends_in_a_report_has_a_code_for_it() -> None:
    for value in range(0x600):
        found = classify(value)
        if found.kind in (Class.PERMANENT, Class.CONFIGURATION) or found.limited:
            assert found.dsn.startswith("5."), found


def test_the_pauses_between_tries() -> None:
    assert [retry_delay(attempts) for attempts in range(8)] == [30, 60, 120, 300, 600, 900, 900, 900]
    assert retry_delay(10**9) == 900


def test_a_status_reads_well_in_a_log() -> None:
    assert str(classify(0x58)) == "RTHROTTLED 0x00000058 (throttled)"
