"""The expressions of contrib/'s alert rules and dashboard, and the metrics that they ask for."""

from __future__ import annotations

import json
import re

import yaml

from support.places import ROOT

RULES = ROOT / "contrib/prometheus/sms-milter.rules.yml"
DASHBOARD = ROOT / "contrib/grafana/sms-milter.json"


def alerts() -> list[str]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule["expr"] for group in groups for rule in group["rules"]]


def panels() -> list[str]:
    """With values for Grafana's variables."""
    board = json.loads(DASHBOARD.read_text())
    found = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    return [one.replace("$__rate_interval", "5m").replace("$smsc", ".*") for one in found]


def names(expression: str) -> set[str]:
    return set(re.findall(r"\bsms_milter_\w+", expression))


def labels(expression: str) -> set[str]:
    """Those that it groups by or selects."""
    grouped = re.findall(r"\bby \(([^)]*)\)", expression)
    return {
        *(name.strip() for group in grouped for name in group.split(",")),
        *re.findall(r"[{,]\s*(\w+)\s*(?:=~|!~|!=|=)", expression),
    }
