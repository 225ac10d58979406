"""Recordings longer than a window, through the whole service."""

import asyncio
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import jiwer
import numpy as np
import pytest
from fastapi.testclient import TestClient
from ready_client import ready_client
from transcribing import transcribe

from otoscope import greedy, load
from otoscope.longform import recognize
from otoscope.longform.windows import WindowOptions
from service.app import create_app
from service.inference.recognition import RecordingRecognizer
from service.inference.request_pool import RequestPool

RATE_HZ = 16000
SAMPLE = Path(__file__).resolve().parents[3] / "examples/sample.flac"


@pytest.fixture(scope="module")
def repeated():
    """The sample sentence 18 times, each on a frame of its own and followed by a short pause."""
    samples = load(SAMPLE, RATE_HZ).samples
    period = np.zeros(-(-samples.size // 640) * 640 + 640 * 10, dtype=np.float32)
    period[: samples.size] = samples
    return np.tile(period, 18)


@pytest.mark.slow
def test_a_sentence_said_over_and_over_is_written_down_alike_each_time(client, sounds, repeated):
    """Up to 1 % of the words, as the language model reads: no seam doubles or loses any."""
    long = np.tile(repeated, 2)
    assert long.size / RATE_HZ > 5 * WindowOptions().longest_s
    alone = transcribe(client, SAMPLE.read_bytes()).json()["text"]
    together = transcribe(client, sounds.write(long, file_format="FLAC")).json()["text"]
    assert jiwer.wer(" ".join([alone] * 36), together) <= 0.01


def test_a_recording_of_several_windows(client, sounds, recognizer, repeated):
    assert repeated.size / RATE_HZ > 1.5 * WindowOptions().whole_s
    body = transcribe(client, sounds.write(repeated, file_format="FLAC"), decoder="greedy").json()
    expected = greedy(recognize(recognizer, [repeated]).posteriors)
    assert body["text"] == expected.text
    assert body["duration_s"] == round(repeated.size / RATE_HZ, 3)
    assert len(body["words"]) == len(expected.words)
    times = [time for word in body["words"] for time in (word["start_s"], word["end_s"])]
    assert times == sorted(times)

    probs = client.get("/probs", params={"id": body["id"]}).json()
    assert probs["shape"] == [repeated.size // 640, 29]
    np.testing.assert_allclose(np.sum(probs["probs"], axis=1), 1, atol=1e-4)


def test_the_limit_holds_for_recordings_of_several_windows(make_settings, sounds):
    with TestClient(create_app(make_settings(max_duration_s=40.0))) as client:
        answer = transcribe(client, sounds.write(np.zeros(41 * RATE_HZ), file_format="FLAC"))
    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:otoscope:problem:audio-too-long"


def test_an_hour_is_within_the_limits(make_settings):
    settings = make_settings()
    assert settings.max_duration_s >= 3600
    assert settings.max_upload_bytes > 3600 * RATE_HZ * 2, "an hour of 16-bit wav"


@pytest.mark.parametrize(
    ("route", "form"), [("/transcribe", {}), ("/align", {"text": "hello"}), ("/probs", {})]
)
def test_what_waits_goes_first_between_the_steps(
    make_settings, monkeypatch, short_wav, route, form
):
    log = []
    steps = RecordingRecognizer.steps

    def watched(recording_recognizer, *arguments):
        async def send_another():
            short = partial(log.append, "another")
            others.append(asyncio.create_task(pool.run(short)))
            await asyncio.sleep(0)  # it waits for the only thread now

        client.portal.call(send_another)
        log.append("first step")
        yield
        log.append("second step")
        return (yield from steps(recording_recognizer, *arguments))

    others, pool = [], RequestPool(threads=1, capacity=2)
    with closing(pool), ready_client(make_settings()) as client:  # the warm-up takes steps too
        state = client.app.state
        state.services = replace(state.services, pool=pool)
        monkeypatch.setattr(RecordingRecognizer, "steps", watched)
        answer = client.post(route, files={"file": short_wav}, data=form)
    assert answer.status_code == 200, answer.text
    assert log == ["first step", "another", "second step"]
