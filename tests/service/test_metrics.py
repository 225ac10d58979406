import math
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from ready_client import ready_client

from service.app import create_app
from service.errors import StartError
from service.metrics import Metrics, shared_directory
from service.middleware.access_log import Exchange
from service.store.base import Usage

DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"


def read(text):
    """Samples by name and labels."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def rendered(metrics):
    return read(metrics.render("")[0].decode())


def sample(name, **labels):
    return (name, *sorted(labels.items()))


def test_exchanges_are_counted_by_method_route_and_status():
    metrics = Metrics()
    for status, duration_s in ((200, 0.3), (200, 0.02), (503, 0.02)):
        metrics.add_request(Exchange("POST", "/transcribe", status, duration_s, 10))
    values = rendered(metrics)
    labels = {"method": "POST", "route": "/transcribe"}
    assert values[sample("otoscope_http_requests_total", status="200", **labels)] == 2
    assert values[sample("otoscope_http_requests_total", status="503", **labels)] == 1
    name = "otoscope_http_request_duration_seconds"
    assert values[sample(f"{name}_count", **labels)] == 3
    assert values[sample(f"{name}_sum", **labels)] == pytest.approx(0.34)
    assert values[sample(f"{name}_bucket", le="0.1", **labels)] == 2


def test_methods_that_clients_make_up_are_one():
    metrics = Metrics()
    for method in ("BREW", "PROPFIND", "get"):
        metrics.add_request(Exchange(method, "unmatched", 404, 0.1, 0))
    labels = {"method": "other", "route": "unmatched", "status": "404"}
    assert rendered(metrics)[sample("otoscope_http_requests_total", **labels)] == 3


def test_only_stages_that_succeed_are_timed():
    metrics = Metrics()
    with metrics.stage("decode"):
        pass
    with pytest.raises(ZeroDivisionError), metrics.stage("decode"):
        raise ZeroDivisionError
    assert rendered(metrics)[sample("otoscope_stage_duration_seconds_count", stage="decode")] == 1


def test_gauges_say_what_is():
    metrics = Metrics()
    metrics.set_pool(3, 2)
    metrics.set_store(Usage(7, 1000))
    metrics.add_recording(1.5, {})
    values = rendered(metrics)
    assert values[sample("otoscope_recordings_waiting")] == 3
    assert values[sample("otoscope_recordings_running")] == 2
    assert values[sample("otoscope_results_kept")] == 7
    assert values[sample("otoscope_results_bytes")] == 1000
    assert values[sample("otoscope_audio_seconds_total")] == 1.5
    metrics.set_store(None)
    assert math.isnan(rendered(metrics)[sample("otoscope_results_kept")])


def test_applications_do_not_share_numbers():
    one, other = Metrics(), Metrics()
    one.add_recording(1.0, {})
    assert rendered(other)[sample("otoscope_audio_seconds_total")] == 0


def test_open_metrics_on_request():
    text, content_type = Metrics().render("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert text.endswith(b"# EOF\n")


@pytest.fixture
def metered(make_settings):
    with ready_client(make_settings()) as client:
        yield client


def test_waits_are_told_by_queue():
    metrics = Metrics()
    for queue, waited_s in (("model", 0.25), ("model", 0.5), ("search", 2.0)):
        metrics.add_wait(queue, waited_s)
    values, name = rendered(metrics), "otoscope_queue_wait_seconds"
    assert values[sample(f"{name}_sum", queue="model")] == 0.75
    assert values[sample(f"{name}_count", queue="model")] == 2
    assert values[sample(f"{name}_sum", queue="search")] == 2


def test_each_queue_of_the_service_is_watched(make_settings, short_wav):
    with ready_client(make_settings(search_processes=1)) as client:
        first = client.get("/metrics").text
        answer = client.post("/transcribe", files={"file": short_wav}, data={"phrases": "yes\nno"})
        last = client.get("/metrics").text
    assert answer.status_code == 200, answer.text
    left = {}
    for queue in ("requests", "model", "search"):
        name = sample("otoscope_queue_wait_seconds_count", queue=queue)
        left[queue] = read(last).get(name, 0) - read(first).get(name, 0)
    assert left["model"] == 1  # the recording is one window
    assert left["search"] >= 1  # the start of a decode worker may come between
    assert left["requests"] == 2  # before the search, and after it


def test_route_tells_of_a_transcription(metered, short_wav):
    answer = metered.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert read(answer.text)[sample("otoscope_audio_seconds_total")] == 0  # no warm-up in it
    body = metered.post("/transcribe", files={"file": short_wav}).json()
    metered.get("/transcriptions/" + body["id"])
    values = read(metered.get("/metrics").text)
    requests = "otoscope_http_requests_total"
    assert values[sample(requests, method="POST", route="/transcribe", status="200")] == 1
    assert values[sample(requests, method="GET", route="/transcriptions/{id}", status="200")] == 1
    assert values[sample("otoscope_audio_seconds_total")] == 1.5
    for stage in ("decode", "features", "model", "text"):
        assert values[sample("otoscope_stage_duration_seconds_count", stage=stage)] == 1
    assert values[sample("otoscope_recordings_running")] == 0
    assert values[sample("otoscope_results_kept")] == 1
    assert values[sample("otoscope_results_bytes")] > 0
    assert body["id"] not in metered.get("/metrics").text


def test_stages_of_a_long_recording_count_once(metered, sounds):
    """It goes through the model in several windows."""
    answer = metered.post("/transcribe", files={"file": sounds.write(sounds.noise(60))})
    assert answer.status_code == 200
    values = read(metered.get("/metrics").text)
    assert values[sample("otoscope_audio_seconds_total")] == 60
    for stage in ("decode", "features", "model", "text"):
        assert values[sample("otoscope_stage_duration_seconds_count", stage=stage)] == 1
    assert values[sample("otoscope_recordings_waiting")] == 0
    assert values[sample("otoscope_recordings_running")] == 0


def test_routes_tell_of_what_is_not_written_down(metered, short_wav):
    form = {"file": short_wav}
    assert metered.post("/align", files=form, data={"text": "yes"}).status_code == 200
    assert metered.post("/probs", files=form).status_code == 200
    assert metered.post("/align", files=form).status_code == 422
    values = read(metered.get("/metrics").text)
    requests = "otoscope_http_requests_total"
    assert values[sample(requests, method="POST", route="/align", status="200")] == 1
    assert values[sample(requests, method="POST", route="/align", status="422")] == 1
    assert values[sample(requests, method="POST", route="/probs", status="200")] == 1
    assert values[sample("otoscope_audio_seconds_total")] == 3
    for stage in ("decode", "features", "model"):
        assert values[sample("otoscope_stage_duration_seconds_count", stage=stage)] == 2
    assert sample("otoscope_stage_duration_seconds_count", stage="text") not in values
    assert values[sample("otoscope_results_kept")] == 0


def test_openais_route_counts_as_the_own_does(metered, short_wav):
    answer = metered.post(
        "/v1/audio/transcriptions", files={"file": short_wav}, data={"model": "english"}
    )
    assert answer.status_code == 200
    values = read(metered.get("/metrics").text)
    assert values[sample("otoscope_audio_seconds_total")] == 1.5
    for stage in ("decode", "features", "model", "text"):
        assert values[sample("otoscope_stage_duration_seconds_count", stage=stage)] == 1


def test_numbers_are_told_when_the_store_fails(make_settings, caplog):
    settings = make_settings()
    with TestClient(create_app(settings)) as client:
        with sqlite3.connect(settings.store_path) as connection:
            connection.execute("DROP TABLE results")
        answer = client.get("/metrics")
    assert answer.status_code == 200
    assert math.isnan(read(answer.text)[sample("otoscope_results_kept")])
    assert "no such table" in caplog.text


def test_a_directory_is_shared_while_inside_by_several_processes_only(monkeypatch, tmp_path):
    monkeypatch.delenv(DIRECTORY, raising=False)
    for alone in (0, 1):
        with shared_directory(alone):
            assert DIRECTORY not in os.environ
    with shared_directory(2):
        made = Path(os.environ[DIRECTORY])
        assert made.is_dir()
    assert DIRECTORY not in os.environ
    assert not made.exists()
    monkeypatch.setenv(DIRECTORY, str(tmp_path))
    with shared_directory(2):
        assert os.environ[DIRECTORY] == str(tmp_path)
    assert tmp_path.is_dir()


def test_a_directory_that_is_none_is_named(tmp_path):
    with pytest.raises(StartError, match=f"{DIRECTORY}: expected a directory, got .*missing"):
        Metrics(tmp_path / "missing")


PROCESS = """
import os, sys
from service.metrics import metrics_from_environment
from service.store.base import Usage

metrics = metrics_from_environment()
metrics.add_recording(float(sys.argv[1]), {})
metrics.set_pool(2, 1)
metrics.set_store(Usage(int(sys.argv[1]), 10))
if sys.argv[2] == "close":
    metrics.close()
sys.stdout.write(metrics.render("")[0].decode())
os._exit(0)  # without goodbye
"""


def test_processes_add_up_and_the_dead_do_not_wait(tmp_path, monkeypatch):
    monkeypatch.setenv(DIRECTORY, str(tmp_path))

    def process(*arguments):
        done = subprocess.run(
            [sys.executable, "-c", PROCESS, *arguments],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return read(done.stdout)

    crashed, closed, last = process("1", "crash"), process("2", "close"), process("4", "crash")
    heard = sample("otoscope_audio_seconds_total")
    assert [each[heard] for each in (crashed, closed, last)] == [1, 3, 7]
    waiting = sample("otoscope_recordings_waiting")
    assert crashed[waiting] == 2
    assert waiting not in closed
    assert last[waiting] == 2
    assert last[sample("otoscope_results_kept")] == 4
