"""Settings of all tests, and what many of them share."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from support.postgres import Postgres

# Repeatable, and never a matter of speed; `--hypothesis-profile=searching` looks further.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("searching", deadline=None)
settings.load_profile("repeatable")

# Of a background job's processes a shell has SIGINT ignored, and so would all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    """Have failures told when they happen: a run that is ended from outside has said what was wrong."""
    config.pluginmanager.register(_AtOnce(config))


class _AtOnce:
    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @pytest.hookimpl(trylast=True)  # when its letter has been printed
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if report.failed and terminal:
            crash = getattr(report.longrepr, "reprcrash", None)
            why = crash.message if crash else report.longreprtext
            terminal.ensure_newline()
            terminal.write_line(
                f"{report.nodeid} failed ({report.when}, {report.duration:.0f} s): {why[:400]}"
            )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What looks back at the whole run comes last."""
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for all tests that do not stop it."""
    with Postgres() as server:
        yield server


@pytest.fixture
def database(postgres: Postgres) -> Iterator[str]:
    """The name of an empty database on it."""
    with postgres.database() as name:
        yield name
