"""The dashboard asks for numbers that the service tells."""

import json
import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.metrics import Metrics
from service.middleware.access_log import Exchange
from service.store.base import Usage

DOCKER = Path(__file__).resolve().parents[2] / "docker"
OF_PROMETHEUS = {"up", "job", "instance"}


@pytest.fixture(scope="module")
def told():
    """Names of samples, and their labels, when everything has been counted once."""
    metrics = Metrics()
    metrics.add_request(Exchange("POST", "/transcribe", 200, 0.1, 10))
    metrics.add_recording(1.0, {"model": 0.1})
    metrics.add_wait("model", 0.1)
    metrics.set_pool(1, 1)
    metrics.set_store(Usage(1, 1))
    families = text_string_to_metric_families(metrics.render("")[0].decode())
    samples = [sample for family in families for sample in family.samples]
    return {sample.name: set(sample.labels) for sample in samples}


@pytest.fixture(scope="module")
def panels():
    path = DOCKER / "grafana/dashboards/otoscope.json"
    return json.loads(path.read_text(encoding="utf-8"))["panels"]


def expressions(panels):
    return [target["expr"] for panel in panels for target in panel["targets"]]


def test_every_metric_exists(told, panels):
    asked = {name for each in expressions(panels) for name in re.findall(r"otoscope_\w+", each)}
    assert asked <= told.keys()


def test_every_metric_is_shown(told, panels):
    """Histograms by their buckets or sums, the others as they are; `_created` says nothing."""
    asked = " ".join(expressions(panels))
    told_families = {re.sub(r"_(bucket|sum|count|total|created)$", "", name) for name in told}
    assert {name for name in told_families if name not in asked} == set()


def test_every_label_exists(told, panels):
    known = set().union(*told.values()) | OF_PROMETHEUS
    for each in expressions(panels):
        grouped = {
            name.strip()
            for names in re.findall(r"by \(([^)]*)\)", each)
            for name in names.split(",")
        }
        selected = set(re.findall(r"[{,]\s*(\w+)\s*=", each))
        assert grouped | selected <= known, each


def test_panels_do_not_overlap(panels):
    taken = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_panels_ask_the_provisioned_source(panels):
    source = (DOCKER / "grafana/provisioning/datasources/prometheus.yml").read_text()
    assert {panel["datasource"]["uid"] for panel in panels} == {"prometheus"}
    assert "uid: prometheus" in source
