"""Rules about our own side: facts as a good host has them, then one changed at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sms_milter.config.schema import Configuration
from sms_milter.doctor.finding import Finding, Severity, exit_code
from sms_milter.doctor.host import Entry, HostFacts, Identity, Names, Space, findings, may

US = Identity("sms-milter", 900, frozenset({900}))
POSTFIX = Identity("postfix", 100, frozenset({100, 101}))
ROOT = (Entry("/", mode=0o755), Entry("/run", mode=0o755))
DIRECTORY = Entry("/run/sms-milter", mode=0o755, uid=900, gid=900)
SOCKET = Entry("/run/sms-milter/milter.sock", mode=0o660, uid=900, gid=101)
STATE = Entry("/var/lib/sms-milter", mode=0o750, uid=900, gid=900)
QUEUE = Entry("/var/lib/sms-milter/queue.db", mode=0o640, uid=900, gid=900)
WAL = Entry("/var/lib/sms-milter/queue.db-wal", mode=0o640, uid=900, gid=900)
GOOD = HostFacts(
    now=1000.0,
    us=US,
    mta=POSTFIX,
    socket_path=(*ROOT, DIRECTORY, SOCKET),
    queue_path=(*ROOT, STATE, QUEUE),
    queue_beside=(WAL, Entry("/var/lib/sms-milter/queue.db-shm", exists=False)),
    space=Space(10 << 30, 1_000_000),
    newest=("/etc/sms-milter/sms-milter.yaml", 990.0),
    synchronised=True,
)


def names(facts: HostFacts, **milter: Any) -> list[tuple[str, str]]:
    ours = Configuration.model_validate({"milter": milter, "reports": {"submit_to": "127.0.0.1:10026"}})
    return [(one.name, one.severity.value) for one in findings(facts, ours)]


def test_a_good_host_is_left_in_peace() -> None:
    assert names(GOOD) == []
    unknown = replace(GOOD, mta=None, socket_path=(), space=None, synchronised=None)
    assert names(unknown) == []


MISTAKES: list[tuple[dict[str, Any], str, str]] = [
    ({"milter": "Connection refused"}, "milter-down", "critical"),
    ({"socket_path": (*ROOT, replace(DIRECTORY, mode=0o750), SOCKET)}, "socket-directory", "critical"),
    ({"socket_path": (*ROOT, DIRECTORY, replace(SOCKET, gid=900))}, "socket-permissions", "critical"),
    ({"socket_path": (*ROOT, DIRECTORY, replace(SOCKET, mode=0o600))}, "socket-permissions", "critical"),
    ({"queue_path": (*ROOT, replace(STATE, exists=False), QUEUE)}, "queue-directory", "critical"),
    ({"queue_path": (*ROOT, replace(STATE, uid=0), QUEUE)}, "queue-directory", "critical"),
    ({"queue_path": (*ROOT, replace(STATE, mode=0o550), QUEUE)}, "queue-directory", "critical"),
    ({"queue_path": (replace(ROOT[0], mode=0o700), STATE, QUEUE)}, "queue-directory", "critical"),
    ({"queue_path": (*ROOT, STATE, replace(QUEUE, uid=0, gid=0))}, "queue-file", "critical"),
    ({"queue_beside": (replace(WAL, uid=0, gid=0),)}, "queue-file", "critical"),
    ({"space": Space(100 << 20, None)}, "disk-space", "warning"),
    ({"space": Space(10 << 20, None)}, "disk-space", "critical"),
    ({"space": Space(10 << 30, 5)}, "disk-files", "warning"),
    ({"newest": ("/etc/x", 5000.0)}, "clock", "critical"),
    ({"synchronised": False}, "clock-sync", "warning"),
    ({"reports": "Connection refused"}, "reports", "critical"),
    ({"names": Names(unresolved=(("primary", "smsc.invalid", "unknown"),))}, "smsc-name", "critical"),
    ({"names": Names(refused=(("primary", "ESME_RINVPASWD"),))}, "smsc-bind", "critical"),
]


@pytest.mark.parametrize(("change", "name", "severity"), MISTAKES)
def test_each_mistake(change: dict[str, Any], name: str, severity: str) -> None:
    assert names(replace(GOOD, **change)) == [(name, severity)]


def test_a_queue_that_is_not_made_yet_is_no_mistake() -> None:
    assert names(replace(GOOD, queue_path=(*ROOT, STATE, replace(QUEUE, exists=False)))) == []


def test_a_socket_that_strangers_reach() -> None:
    assert names(GOOD, socket="inet:8891@0.0.0.0") == [("socket-open", "warning")]
    assert names(GOOD, socket="inet6:8891@::1") == names(GOOD, socket="unix:/run/x") == []


@pytest.mark.parametrize(
    ("mode", "uid", "gid", "allowed"),
    [
        (0o600, 900, 900, True),
        (0o060, 900, 900, False),  # the owner's class counts alone
        (0o060, 1, 900, True),
        (0o006, 1, 900, False),
        (0o006, 1, 1, True),
        (0o660, 1, 1, False),
    ],
)
def test_the_first_class_that_fits_decides(mode: int, uid: int, gid: int, allowed: bool) -> None:
    entry = Entry("x", mode=mode, uid=uid, gid=gid)
    assert may(US, entry, 6) is allowed
    assert may(Identity("root", 0, frozenset()), entry, 6)


@pytest.mark.parametrize(
    ("severities", "code"),
    [("", 0), ("w", 1), ("wc", 2), ("uc", 2), ("u", 3), ("uw", 1)],
)
def test_exit_codes_are_those_of_nagios(severities: str, code: int) -> None:
    by_letter = {one.value[0]: one for one in Severity}
    assert exit_code(Finding(by_letter[one], "", "", "", "") for one in severities) == code
