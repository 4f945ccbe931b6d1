"""The faults of docs/outcomes.md by SMSCs that others have written, as far as their libraries let them.

Time runs faster for the dispatcher, not for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from support.hasty import Hasty
from support.outcomes import FAULTS, PHONES
from support.played import LIBRARIES, Played, cannot
from support.smsc import Smsc, node_is_missing

pytestmark = [pytest.mark.smsc, pytest.mark.slow]

CASES = [
    pytest.param(library, name, id=f"{library}: {name}")
    for library in LIBRARIES
    for name, fault in FAULTS.items()
    if not cannot(library, fault.script)
]


@pytest.fixture(scope="module")
def smsc(request: pytest.FixtureRequest) -> Iterator[Smsc]:
    library: Literal["node", "smpp34"] = request.param
    if library == "node" and (why := node_is_missing()):
        pytest.skip(why)
    with Smsc(library) as smsc:
        yield smsc


@pytest.mark.parametrize(("smsc", "name"), CASES, indirect=["smsc"])
def test_outcome(tmp_path: Path, smsc: Smsc, name: str) -> None:
    fault = FAULTS[name]
    with Hasty(tmp_path, Played(smsc, fault.script), **fault.esme) as hasty:
        hasty.put(*PHONES)
        fault.outcome(hasty)
