"""What a service reads before it forks is all that its roles ever read: an upgrade changes the files."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from support.places import ROOT
from support.postgres import Postgres

# After `learn` nothing of ours can be imported or read any more, as if it were another version's.
WORKS = """
import importlib.resources, sys
from contract.builders import NOW, mail
from contract.fates import lease
from sms_milter.config.values import parse_queue_url
from sms_milter.queue import learn, open_queue

class Gone:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "sms_milter":
            raise ImportError(f"{name} is another version's by now")

def gone(*_):
    raise AssertionError("the files are another version's by now")

url = parse_queue_url(sys.argv[1])
learn(url)
sys.meta_path.insert(0, Gone())
for module in list(sys.modules.values()):
    if getattr(module, "files", None) is importlib.resources.files:
        module.files = gone
queue = open_queue(url)
queue.put([mail()], NOW)
assert len(lease(queue)) == 1
queue.purge(NOW)
queue.close()
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return f"sqlite:{request.getfixturevalue('tmp_path')}/queue.db"
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.url(request.getfixturevalue("database"))


def test_a_role_that_starts_after_the_files_have_changed_is_of_its_own_version(url: str) -> None:
    paths = {"PYTHONPATH": f"{ROOT / 'tests'}:{ROOT / 'milter'}"}
    done = subprocess.run(
        [sys.executable, "-c", WORKS, url], capture_output=True, text=True, env={**os.environ, **paths}
    )
    assert (done.returncode, done.stderr) == (0, "")
