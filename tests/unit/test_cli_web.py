"""`sms-milter web` where there is nothing to serve."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from sms_milter.cli.web import web
from sms_milter.errors import ConfigError
from support import busy


def test_a_page_that_is_off_is_said_so_with_where_to_read_on(tmp_path: Path) -> None:
    config = tmp_path / "sms-milter.yaml"
    config.write_text("{}\n")
    with pytest.raises(ConfigError, match=r"web: the status page is off; see docs/status-page\.md"):
        web(config)


def test_without_a_queue_there_is_nothing_to_show(tmp_path: Path, capsys: Any) -> None:
    busy.configured(tmp_path)
    with pytest.raises(typer.Exit) as ended:
        web(tmp_path / "sms-milter.yaml")
    assert ended.value.exit_code == 69
    assert "there is no queue at" in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["uvicorn", "starlette", "jinja2"])
def test_what_is_not_installed_is_named(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    busy.configured(tmp_path)
    for name in [name for name in sys.modules if name.startswith(("sms_milter.statuspage", missing))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(typer.Exit) as ended:
        web(tmp_path / "sms-milter.yaml")
    assert ended.value.exit_code == 69
    assert f"pip install 'sms-milter[web]' ({missing} is missing)" in capsys.readouterr().err
