"""As many messages in one mail as the interface advises at most (CLK §1): bounded time and memory."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

LINES = 50_000
_PROGRAM = """
import resource, sys, time
from pathlib import Path
from sms_milter.queue.sqlite import SqliteQueue
from property.test_clickatell import LOGIN, desk, judged

lines = int(sys.argv[1])
queue = SqliteQueue(sys.argv[2])
here = desk(max_messages="100000")
here.intake._put = lambda mail: queue.put([mail], mail.received_at)[0]
csv = [b"csv:4483%08d,Ann %d,$15.%02d" % (at, at, at % 100) for at in range(lines)]
body = LOGIN + b"\\r\\n".join([b"reply:a@b.example", b"text:Hi #field1#, your balance is #field2#.", *csv])
started = time.process_time()
verdict = judged(here, [body[at : at + 65535] for at in range(0, len(body), 65535)], "")
print(
    verdict.action,
    len(verdict.plan.messages),
    queue.summary(0.0)["parts"]["queued"],
    time.process_time() - started,
    resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
)
"""


@pytest.mark.slow
def test_fifty_thousand_lines(tmp_path: os.PathLike[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(LINES), os.path.join(tmp_path, "queue.db")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    action, messages, queued, seconds, megabytes = done.stdout.split()
    assert (action, int(messages), int(queued)) == ("discard", LINES, LINES)
    assert float(seconds) < 10
    assert float(megabytes) < 500
