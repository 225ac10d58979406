"""POST /transcribe with Accept: text/event-stream, by a model of pauses."""

import json
import signal
import threading
import time

import httpx
import numpy as np
import pytest
from fastapi.testclient import TestClient
from httpx_sse import EventSource
from ready_client import ready_client
from running_service import service_process
from sentence_model import HEARD, SAMPLE

from otoscope import load
from service.app import create_app
from service.settings import Settings

RATE_HZ = 16_000
SENTENCE = f"W{HEARD[1:]}."
EVENTS = {"accept": "text/event-stream"}
GREEDY = {"decoder": "greedy"}


@pytest.fixture(scope="module")
def client(tmp_path_factory, written_model):
    store_path = tmp_path_factory.mktemp("events") / "results.sqlite3"
    settings = Settings(store_path=store_path, model_path=written_model, search_processes=0)
    with TestClient(create_app(settings)) as client:
        yield client


@pytest.fixture(scope="module")
def long_flac(sounds):
    """Five minutes: the sample again and again, with 1.1 s after each."""
    return repeated(sounds, 67)


def repeated(sounds, times):
    samples = np.pad(load(SAMPLE, RATE_HZ).samples, (0, RATE_HZ + 1600))
    return sounds.write(np.tile(samples, times), file_format="FLAC")


def told(client, data, form=GREEDY, headers=EVENTS):
    """Names and documents of all events."""
    files = {"file": ("speech", data)}
    with client.stream("POST", "/transcribe", files=files, data=form, headers=headers) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert response.headers["cache-control"] == "no-store"
        events = EventSource(response).iter_sse()
        return [(event.event, json.loads(event.data)) for event in events]


def test_a_long_recording_is_told_of_while_it_is_recognized(client, long_flac):
    events = told(client, long_flac)
    kinds = [kind for kind, _ in events]
    assert kinds[:2] == ["progress", "segment"]
    assert kinds.index("result") == len(kinds) - 1
    result = events[-1][1]
    progress = [document["recognized_s"] for kind, document in events if kind == "progress"]
    assert progress == sorted(progress)
    assert 100 < progress[-1] < result["duration_s"]
    segments = [document for kind, document in events if kind == "segment"]
    assert len(segments) > 5
    assert segments[0]["end_s"] < progress[0]
    words = [word for segment in segments for word in segment["words"]]
    spelled = [{name: word[name] for name in words[0]} for word in result["words"]]
    assert words == spelled
    assert " ".join(segment["written"] for segment in segments) == result["written"]
    assert " ".join(segment["text"] for segment in segments) == result["text"]
    for segment in segments:
        assert segment["start_s"] == segment["words"][0]["start_s"]
        assert segment["end_s"] == segment["words"][-1]["end_s"]
    kept = client.get(f"/transcriptions/{result['id']}").json()
    assert kept == result
    assert client.get("/probs", params={"id": result["id"]}).json()["shape"][1] == 29


@pytest.mark.slow
def test_it_is_the_text_that_is_answered_in_one_piece(client, long_flac):
    """The search, too: segments are searched alone in both, and cut in the same pauses."""
    result = told(client, long_flac, form={})[-1][1]
    whole = client.post("/transcribe", files={"file": ("speech", long_flac)}).json()
    assert result["decoder"] == whole["decoder"] == "beam + LM"
    assert result["text"] == whole["text"]
    assert result["written"] == whole["written"]
    assert result["hypotheses"][0]["text"] == whole["hypotheses"][0]["text"]
    assert result["confidence"] == pytest.approx(whole["confidence"], abs=1e-3)
    times = [(word["start_s"], word["end_s"]) for word in result["words"]]
    for ours, theirs in zip(times, whole["words"], strict=True):
        assert ours == pytest.approx((theirs["start_s"], theirs["end_s"]), abs=0.05)


@pytest.mark.parametrize("form", [{}, GREEDY, {"n_best": "3"}, {"style": "verbatim"}])
def test_a_short_recording_is_answered_as_otherwise(client, form):
    data = SAMPLE.read_bytes()
    (first, segment), (last, result) = told(client, data, form)
    assert (first, last) == ("segment", "result")
    whole = client.post("/transcribe", files={"file": ("speech", data)}, data=form).json()
    assert {**result, "id": ""} == {**whole, "id": ""}
    assert (segment["text"], segment["written"]) == (whole["text"], whole["written"])


def test_phrases_of_a_list_are_told_with_the_whole(client, long_flac):
    events = told(client, long_flac, {"phrases": f"good morning, {HEARD}"})
    assert [kind for kind, _ in events][-2:] == ["segment", "result"]
    assert events[-1][1]["decoder"] == "phrases"


def test_channels_and_silence(client, sounds):
    both = np.stack([load(SAMPLE, RATE_HZ).samples] * 2, axis=1)
    [(kind, result)] = told(client, sounds.write(both), {"channels": "separate", **GREEDY})
    assert kind == "result"
    assert len(result["channels"]) == 2
    [(kind, result)] = told(client, sounds.write(np.zeros(RATE_HZ)))
    assert (kind, result["text"]) == ("result", "")


@pytest.mark.parametrize(
    ("accept", "events"),
    [
        ("text/event-stream", True),
        ("text/event-stream, application/json;q=0.5", True),
        ("application/json, text/event-stream", True),
        ("text/event-stream;q=0.5, application/json", False),
        ("text/event-stream;q=0", False),
        ("*/*", False),
        ("application/json", False),
    ],
)
def test_who_accepts_events(client, accept, events):
    files = {"file": ("speech", SAMPLE.read_bytes())}
    answer = client.post("/transcribe", files=files, headers={"accept": accept})
    expected = 406 if accept.endswith("q=0") else 200
    assert answer.status_code == expected
    assert answer.headers["content-type"].startswith("text/event-stream") == events


@pytest.mark.parametrize(
    ("data", "form", "status"),
    [
        (b"no audio at all", {}, 415),
        (b"", {}, 422),
        (None, {"response_format": "srt"}, 422),
        (None, {"beam_width": "0"}, 422),
        (None, {"track": "2"}, 422),
    ],
)
def test_errors_before_the_first_event_have_a_status(client, data, form, status):
    files = {"file": ("speech", SAMPLE.read_bytes() if data is None else data)}
    answer = client.post("/transcribe", files=files, data=form, headers=EVENTS)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_errors_behind_the_first_event_are_the_last(make_settings, sounds):
    samples = np.tile(np.pad(load(SAMPLE, RATE_HZ).samples, (0, RATE_HZ)), 100)
    with TestClient(create_app(make_settings(max_duration_s=420.0))) as client:
        events = told(client, sounds.aac(samples[:, None], RATE_HZ))
        assert events[0][0] == "progress"
        kind, problem = events[-1]
        assert kind == "error"
        assert (problem["status"], problem["type"]) == (413, "urn:otoscope:problem:audio-too-long")
        assert "result" not in dict(events)


def test_unexpected_errors_tell_no_internals_and_leave_a_trace(
    make_settings, long_flac, monkeypatch, caplog
):
    def broken(*_):
        raise RuntimeError("secret")

    with ready_client(make_settings()) as client:
        writer = client.app.state.services.models.default.writer
        monkeypatch.setattr(type(writer), "write", broken)
        kind, problem = told(client, long_flac)[-1]
    assert (kind, problem["status"]) == ("error", 500)
    assert "secret" not in json.dumps(problem)
    assert "secret" in caplog.text


def test_the_deadline_holds_behind_the_first_event(make_settings, long_flac, monkeypatch):
    with ready_client(make_settings(max_request_s=8.0)) as client:
        writer = client.app.state.services.models.default.writer
        monkeypatch.setattr(type(writer), "write", lambda *_: time.sleep(9))
        kind, problem = told(client, long_flac)[-1]
    assert (kind, problem["type"]) == ("error", "urn:otoscope:problem:deadline")


@pytest.mark.slow
def test_who_leaves_frees_the_place(tmp_path, sentence_model, sounds):
    one = {"OTOSCOPE_MODEL_PATH": str(sentence_model), "OTOSCOPE_SEARCH_PROCESSES": "0"}
    one |= {"OTOSCOPE_INFERENCE_THREADS": "1", "OTOSCOPE_QUEUE_SIZE": "0"}
    with service_process(tmp_path / "results.sqlite3", **one) as (_, address):
        data = repeated(sounds, 600)
        with httpx.Client(base_url=address, timeout=60) as client:
            files = {"file": ("speech", data)}
            with client.stream("POST", "/transcribe", files=files, headers=EVENTS) as response:
                next(EventSource(response).iter_sse())
        end_s = time.monotonic() + 20
        status = 503
        while status == 503 and time.monotonic() < end_s:
            time.sleep(0.1)
            files = {"file": ("speech", SAMPLE.read_bytes())}
            status = httpx.post(f"{address}/transcribe", files=files, timeout=60).status_code
        assert status == 200


@pytest.mark.slow
def test_a_server_that_stops_tells_to_the_end(tmp_path, sentence_model, long_flac):
    one = {"OTOSCOPE_MODEL_PATH": str(sentence_model), "OTOSCOPE_SEARCH_PROCESSES": "0"}
    with service_process(tmp_path / "results.sqlite3", **one) as (process, address):
        files = {"file": ("speech", long_flac)}
        with httpx.stream(
            "POST", f"{address}/transcribe", files=files, headers=EVENTS, timeout=60
        ) as response:
            events = EventSource(response).iter_sse()
            assert next(events).event == "progress"
            threading.Timer(0.2, process.send_signal, [signal.SIGTERM]).start()
            assert [event.event for event in events][-1] == "result"
        assert process.wait(20) in (0, -signal.SIGTERM)
