from dataclasses import replace

import numpy as np
import pytest
from fastapi.testclient import TestClient

from otoscope import Posteriors, longform
from service import app as app_module
from service.app import create_app
from service.errors import NotReadyError
from service.inference.recognition import RecordingRecognizer
from service.inference.threaded_model import model_threads
from service.inference.warmup import Readiness, WarmUp, check, golden_clip, run_warmup


@pytest.fixture(scope="module")
def recording_recognizer(recognizer):
    with model_threads(1) as threads:
        yield RecordingRecognizer(recognizer, threads, 60.0)


@pytest.fixture(scope="module")
def recognition(recording_recognizer):
    return longform.run_through(recording_recognizer.steps(golden_clip(16000)))


def test_live(client):
    answer = client.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "live"})


def test_ready_names_the_model_and_the_time(client, recognizer):
    client.post("/transcribe", files={"file": golden_clip(16000)})  # the warm-up is before it
    body = client.get("/health/ready").json()
    assert (body["status"], body["store"]) == ("ready", "available")
    assert body["model"]["sha256"] == recognizer.sha256
    assert body["warm_up_ms"] > 0
    assert body["golden_frames"] == 25


@pytest.fixture
def unready_client(make_settings, monkeypatch):
    async def never(*_):
        return False

    monkeypatch.setattr(app_module, "warm_up", never)
    with TestClient(create_app(make_settings())) as client:
        yield client


def test_not_ready_before_the_warm_up(unready_client):
    answer = unready_client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:otoscope:problem:not-ready"
    assert unready_client.get("/health/live").status_code == 200


def test_failed_warm_up_keeps_unready_with_its_reason(make_settings, monkeypatch, caplog):
    def broken(*_):
        raise NotReadyError("expected rows that sum to 1, got one 0.5 away")

    monkeypatch.setattr("service.inference.warmup.check", broken)
    with TestClient(create_app(make_settings())) as client:
        client.post("/transcribe", files={"file": golden_clip(16000)})
        answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert "0.5 away" in answer.json()["detail"]
    assert "the warm-up failed" in caplog.text


def test_warm_up_passes_on_the_model(recording_recognizer):
    assert run_warmup(recording_recognizer).frames == 25


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda x: x[:-1], "shape"),
        (lambda x: x[:, :-1], "shape"),
        (lambda x: np.where(np.arange(x.size).reshape(x.shape) == 3, np.nan, x), "finite"),
        (lambda x: x + np.float32(0.01), "sum to 1"),
    ],
)
def test_check_refuses(recognition, recording_recognizer, spoil, words):
    spec = recording_recognizer.recognizer.spec
    check(recognition, spec)
    whole = recognition.posteriors
    spoiled = Posteriors(spoil(whole.log_probs), whole.alphabet, whole.clock)
    with pytest.raises(NotReadyError, match=words):
        check(replace(recognition, posteriors=spoiled), spec)


def test_readiness_turns_once_passed():
    readiness = Readiness()
    with pytest.raises(NotReadyError, match="still running"):
        readiness.require()
    readiness.passed(WarmUp(1.0, 25))
    assert readiness.require().frames == 25
