"""The committed example and table are what the declarations generate, and the example works."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from sms_milter.config import describe
from sms_milter.config.load import load
from sms_milter.config.schema import (
    Callbacks,
    Configuration,
    DuplicateLimit,
    FloodLimit,
    Limits,
    LoginLimit,
    Quota,
    StatusPage,
    declared,
    inside,
    section_of,
    variants,
)
from sms_milter.dialects import DIALECTS

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "deploy" / "sms-milter.yaml"
TABLE = ROOT / "docs" / "settings.md"


def sections(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield model
    for setting in declared(model).values():
        annotation = setting.annotation
        while annotation is not None and section_of(annotation) is None:
            annotation = inside(annotation)
        if annotation is not None and (below := section_of(annotation)) is not None:
            yield from sections(below)
        yield from (
            one for choice in variants(inside(setting.annotation)).values() for one in sections(choice)
        )


ALL = [*sections(Configuration), *(dialect.options for dialect in DIALECTS.values())]


def test_the_example_is_generated() -> None:
    assert describe.example() == EXAMPLE.read_text(), "python -m sms_milter.config.describe example"


def test_the_table_is_generated() -> None:
    assert describe.table() == TABLE.read_text(), "python -m sms_milter.config.describe table"


def test_the_simulator_is_described_as_it_is() -> None:
    text = TABLE.with_name("simulator.md").read_text()
    assert describe.simulator() == text, "python -m sms_milter.config.describe simulator"


@pytest.mark.parametrize("section", ALL, ids=lambda section: section.__name__)
def test_every_setting_is_documented_in_both(section: type[BaseModel]) -> None:
    example, table = EXAMPLE.read_text(), TABLE.read_text()
    for name, setting in declared(section).items():
        assert setting.doc, name
        assert re.search(rf"^[ #-]*{re.escape(name)}(_file)?:", example, re.MULTILINE), name
        assert f"| `{name}` |" in table


def test_nothing_is_documented_that_is_not_declared() -> None:
    known = {name for section in ALL for name in declared(section)}
    shown = set(re.findall(r"^\| `(\w+)` \|", TABLE.read_text(), re.MULTILINE))
    assert shown == known


def test_the_example_loads_without_notes(tmp_path: Path) -> None:
    text = EXAMPLE.read_text()
    for secret in set(re.findall(r"_file: (/\S+)", text)):
        (tmp_path / Path(secret).name).write_text("secret\n")
        text = text.replace(secret, str(tmp_path / Path(secret).name))
    path = tmp_path / "sms-milter.yaml"
    path.write_text(text)
    loaded = load(path)
    assert loaded.notes == ()
    assert loaded.configuration.smscs["primary"].password == "secret"


def uncommented(text: str) -> Iterator[str]:
    """The example with its optional sections, which stand in comments below their defaults."""
    lines, block = text.splitlines(), ""
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        optional = re.fullmatch(r"( *)(\w+): (null|default|\[\])", line)
        if optional and following == f"{optional[1]}# {optional[2]}:":
            block = f"{optional[1]}# "
        elif block and line.startswith(block) and (line.startswith(f"{block}  ") or line.endswith(":")):
            yield line.replace("# ", "", 1)
        else:
            block = ""
            yield line


def test_what_is_commented_out_loads_too(tmp_path: Path) -> None:
    text = "\n".join(uncommented(EXAMPLE.read_text()))
    path = tmp_path / "sms-milter.yaml"
    text = re.sub(r"(password|token)_file: \S+", r"\1: secret", text)
    path.write_text(re.sub(r"password_hash_file: \S+", "password_hash: $argon2id$", text))
    configuration = load(path).configuration
    assert configuration.web == StatusPage(password_hash="$argon2id$", hosts=("mail.example.com",))
    assert list(configuration.channels) == ["email", "voice", "hlr"]
    assert configuration.callbacks == Callbacks(token="secret")
    assert configuration.accounts["acme"].quota == Quota()
    assert configuration.limits == Limits(
        duplicates=DuplicateLimit(), flood=FloodLimit(), failed_logins=LoginLimit()
    )


def test_the_domains_of_other_dialects_load_too(tmp_path: Path) -> None:
    head, domains, rest = re.split(
        r"^(domains:$.*?)(?=^\S)", EXAMPLE.read_text(), maxsplit=1, flags=re.M | re.S
    )
    domains = re.sub(r"^  # (\S+\.example\.com:$|  )", r"  \1", domains, flags=re.M)
    path = tmp_path / "sms-milter.yaml"
    path.write_text(re.sub(r"password_file: \S+", "password: secret", head + domains + rest))
    shown = {domain.dialect: domain.options for domain in load(path).configuration.domains.values()}
    assert shown == {name: dialect.options() for name, dialect in DIALECTS.items()}


def test_the_command_prints_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert describe.main(["table"]) == 0
    assert capsys.readouterr().out == describe.table()
    assert describe.main([]) == 64
