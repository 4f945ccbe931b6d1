"""Fault tests run where Postfix does."""

from __future__ import annotations

import pytest

from support.requirements import missing


@pytest.fixture(autouse=True)
def _postfix() -> None:
    if why := missing("postfix"):
        pytest.skip(why)
