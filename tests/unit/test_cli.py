"""The command line as its users call it: what it prints, and the exit codes of sysexits(3)."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.builders import NOW, mail, message
from contract.fates import receipt, settle, states
from sms_milter.config.secrets import Passwords, verify
from sms_milter.queue.sqlite import SqliteQueue
from support.gate import BASE

COMMAND = str(Path(sys.executable).parent / "sms-milter")
MAIL = b"Subject: Alarm\r\n\r\nDoor open\r\n"
PHONE = "447973100000@sms.haysystems.com"


def run(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([COMMAND, *arguments], input=given, capture_output=True, timeout=60, check=False)


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "sms-milter.yaml"
    path.write_text(yaml.safe_dump(BASE | {"queue": f"sqlite:{tmp_path}/queue.db"}))
    return str(path)


def preview(config: str, *more: str, sender: str = "bob@customer.example", recipient: str = PHONE) -> Any:
    who = ("--client", "192.0.2.10", "--sender", sender, "--recipient", recipient)
    done = run("preview", *who, *more, "-", "--config", config, given=MAIL)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_preview_prints_one_json_object_with_all_its_keys(config: str) -> None:
    verdict = preview(config)
    assert list(verdict) == [
        "action",
        "stage",
        "reply",
        "recipients",
        "dialect",
        "account",
        "messages",
        "answers",
    ]
    assert (verdict["action"], verdict["reply"]) == ("discard", None)
    assert verdict["messages"][0]["text"] == "(Alarm) Door open"


def test_preview_of_a_refusal_is_a_verdict_too(config: str) -> None:
    verdict = preview(config, recipient="help@sms.haysystems.com")
    assert (verdict["action"], verdict["stage"], verdict["reply"]) == ("reject", "rcpt", None)
    assert verdict["recipients"][0]["reply"]["enhanced"] == "5.1.1"
    assert preview(config, sender="<>")["recipients"][0]["reply"]["enhanced"] == "5.7.1"


def test_preview_takes_parameters_as_the_mta_would_give_them(config: str) -> None:
    declared = preview(config, "--mail-parameter", "SIZE=9999999")
    assert declared["recipients"][0]["reply"]["code"] == 552
    asked = preview(config, "--rcpt-parameter", "NOTIFY=SUCCESS")
    assert asked["messages"][0]["receipt"] is True


def explanation(config: str, recipient: str) -> list[str]:
    who = ("--client", "192.0.2.10", "--sender", "bob@customer.example", "--recipient", recipient)
    done = run("preview", *who, "--explain", "-", "--config", config, given=MAIL)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode().splitlines()


def test_preview_explains_what_a_message_costs(config: str) -> None:
    assert explanation(config, PHONE) == [
        "sms.haysystems.com: account acme: its sender @customer.example fits and all that it requires of the"
        " envelope: found",
        "discard",
        "447973100000 from ACME, text: 1 SMS",
        "  GSM 7-bit; 17 septets, 160 in each",
        "  part 1: 17 of 160 septets, 15 of 140 octets; characters 1 to 17, the end: ...'m) Door open'",
    ]


def test_preview_explains_a_refusal(config: str) -> None:
    _, refused, verdict = explanation(config, "help@sms.haysystems.com")
    assert refused.startswith("help@sms.haysystems.com: 550 5.1.1 ")
    assert verdict == "reject"


def test_preview_stores_nothing(config: str, tmp_path: Path) -> None:
    preview(config)
    assert not (tmp_path / "queue.db").exists()


def test_check_says_what_is_wrong_and_where(config: str, tmp_path: Path) -> None:
    good = run("check", "--config", config)
    assert (good.returncode, good.stdout.decode().endswith("no faults\n")) == (0, True)
    bad = tmp_path / "bad.yaml"
    bad.write_text("milter:\n  workerz: 2\n")
    done = run("check", "--config", str(bad))
    assert done.returncode == 1
    assert b"bad.yaml:2: milter.workerz:" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("walk",), 64, "No such command"),
        (("run", "--role", "cook", "--config", "CONFIG"), 64, "milter, dispatch, report"),
        (
            ("preview", "--sender", "a", "--recipient", "b", "--now", "soon", "-", "--config", "CONFIG"),
            64,
            "ISO 8601",
        ),
        (
            ("preview", "--sender", "a", "--recipient", "b", "--macro", "x", "-", "--config", "CONFIG"),
            64,
            "NAME=VALUE",
        ),
        (("preview", "--sender", "a", "--recipient", "b", "/none", "--config", "CONFIG"), 66, "No such file"),
        (("queue", "list", "--config", "CONFIG"), 69, "there is no queue"),
        (("run", "--config", "/none.yaml"), 78, "1 fault in the configuration"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_exit_codes(config: str, arguments: tuple[str, ...], code: int, says: str) -> None:
    done = run(*(config if argument == "CONFIG" else argument for argument in arguments))
    shown = (done.stdout + done.stderr).decode()
    assert done.returncode == code, shown
    assert says in shown
    assert "Traceback" not in shown


def test_an_address_in_use_is_no_traceback(config: str, tmp_path: Path) -> None:
    settings = yaml.safe_load(Path(config).read_text())
    settings["milter"] = {"socket": f"unix:{tmp_path}/none/milter.sock"}
    Path(config).write_text(yaml.safe_dump(settings))
    done = run("run", "--config", config)
    assert done.returncode == 71
    assert b"Traceback" not in done.stderr


def test_hash_password_prints_what_verifies() -> None:
    done = run("hash-password", given=b"secret\n")
    assert verify(done.stdout.decode().strip(), "secret")
    assert not verify(done.stdout.decode().strip(), "other")
    assert run("hash-password", given=b"\n").returncode == 64
    of_md5 = run("hash-password", "--md5", given=b"123\n").stdout.decode().strip()
    assert Passwords().right(of_md5, "202cb962ac59075b964b07152d234b70", digest=True)


# --- the queue ----------------------------------------------------------------------------------------------


def test_mails_are_held_released_cancelled_and_sent_again(config: str, tmp_path: Path) -> None:
    settings = yaml.safe_load(Path(config).read_text())
    Path(config).write_text(yaml.safe_dump(settings | {"log": {"to": "stderr"}}))
    queue = SqliteQueue(str(tmp_path / "queue.db"))
    queue.put([mail(message(parts=2), mta_queue_id="4QID", at=time.time()), mail(message("3"))], NOW)
    held = run("queue", "hold", "4QID", "--config", config)
    assert (held.returncode, held.stdout) == (0, b"2 parts held\n")
    assert b"4QID: to=447973100000, queue=1, part=2/2, status=held by the operator" in held.stderr
    assert run("queue", "release", "--to", "4479", "--config", config).stdout == b"2 parts released\n"
    assert run("queue", "cancel", "--all", "--config", config).stdout == b"3 parts cancelled\n"
    assert states(queue) == ["failed"] * 3
    again = run("queue", "retry", "--state", "failed", "--account", "acme", "--config", config)
    assert again.stdout == b"3 parts to be sent now\n"
    assert states(queue) == ["queued"] * 3


@pytest.mark.parametrize("command", ["hold", "release", "retry", "cancel"])
def test_which_parts_must_be_said(config: str, tmp_path: Path, command: str) -> None:
    SqliteQueue(str(tmp_path / "queue.db")).put([mail()], NOW)
    nothing = run("queue", command, "--config", config)
    assert nothing.returncode == 64
    assert b"--all" in nothing.stderr
    unknown = run("queue", command, "4NONE", "--config", config)
    assert (unknown.returncode, unknown.stdout[:7]) == (69, b"0 parts")


def test_an_smsc_is_traced_for_a_while(config: str, tmp_path: Path) -> None:
    queue = SqliteQueue(str(tmp_path / "queue.db"))
    queue.put([mail()], NOW)
    done = run("trace", "primary", "--minutes", "5", "--config", config)
    assert done.stdout.startswith(b"PDUs of primary are logged until 2")
    assert queue.traced(time.time() + 290) == {"primary"}
    assert queue.traced(time.time() + 310) == set()
    assert run("trace", "primary", "--off", "--config", config).returncode == 0
    assert queue.traced(time.time() + 1) == set()
    unknown = run("trace", "other", "--config", config)
    assert unknown.returncode == 64
    assert b"there are primary" in unknown.stderr


def test_receipts_that_found_no_part_are_listed(config: str, tmp_path: Path) -> None:
    queue = SqliteQueue(f"{tmp_path}/queue.db")
    settle(queue, receipt("6232619", smsc="primary"))
    queue.close()
    listed = run("receipts", "list", "--config", config).stdout.decode()
    assert "primary" in listed
    assert "6232619" in listed
    (one,) = json.loads(run("receipts", "list", "--json", "--config", config).stdout)
    assert (one["smsc_message_id"], one["stat"]) == ("6232619", "DELIVRD")


def test_the_rule_of_message_ids_is_learnt_from_the_log(tmp_path: Path) -> None:
    lines = (
        "4ABC: to=447973100000, queue=1, part=1/1, smsc=primary, bind=primary/1, sequence=7, delay=0.01, "
        "status=accepted (message_id=5F1A2B)\n"
        "NOQUEUE: from=447973100000, smsc=primary, message_id=6232619, "
        "status=receipt parked (stat=DELIVRD err=000)\n"
    )
    (tmp_path / "mail.log").write_text(lines)
    for done in (
        run("receipts", "learn", str(tmp_path / "mail.log")),
        run("receipts", "learn", given=lines.encode()),
    ):
        assert "receipt_ids: hex-dec" in done.stdout.decode()
    assert b"no receipts" in run("receipts", "learn", given=b"").stdout


LOG = """\
Nov 22 03:15:00 mx postfix/smtpd[1]: 4ABC: client=unknown[192.0.2.10]
Nov 22 03:15:01 mx sms-milter/milter[2]: 4ABC: client=[192.0.2.10], account=acme, status=discard (stored)
Nov 22 03:15:01 mx sms-milter/milter[2]: 4XYZ: client=[192.0.2.10], account=ops, status=discard (stored)
"""


def test_log_tells_the_story_of_a_mail_through_rotated_logs(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    Path(f"{log}.1").write_text(LOG)
    later = (
        "Nov 22 03:15:02 mx sms-milter/dispatch[3]: 4ABC: to=447973100000, status=accepted (message_id=7)\n"
    )
    log.write_text(later)
    story = [*LOG.splitlines()[:2], later.rstrip()]
    assert run("log", "--mail", "4ABC", str(log)).stdout.decode().splitlines() == story
    assert run("log", "--account", "acme", str(log)).stdout.decode().splitlines() == story
    assert run("log", "--mail", "4ABC", "-", given=LOG.encode()).stdout.decode().splitlines() == story[:2]
    records = [
        json.loads(one)
        for one in run("log", "--number", "+447973100000", "--json", str(log)).stdout.splitlines()
    ]
    assert [one["program"] for one in records] == [
        "postfix/smtpd",
        "sms-milter/milter",
        "sms-milter/dispatch",
    ]
    assert (records[2]["status"], records[2]["why"]) == ("accepted", "(message_id=7)")


def test_log_goes_on_with_what_comes(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    log.write_text(LOG)
    with subprocess.Popen(
        [COMMAND, "log", "--follow", "--account", "acme", str(log)], stdout=subprocess.PIPE, text=True
    ) as following:
        assert following.stdout is not None
        assert [following.stdout.readline() for _ in range(2)] == LOG.splitlines(keepends=True)[:2]
        later = "Nov 22 03:15:02 mx sms-milter/dispatch[3]: 4ABC: to=447973100000, status=accepted (x)\n"
        with log.open("a") as out:
            out.write(later)
        assert following.stdout.readline() == later
        following.send_signal(signal.SIGINT)
        try:
            assert following.wait(10) == 0
        finally:
            following.kill()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--mail", "4NONE"), 1, b"the log has nothing of it"),
        (("--mail", "4ABC", "--account", "acme"), 64, b"at a time"),
        (("--number", "ACME"), 64, b"no phone number"),
        (("--since", "yesterday"), 64, b"--since takes"),
        (("-",), 64, b"stands alone"),
        (("/no/such/file",), 66, b"no such file"),
    ],
)
def test_log_says_what_is_wrong(tmp_path: Path, arguments: tuple[str, ...], code: int, says: bytes) -> None:
    log = tmp_path / "mail.log"
    log.write_text(LOG)
    done = run("log", *arguments, str(log))
    assert done.returncode == code
    assert says in b" ".join(done.stderr.split())


def test_status_is_a_nagios_check_too(config: str, tmp_path: Path) -> None:
    missing = run("status", "--check", "--config", config)
    assert (missing.returncode, missing.stdout) == (3, b"SMS-MILTER UNKNOWN - there is no queue yet\n")
    queue = SqliteQueue(f"{tmp_path}/queue.db")
    queue.put([mail(message(smsc="primary"))], NOW)
    queue.close()
    bad = run("status", "--check", "--config", config)
    assert bad.returncode == 2
    assert bad.stdout.startswith(
        b"SMS-MILTER CRITICAL - no dispatcher runs, primary has no bind, a part has waited"
    )
    assert b" | backlog_age=" in bad.stdout
    wrong = run("status", "--check", "--backlog-age", "soon", "--config", config)
    assert (wrong.returncode, b"--backlog-age takes two values" in wrong.stdout) == (3, True)
    (tmp_path / "queue.db").write_bytes(b"not a database" * 100)
    assert run("status", "--check", "--config", config).returncode == 2
