"""The client never sees our 250 and sends the mail again: one SMS."""

from __future__ import annotations

import pytest

from support.clients import Clients
from support.host import Host

pytestmark = [pytest.mark.mta, pytest.mark.smsc, pytest.mark.slow]

NUMBERS = [f"4479732{number:05}" for number in range(100)]


def test_clients_that_vanish_after_the_final_dot() -> None:
    with Host() as host:
        host.start()
        with Clients(host.port, NUMBERS, hasty=True) as clients:
            pass
        assert clients.accepted == set(NUMBERS)
        host.wait_for_all(clients.accepted)
        assert host.twice() == set()
        assert host.service.log.count("repeat of a stored mail") > 0
