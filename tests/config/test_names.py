"""Names that must be known: a configuration with all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sms_milter.config.load import load

NAMES = Path(__file__).with_name("names.yaml")


@pytest.fixture
def names(tmp_path: Path) -> Path:
    for secret in ("smsc1.secret", "smsc2.secret"):
        (tmp_path / secret).write_text("secret\n")
    path = tmp_path / "sms-milter.yaml"
    path.write_text(NAMES.read_text().replace("/etc/sms-milter/smsc", f"{tmp_path}/smsc"))
    return path


def test_they_load(names: Path) -> None:
    loaded = load(names)
    assert loaded.configuration.domains["send.smscentre.example"].options.error_reply == "reject"
    account = loaded.configuration.accounts["acme"]
    assert loaded.configuration.domains["smtp.aspsms.example"].options.long_originator == "truncate"
    assert account.logins.api_id == "3141592"
    assert account.transliterate is False
    assert loaded.configuration.reports.sender == "postmaster@sms.example.com"
    assert [path.name for path in loaded.files] == ["sms-milter.yaml", "smsc1.secret", "smsc2.secret"]
