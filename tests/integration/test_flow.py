"""Postfix does not slow down on mail that a milter takes away (in_flow_delay, deploy/postfix/master.cf)."""

from __future__ import annotations

import subprocess

import pytest

from support.host import Host
from support.requirements import missing

pytestmark = [pytest.mark.mta, pytest.mark.smsc, pytest.mark.slow]

MAILS = 1000
# With the default in_flow_delay this many take longer than ten minutes; without the delay some seconds.
TIMEOUT_SECONDS = 120


def test_a_thousand_mails_are_taken_without_a_pause() -> None:
    if why := missing("postfix"):
        pytest.skip(why)
    account = {"clients": ["127.0.0.1"], "senders": ["load@load.example"], "default_originator": "LOAD"}
    with Host(settings={"accounts": {"load": account}}) as host:
        host.start()
        subprocess.run(
            [
                *("smtp-source", "-m", str(MAILS), "-s", "10", "-f", "load@load.example"),
                *("-t", "447973100000@sms.example.com", f"127.0.0.1:{host.port}"),
            ],
            check=True,
            timeout=TIMEOUT_SECONDS,
        )
        assert host.service.log.count("status=discard (stored)") == MAILS
        host.smsc.wait_for(MAILS, 60)
