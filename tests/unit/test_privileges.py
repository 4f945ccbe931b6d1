"""Who we are when root has started us."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys

import pytest

# What a C library sees, too: it knows nothing of os.environ.
SAYS = """
import ctypes, os
from sms_milter.privileges import give_up_privileges
libc = ctypes.CDLL(None)
libc.getenv.restype = ctypes.c_char_p
give_up_privileges("nobody")
print(os.geteuid(), os.getegid(), *[libc.getenv(name).decode() for name in (b"HOME", b"USER", b"LOGNAME")])
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_the_account_s_home_is_ours_from_then_on() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SAYS], env={**os.environ, "HOME": "/root"}, capture_output=True, text=True
    )
    nobody = pwd.getpwnam("nobody")
    assert done.stderr == ""
    assert done.stdout.split() == [
        *(str(nobody.pw_uid), str(nobody.pw_gid), nobody.pw_dir, "nobody", "nobody")
    ]
