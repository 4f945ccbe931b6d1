"""What stands twice in deploy/ stays the same."""

from __future__ import annotations

import re
from pathlib import Path

POSTFIX = Path(__file__).parents[2] / "deploy" / "postfix"


def services(file: str) -> dict[str, list[str]]:
    """The listeners in a file for master.cf: their options by port."""
    found = re.findall(r"^(\d+) +inet .*\n((?:  .*\n)+)", (POSTFIX / file).read_text(), re.MULTILINE)
    return {port: options.splitlines() for port, options in found}


def test_a_server_of_its_own_listens_as_the_listener_beside_others_and_offers_starttls() -> None:
    beside = services("master.cf")["2525"]
    starttls = "  -o smtpd_tls_security_level=may"
    assert services("master.cf.own-server") == {port: [*beside, starttls] for port in ("25", "587")}
