"""Alerts and the dashboard ask for metrics that the operator exports, by labels that these have."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client import Counter, Histogram
from prometheus_client.metrics import MetricWrapperBase

from ergosphere.controller import metrics

FILES = Path(__file__).parents[3] / "charts/ergosphere/files"
ALERTS = yaml.safe_load((FILES / "alerts.yaml").read_text())["groups"][0]["rules"]
PANELS = json.loads((FILES / "dashboard.json").read_text())["panels"]


def exported() -> dict[str, set[str]]:
    """The labels of each series by its name."""
    series: dict[str, set[str]] = {}
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            for suffix, more in _suffixes(metric):
                series[f"{metric._name}{suffix}"] = {*metric._labelnames, *more}
    return series


def _suffixes(metric: MetricWrapperBase) -> Iterator[tuple[str, set[str]]]:
    if isinstance(metric, Histogram):
        yield from (("_bucket", {"le"}), ("_sum", set()), ("_count", set()))
    else:
        yield ("_total" if isinstance(metric, Counter) else "", set())


def expressions() -> list[str]:
    return [rule["expr"] for rule in ALERTS] + [t["expr"] for panel in PANELS for t in panel["targets"]]


@pytest.mark.parametrize("expression", expressions())
def test_every_series_is_exported_and_has_the_labels_that_are_asked_for(expression):
    series, asked = exported(), re.findall(r"ergosphere_\w+", expression)
    assert asked
    assert set(asked) <= series.keys()
    grouped = {
        label.strip() for group in re.findall(r"by \(([^)]*)\)", expression) for label in group.split(",")
    }
    matched = set(re.findall(r"[{,]\s*(\w+)\s*[=!]", expression))
    for name in asked:
        assert grouped | matched <= series[name]


def test_every_metric_is_on_the_dashboard():
    shown = " ".join(expressions())
    unseen = [
        m._name for m in vars(metrics).values() if isinstance(m, MetricWrapperBase) and m._name not in shown
    ]
    assert unseen == []


def test_every_alert_says_how_bad_it_is_and_what_to_do():
    for rule in ALERTS:
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"].keys() == {"summary", "description"}
        used = set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))
        assert used <= set(re.findall(r"by \((\w+)\)", rule["expr"]))


def test_panels_do_not_overlap():
    cells = [
        (x, y)
        for grid in (panel["gridPos"] for panel in PANELS)
        for x in range(grid["x"], grid["x"] + grid["w"])
        for y in range(grid["y"], grid["y"] + grid["h"])
    ]
    assert len(cells) == len(set(cells))
