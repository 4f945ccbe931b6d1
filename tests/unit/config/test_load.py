"""Reading files: what comes out, and files that cannot be used."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from sms_milter.config import schema
from sms_milter.config.load import load
from sms_milter.config.schema import declared
from sms_milter.dialects import DIALECTS
from sms_milter.errors import ConfigError

GOOD = Path(__file__).parents[2] / "config" / "good"
SMSC = "smscs:\n  primary: {host: smsc1.example.net, system_id: acme}\n"
ROUTES = 'routes:\n  default:\n    - {to: "*", via: [primary]}\n'


def faults(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        load(path)
    return [str(fault).replace(f"{path.parent}/", "") for fault in refused.value.faults]


def test_a_missing_file(tmp_path: Path) -> None:
    assert faults(tmp_path / "gone.yaml") == ["gone.yaml: cannot be read: no such file or directory"]


def test_a_directory(tmp_path: Path) -> None:
    (tmp_path / "sms-milter.yaml").mkdir()
    assert faults(tmp_path / "sms-milter.yaml") == ["sms-milter.yaml: is a directory"]


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert faults(tmp_path / "pipe") == ["pipe: is not a regular file"]


def test_a_name_that_is_none(tmp_path: Path) -> None:
    assert faults(tmp_path / "a\0b") == ["a\0b: is not a file name"]


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "sms-milter.yaml").touch()
    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert faults(tmp_path / "sms-milter.yaml") == ["sms-milter.yaml: cannot be read: permission denied"]


def test_a_byte_order_mark_and_dos_lines_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "sms-milter.yaml"
    (tmp_path / "dos.secret").write_bytes(b"secret\r\nmore\r\n")
    smsc = SMSC.replace("acme}", "acme, password_file: dos.secret}")
    path.write_bytes(b"\xef\xbb\xbf" + smsc.replace("\n", "\r\n").encode())
    assert load(path).configuration.smscs["primary"].password == "secret"


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200) | st.text(alphabet="ab:-[]{}&*!|>'\"#,\n \t<%@", max_size=80).map(str.encode))
def test_any_octets_are_a_configuration_or_faults(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "sms-milter.yaml"
    path.write_bytes(octets)
    with contextlib.suppress(ConfigError):
        load(path)  # nothing else may be raised


ROW: dict[str, object] = {"host": "h", "system_id": "s"}
ABOVE: dict[type[BaseModel], Callable[[dict[str, object]], dict[str, object]]] = {
    schema.Configuration: lambda below: below,
    schema.MilterSettings: lambda below: {"milter": below},
    schema.LogSettings: lambda below: {"log": below},
    schema.Domain: lambda below: {"domains": {"a.example": below}},
    DIALECTS["hsl"].options: lambda below: {"domains": {"a.example": {"dialect": "hsl"} | below}},
    schema.Account: lambda below: {"accounts": {"acme": below}},
    schema.Logins: lambda below: {"accounts": {"acme": {"logins": below}}},
    schema.Quota: lambda below: {"accounts": {"acme": {"quota": below}}},
    schema.Smsc: lambda below: {"smscs": {"primary": ROW | below}},
    schema.RouteRule: lambda below: {"routes": {"default": [{"to": "*", "via": ["primary"]} | below]}},
    schema.Limits: lambda below: {"limits": below},
    schema.DuplicateLimit: lambda below: {"limits": {"duplicates": below}},
    schema.FloodLimit: lambda below: {"limits": {"flood": below}},
    schema.LoginLimit: lambda below: {"limits": {"failed_logins": below}},
    schema.Reports: lambda below: {"reports": below},
}
SETTINGS = [(section, one.name) for section in ABOVE for one in declared(section).values()]
ODD: list[object] = [
    None, "", " ", "x", "\0", "\n", "-1", "9" * 30, "1e999", "nan", "é", [], [None], [[]], [{}], ["", "\0*"],
    {}, {"x": None}, {"x": []}, {"": ""}, {"x": {"x": [{}]}}, [{"x": "x"}], {"5": ["x"]}, {"x": [{}]},
]  # fmt: skip


@pytest.mark.parametrize(("section", "name"), SETTINGS)
def test_any_value_of_any_setting_is_taken_or_refused_without_harm(
    tmp_path: Path, section: type[BaseModel], name: str
) -> None:
    path = tmp_path / "sms-milter.yaml"
    for value in ODD:
        for key in (name, f"{name}_file") if declared(section)[name].secret else (name,):
            path.write_text(json.dumps(ABOVE[section]({key: value})))
            with contextlib.suppress(ConfigError):
                load(path)  # nothing else may be raised


def test_very_deep_nesting_is_refused_without_harm(tmp_path: Path) -> None:
    path = tmp_path / "sms-milter.yaml"
    path.write_text("a: " + "[" * 100_000)
    assert faults(path) == ["sms-milter.yaml:1: more than 32 levels below each other"]


def test_files_are_listed_in_the_order_of_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(GOOD / "03-one-account-per-file")
    loaded = load(Path("sms-milter.yaml"))
    assert [str(path) for path in loaded.files] == [
        "sms-milter.yaml",
        "accounts.d/acme.yaml",
        "accounts.d/other.yaml",
        "smscs.yaml",
        "accounts.d/../night.numbers",
        "primary.secret",
    ]
    assert list(loaded.configuration.accounts) == ["acme", "other"]
    assert loaded.configuration.accounts["acme"].closed_group == ("41790000000", "41790000001", "4178*")
    assert loaded.configuration.smscs["primary"].password == "secret"


def test_an_empty_group_is_another_thing_than_none(tmp_path: Path) -> None:
    path = tmp_path / "sms-milter.yaml"
    (tmp_path / "empty.numbers").write_text("# nobody\n")
    path.write_text(
        "accounts:\n  nobody: {closed_group: []}\n  off: {closed_group: null}\n"
        "  file: {closed_group: [file:empty.numbers]}\n" + SMSC + ROUTES
    )
    accounts = load(path).configuration.accounts
    assert accounts["nobody"].closed_group == ()
    assert accounts["off"].closed_group is None
    assert accounts["file"].closed_group == ()


def test_merged_mappings_give_way_to_what_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(GOOD / "04-shared-by-aliases")
    whole = load(Path("sms-milter.yaml")).configuration
    assert whole.accounts["other"].senders == ("@other.example",)
    assert whole.accounts["other"].quota == whole.accounts["acme"].quota
    assert (whole.smscs["backup"].host, whole.smscs["backup"].window) == ("smsc2.example.net", 20)


def test_scalars_stay_as_they_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(GOOD / "06-numbers-stay-as-written")
    whole = load(Path("sms-milter.yaml")).configuration
    account = whole.accounts["acme"]
    assert whole.milter.socket_mode == "0600"
    assert account.originators == ("+41790000000", "0123", "NO", "1e3")
    assert (account.append, account.sasl_users) == ("yes", ("007",))
    assert (whole.smscs["primary"].system_id, whole.smscs["primary"].password) == ("0815", "0123_4")
    assert [rule.to for rule in whole.routes["default"]] == ["+41", "*"]


def test_lists_of_secrets_come_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(GOOD / "05-accepted-without-effect")
    account = load(Path("sms-milter.yaml")).configuration.accounts["acme"]
    assert account.api_keys == ("sha256:00", "sha256:11")
    assert account.password_hash == "$argon2id$not-really"


def test_domains_are_in_lower_case_with_the_options_of_their_dialect(tmp_path: Path) -> None:
    path = tmp_path / "sms-milter.yaml"
    path.write_text(
        "domains:\n  SMS.Example.com: {dialect: hsl, max_mail: 2MB}\n  b.example: {dialect: hsl}\n" + SMSC
    )
    domains = load(path).configuration.domains
    assert list(domains) == ["sms.example.com", "b.example"]
    assert domains["sms.example.com"].options.max_mail == 2 << 20
    assert domains["b.example"].options.max_mail == 1 << 20


def test_an_account_may_use_a_domain_written_in_another_case(tmp_path: Path) -> None:
    path = tmp_path / "sms-milter.yaml"
    path.write_text(
        "domains:\n  SMS.example.com: {dialect: hsl}\naccounts:\n  acme: {domains: [sms.EXAMPLE.com]}\n"
        + SMSC
        + ROUTES
    )
    assert load(path).configuration.accounts["acme"].domains == ("sms.example.com",)


def test_includes_in_a_row_have_an_end(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"{number}.yaml").write_text(f"include: {number + 1}.yaml\n")
    assert faults(tmp_path / "0.yaml") == ["15.yaml:1: include: 16.yaml is more than 16 files deep"]


def test_a_pattern_is_relative_to_the_file_it_stands_in(tmp_path: Path) -> None:
    odd = tmp_path / "a[b]"
    odd.mkdir()
    (odd / "sms-milter.yaml").write_text("include: '*.part'\n")
    (odd / "x.part").write_text("log: {to: stderr}\n")
    assert load(odd / "sms-milter.yaml").configuration.log.to == "stderr"
