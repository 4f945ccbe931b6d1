"""The real systemd-journald, in a namespace of its own, keeps our fields, and `sms-milter log` reads them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

JOURNALD = Path("/lib/systemd/systemd-journald")
LINE = "4ABC: to=447973100000, account=acme, status=accepted (message_id=7)"

# What the arguments are: our Python, the sms-milter command.
PLAY = f"""
set -eu
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/journal /run/log/journal
if [ ! -s /etc/machine-id ]; then
    echo 0123456789abcdef0123456789abcdef >/run/machine-id
    mount --bind /run/machine-id /etc/machine-id
fi
{JOURNALD} 2>/dev/null &
trap "kill $!" EXIT
tries=0
until [ -S /run/systemd/journal/socket ]; do sleep 0.05; tries=$((tries+1)); [ $tries -lt 200 ]; done
"$1" -c 'if True:
    from sms_milter.observe import Log, ToSystemd
    log = Log(ToSystemd("dispatch", "mail"))
    log.error("{LINE}")
    log.info("4XYZ: account=ops, status=discard (stored)")
'
journalctl --sync
journalctl --output=json --no-pager SMS_MILTER_ACCOUNT=acme
"$2" log --journal --number +447973100000
"""


def test_journald_keeps_what_a_line_says() -> None:
    if not JOURNALD.exists() or shutil.which("journalctl") is None:
        pytest.skip("this machine has no systemd-journald")
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode:
        pytest.skip("a journald of our own needs a namespace of its own")
    command = Path(sys.executable).parent / "sms-milter"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", PLAY, "sh", sys.executable, str(command)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    kept, shown = done.stdout.splitlines()
    record = json.loads(kept)
    assert {name: value for name, value in record.items() if name.startswith("SMS_MILTER_")} == {
        "SMS_MILTER_MTA_QUEUE_ID": "4ABC",
        "SMS_MILTER_TO": "447973100000",
        "SMS_MILTER_ACCOUNT": "acme",
        "SMS_MILTER_STATUS": "accepted",
        "SMS_MILTER_WHY": "(message_id=7)",
    }
    assert (record["PRIORITY"], record["SYSLOG_FACILITY"]) == ("3", "2")
    assert shown.endswith(f": error: {LINE}")
