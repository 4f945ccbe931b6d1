"""Settings of all tests."""

from __future__ import annotations

from hypothesis import settings

# Repeatable, and never a matter of speed; `--hypothesis-profile=searching` looks further.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("searching", deadline=None)
settings.load_profile("repeatable")
