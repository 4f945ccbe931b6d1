#!/usr/bin/python3 -I
"""The command, as the Debian package installs it: what Debian lacks lies beside our own modules, and goes first."""

import sys

sys.path.insert(0, "/usr/lib/sms-milter")

from sms_milter.cli import main

main()
