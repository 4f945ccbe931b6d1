"""Names that must be known: a configuration with all of them, dialects of later versions included."""

from __future__ import annotations

from pathlib import Path

import pytest

from sms_milter.config.load import load
from sms_milter.errors import ConfigError

NAMES = Path(__file__).with_name("names.yaml")


@pytest.fixture
def names(tmp_path: Path) -> Path:
    for secret in ("smsc1.secret", "smsc2.secret"):
        (tmp_path / secret).write_text("secret\n")
    path = tmp_path / "sms-milter.yaml"
    path.write_text(NAMES.read_text().replace("/etc/sms-milter/smsc", f"{tmp_path}/smsc"))
    return path


def test_only_the_dialects_of_later_versions_are_refused(names: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        load(names)
    assert [(fault.path, fault.problem) for fault in refused.value.faults] == [
        (
            f"domains.{domain}.dialect",
            f"dialect '{dialect}' is not available in this version; available: aspsms, clickatell, hsl",
        )
        for domain, dialect in (("send.smscentre.example", "smscentre"),)
    ]


def test_without_them_it_loads(names: Path) -> None:
    head, _, rest = names.read_text().partition("  send.smscentre.example:")
    names.write_text(head + rest[rest.index("accounts:") :])
    loaded = load(names)
    account = loaded.configuration.accounts["acme"]
    assert loaded.configuration.domains["smtp.aspsms.example"].options.long_originator == "truncate"
    assert account.logins.api_id == "3141592"
    assert account.transliterate is False
    assert loaded.configuration.reports.sender == "postmaster@sms.example.com"
    assert [path.name for path in loaded.files] == ["sms-milter.yaml", "smsc1.secret", "smsc2.secret"]
