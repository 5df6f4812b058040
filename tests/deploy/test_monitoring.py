"""What dashboards and alerts ask for exists, under the names and labels that they use."""

import importlib
import importlib.util
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tiza.api.instruments import Instruments

FOLDER = Path(__file__).parents[2] / "deploy" / "monitoring"
NAME = re.compile(r"\b(tiza_[a-z_]+|up)\b(?:\{([^}]*)\})?")
OURS = Instruments()
PROMETHEUS = {"up": {"job", "instance"}}
ADDED = {"le", "job", "instance"}  # by histograms, and by Prometheus to what it collects


def rules() -> list[dict[str, Any]]:
    """Return the alerts."""
    groups = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    """Return the dashboard's panels that ask for something."""
    board = json.loads((FOLDER / "grafana" / "tiza.json").read_text())
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def queries() -> list[str]:
    """Return what both ask Prometheus."""
    asked = [target["expr"] for panel in panels() for target in panel["targets"]]
    return [rule["expr"] for rule in rules()] + asked


def labels_of(name: str) -> set[str]:
    """Return the labels of a series; a KeyError names one that does not exist."""
    return PROMETHEUS[name] if name in PROMETHEUS else OURS.labels[name] | ADDED


@pytest.mark.parametrize("query", queries())
def test_metric_exists_when_a_query_names_it(query: str) -> None:
    """With every label that the query picks or sums by."""
    named = NAME.findall(query)
    assert named
    have: set[str] = set()
    for name, picked in named:
        labels = labels_of(name)
        assert set(re.findall(r"(\w+)\s*(?:=|!=|=~|!~)", picked)) <= labels, name
        have |= labels
    for group in re.findall(r"\bby \(([^)]*)\)", query):
        assert {label.strip() for label in group.split(",")} <= have


def test_everything_counted_is_shown_when_the_dashboard_is_opened() -> None:
    """A metric that nobody can see need not be counted."""
    shown = {name for query in queries() for name, _ in NAME.findall(query)}
    ends = re.compile(r"_(bucket|sum|count)$")
    unseen = {
        name
        for name in OURS.labels
        if ends.sub("", name) not in {ends.sub("", each) for each in shown}
    }
    assert not unseen


def test_alerts_say_what_to_do_when_they_fire() -> None:
    """Each has a severity, a sentence, and a next step; names are told apart."""
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names)) >= 10
    for rule in rules():
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert set(rule["annotations"]) == {"summary", "what_to_do"}


def test_panels_do_not_overlap_when_they_are_drawn() -> None:
    """Each has its own id and its own place in 24 columns."""
    taken: set[tuple[int, int]] = set()
    assert len({panel["id"] for panel in panels()}) == len(panels())
    for panel in panels():
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (place["x"] + column, place["y"] + line)
            for column in range(place["w"])
            for line in range(place["h"])
        }
        assert not taken & cells, panel["title"]
        taken |= cells


def test_nothing_is_lost_when_grafanas_own_types_read_the_dashboard() -> None:
    """Every field is one that Grafana knows, at its place and of its type."""
    if importlib.util.find_spec("grafana_foundation_sdk") is None:
        pytest.skip("needs grafana-foundation-sdk: make test installs it into .venv")
    plugins = importlib.import_module("grafana_foundation_sdk.cog.plugins")
    encoder = importlib.import_module("grafana_foundation_sdk.cog.encoder")
    types = importlib.import_module("grafana_foundation_sdk.models.dashboard")
    plugins.register_default_plugins()
    written = json.loads((FOLDER / "grafana" / "tiza.json").read_text())
    read = encoder.JSONEncoder().encode(types.Dashboard.from_json(written))
    assert list(lost(written, json.loads(read))) == []


def lost(written: Any, read: Any, place: str = "") -> Iterator[str]:
    """Yield the places of what was written and is not read; defaults may have been added."""
    if isinstance(written, dict) and isinstance(read, dict):
        for name, value in written.items():
            yield from lost(value, read.get(name), f"{place}/{name}")
    elif isinstance(written, list) and isinstance(read, list) and len(written) == len(read):
        for number, (one, other) in enumerate(zip(written, read, strict=True)):
            yield from lost(one, other, f"{place}/{number}")
    elif written != read:
        yield place


def test_rules_fire_as_described_when_promtool_tries_them() -> None:
    """Prometheus itself reads them, and fires each in the case that it is for."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: it comes with Debian's package prometheus")
    for command in (
        ["check", "rules", "alerts.yml"],
        ["check", "config", "--syntax-only", "prometheus.yml"],
        ["test", "rules", "alerts_test.yml"],
    ):
        tried = subprocess.run(
            [promtool, *command], cwd=FOLDER, capture_output=True, text=True, check=False
        )
        assert tried.returncode == 0, tried.stdout + tried.stderr
