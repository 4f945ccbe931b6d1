"""smtpd_milter_maps: for whom Postfix asks other milters than the listener's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sms_milter.config.schema import Configuration
from sms_milter.doctor.finding import Finding
from sms_milter.doctor.postfix import findings, tables
from sms_milter.doctor.postfix.facts import parse

DOMAIN = "sms.example.com"
ENTRY = "{ inet:127.0.0.1:8891, content_timeout=120s, default_action=tempfail }"
TABLE = "cidr:/etc/postfix/clients"
MAIN = """
in_flow_delay = 0s
mail_version = 3.7.11
message_size_limit = 10600000
milter_command_timeout = 30s
milter_default_action = tempfail
milter_protocol = 6
smtpd_milter_maps = TABLE
smtpd_milters = ENTRY
"""
MASTER = """\
10026      inet  n       -       n       -       -       smtpd
cleanup    unix  n       -       n       -       0       cleanup
sms-unclaimed unix -     n       n       -       2       pipe argv=/bin/false
"""


def examine(
    rows: tuple[tables.Row, ...] | None,
    *,
    milters: str = ENTRY,
    table: str = TABLE,
    version: str = "3.7.11",
    reports: str = "",
) -> list[Finding]:
    """With a table of these rows; None for one that could not be listed."""
    main = MAIN.replace("TABLE", table).replace("ENTRY", milters).replace("3.7.11", version)
    facts = parse("/etc/postfix", main, MASTER, "")
    facts = replace(facts, routes={DOMAIN: "sms-unclaimed:"}, client_tables={table: rows})
    ours = {"domains": {DOMAIN: {"dialect": "hsl"}}, "reports": {"submit_to": reports}}
    return findings(facts, Configuration.model_validate(ours))


def test_a_table_that_leaves_us_in_our_place() -> None:
    assert examine(()) == []
    assert examine((("192.0.2.0/24", ENTRY), ("10.0.0.0/8", f"inet:127.0.0.1:11332, {ENTRY}"))) == []


@pytest.mark.parametrize(
    ("result", "says", "chain"),
    [
        ("DISABLE", "nobody is asked about mail of 192.0.2.0/24, not sms-milter", ENTRY),
        ("disable", "nobody is asked", ENTRY),
        ("inet:127.0.0.1:8892", "inet:127.0.0.1:8892 is asked", f"inet:127.0.0.1:8892, {ENTRY}"),
        ("unix:/a, { unix:/b, protocol=6 }", "unix:/a, unix:/b is asked", f"protocol=6 }}, {ENTRY}"),
    ],
)
def test_clients_that_are_taken_away(result: str, says: str, chain: str) -> None:
    [found] = examine((("192.0.2.0/24", result),))
    assert (found.name, found.severity, found.where) == ("client-milters", "warning", TABLE)
    assert says in found.says
    assert found.mend.startswith(f"in {TABLE}, for 192.0.2.0/24: ")
    assert found.mend.endswith(chain)


def test_one_finding_for_all_clients_with_the_same_milters() -> None:
    [found] = examine(tuple((f"10.0.0.{host}", "DISABLE") for host in range(1, 6)))
    assert "10.0.0.1, 10.0.0.2, 10.0.0.3 and 2 more" in found.says


def test_whom_a_table_does_not_name_is_left_out_on_purpose() -> None:
    rows = (("192.0.2.0/24", ENTRY), ("127.0.0.0/8", "DISABLE"))
    assert examine(rows, milters="inet:127.0.0.1:11332") == []


def test_nobody_asks_us_in_the_table_either() -> None:
    [found] = examine((("192.0.2.0/24", "inet:127.0.0.1:8892"),), milters="")
    assert found.name == "not-asked"


def test_a_table_for_every_client() -> None:
    assert [one.name for one in examine(tables.static("DISABLE"), table="static:DISABLE")] == ["not-asked"]
    assert examine(tables.static(f"{{ {ENTRY} }}"), table="static:all", milters="") == []


def test_our_entry_in_a_table_is_looked_at_as_any_other() -> None:
    wrong = ENTRY.replace("tempfail", "accept").replace("120s", "5s")
    found = examine((("192.0.2.0/24", f"{wrong}, inet:127.0.0.1:11332"),), milters="")
    assert [one.name for one in found] == ["milter-order", "default-action", "content-timeout"]
    assert {one.where for one in found} == {"10026/inet for 192.0.2.0/24"}
    assert {one.mend for one in found} == {
        f"in {TABLE}, for 192.0.2.0/24: inet:127.0.0.1:11332, "
        "{ inet:127.0.0.1:8891, content_timeout=120s, default_action=tempfail }"
    }


def test_a_table_is_not_expanded() -> None:
    [found] = examine((("192.0.2.0/24", "$sms_milter"),), milters="")[1:]
    assert (found.name, found.severity) == ("client-milters", "critical")
    assert "$sms_milter is no milter" in found.says
    assert "451 4.3.5" in found.says


def test_a_table_that_cannot_be_listed() -> None:
    [found] = examine(None)
    assert (found.name, found.severity, found.where) == ("client-milters", "unknown", TABLE)
    assert found.mend.startswith(f"postmap -q ADDRESS {TABLE}")
    assert examine(None, milters="") == [found]  # it may be what names us


@pytest.mark.parametrize(
    ("network", "names"),
    [
        ("127.0.0.0/8", ["reports-through-milter"]),
        ("127.0.0.1", ["reports-through-milter"]),
        ("127.0.2.0/24", []),
        ("/^192/", []),
    ],
)
def test_reports_that_a_table_brings_back_to_us(network: str, names: list[str]) -> None:
    found = examine(((network, ENTRY),), milters="", reports="127.0.0.1:10026")
    assert [one.name for one in found] == names
    assert all(one.mend == "postconf -P 10026/inet/smtpd_milter_maps= && postfix reload" for one in found)


def test_postfix_has_it_since_3_2() -> None:
    assert examine(None, version="3.1.15") == []


def test_how_tables_are_written() -> None:
    file = "# ours\n\n192.0.2.0/24  unix:/a,\n   unix:/b\n  # off\nif 10.0.0.0/8\n10.0.0.1 DISABLE\nendif\n"
    assert tables.in_file(file) == (("192.0.2.0/24", "unix:/a,   unix:/b"), ("10.0.0.1", "DISABLE"))
    main_cf = "{ { 192.0.2.0/24 { unix:/a, protocol=6 } }, {if 10.0.0.0/8}, {10.0.0.1 DISABLE} }"
    assert tables.in_place(main_cf) == (
        ("192.0.2.0/24", "{ unix:/a, protocol=6 }"),
        ("10.0.0.1", "DISABLE"),
    )
    assert tables.from_postmap("10.0.0.1\tDISABLE\n") == (("10.0.0.1", "DISABLE"),)
    assert tables.static("{ unix:/a, unix:/b }") == (("", "unix:/a, unix:/b"),)
