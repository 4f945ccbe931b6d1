"""The case files in cases/, each against every MTA that it names: a real MTA, our service, others' SMSC."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from support.mail_case import MTAS, Case, read_case
from support.requirements import missing
from support.world import World

CASES = [read_case(path) for path in sorted((Path(__file__).parent / "cases").glob("*.case"))]

pytestmark = [pytest.mark.mta, pytest.mark.smsc]


@pytest.fixture(scope="module")
def worlds() -> Iterator[Callable[[str], World]]:
    """One world for each MTA, made when first asked for."""
    with ExitStack() as stack:

        @cache
        def world(mta: str) -> World:
            if why := missing(mta):
                pytest.skip(why)
            return stack.enter_context(World(mta, (case.config for case in CASES)))

        yield world


@pytest.mark.parametrize(
    ("mta", "case"),
    [
        pytest.param(mta, case, id=f"{mta}-{case.path.stem}")
        for mta in MTAS
        for case in CASES
        if mta in case.mta
    ],
)
def test_the_dialogue_goes_as_the_case_says(worlds: Callable[[str], World], mta: str, case: Case) -> None:
    worlds(mta).play(case)
