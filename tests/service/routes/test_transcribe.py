import sqlite3

import numpy as np
import pytest
from fastapi.testclient import TestClient

from service.app import create_app
from service.routes.transcribe import _NOT_KEPT


def transcribe(client, data, name="clip.wav", **form):
    return client.post("/transcribe", files={"file": (name, data)}, data=form)


def test_answer_has_every_field(client, short_wav, recognizer):
    answer = transcribe(client, short_wav)
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {
        *("id", "text", "duration_s", "frame_s", "confidence", "words", "model", "warnings"),
        *("decoder", "hypotheses", "phrases", "written", "written_tokens"),
    }
    assert body["duration_s"] == 1.5
    assert body["frame_s"] == pytest.approx(recognizer.spec.frame_s)
    assert body["model"] == {"name": recognizer.spec.name, "sha256": recognizer.sha256}
    assert body["warnings"] == []
    assert " ".join(word["word"] for word in body["words"]) == body["text"]


def test_words_lie_in_order_within_the_recording(client, sounds):
    body = transcribe(client, sounds.write(sounds.noise(10))).json()
    times = [time for word in body["words"] for time in (word["start_s"], word["end_s"])]
    assert times == sorted(times)
    assert all(0 <= time <= 10 for time in times)
    assert all(0 <= word["confidence"] <= 1 for word in body["words"])


@pytest.mark.parametrize("file_format", ["WAV", "FLAC", "OGG", "MP3"])
def test_stereo_44100_hz_formats(client, sounds, file_format):
    samples = sounds.noise(2, rate_hz=44100, channels=2)
    answer = transcribe(client, sounds.write(samples, 44100, file_format), "clip.bin")
    assert answer.status_code == 200, answer.text
    assert answer.json()["duration_s"] == pytest.approx(2, abs=0.1)
    assert answer.json()["warnings"] == []


def test_m4a(client, sounds):
    data = sounds.m4a(sounds.noise(2, rate_hz=44100, channels=2), 44100)
    answer = transcribe(client, data, "clip.m4a")
    assert answer.status_code == 200, answer.text
    assert answer.json()["duration_s"] == pytest.approx(2, abs=0.1)


def test_thirty_seconds(client, sounds):
    body = transcribe(client, sounds.write(sounds.noise(30))).json()
    assert body["duration_s"] == 30.0


def test_silence_has_no_text_and_no_confidence(client, sounds):
    answer = transcribe(client, sounds.write(np.zeros((3 * 16000, 1))))
    assert answer.status_code == 200
    assert (answer.json()["text"], answer.json()["confidence"]) == ("", None)
    assert answer.json()["words"] == []


@pytest.mark.parametrize(("file_format", "name"), [("FLAC", "clip.flac"), ("MP3", "clip.mp3")])
def test_truncated_file_is_transcribed_with_a_warning(client, sounds, file_format, name):
    data = sounds.write(sounds.noise(8), file_format=file_format)
    answer = transcribe(client, data[: len(data) // 2], name)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert 1 < body["duration_s"] < 6
    [warning] = body["warnings"]
    assert "truncated" in warning


def nan_wav(sounds):
    samples = sounds.noise(1)
    samples[100] = np.nan
    return sounds.write(samples, subtype="FLOAT")


@pytest.mark.parametrize(
    ("make", "expected", "words"),
    [
        (lambda _: b"", (422, "audio-empty"), "0 bytes"),
        (lambda s: s.write(np.zeros((0, 1))), (422, "audio-empty"), "without samples"),
        (lambda s: s.write(s.noise(1 / 16000)), (422, "audio-too-short"), "got 1 "),
        (nan_wav, (422, "audio-non-finite"), "sample 100"),
        (lambda _: b"To be, or not to be.\n" * 50, (415, "audio-unreadable"), "1050 bytes"),
    ],
)
def test_unusable_audio(client, sounds, make, expected, words):
    answer = transcribe(client, make(sounds))
    status, slug = expected
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"urn:otoscope:problem:{slug}"
    assert words in answer.json()["detail"]


def test_too_many_seconds(make_settings, sounds):
    with TestClient(create_app(make_settings(max_duration_s=2.0))) as client:
        assert transcribe(client, sounds.write(sounds.noise(2))).status_code == 200
        answer = transcribe(client, sounds.write(sounds.noise(2.1)))
    assert answer.status_code == 413
    assert "at most 2 s" in answer.json()["detail"]


@pytest.mark.parametrize("place", ["form", "query"])
def test_probs_in_the_answer_are_those_of_the_route(client, short_wav, place):
    files = {"file": ("clip.wav", short_wav)}
    chosen = {"data" if place == "form" else "params": {"probs": "true"}}
    body = client.post("/transcribe", files=files, **chosen).json()
    assert body["probs"] == client.get("/probs", params={"id": body["id"]}).json()


def test_probs_false_leaves_the_matrix_out(client, short_wav):
    assert "probs" not in transcribe(client, short_wav, probs="false").json()


def test_audio_itself_is_never_stored(make_settings, sounds):
    settings = make_settings()
    data = sounds.write(sounds.noise(3))
    with TestClient(create_app(settings)) as client:
        body = transcribe(client, data).json()
        stored = b"".join(
            path.read_bytes()
            for path in settings.store_path.parent.glob(f"{settings.store_path.name}*")
        )
    assert body["id"].encode() in stored  # what is stored can be found
    pieces = [data[start : start + 32] for start in range(44, len(data) - 32, 32)]
    assert len(pieces) > 1000
    assert not any(piece in stored for piece in pieces if any(piece))


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_text_is_answered_when_the_result_is_larger_than_one_may_be(
    make_settings, short_wav, request, kind
):
    where = {} if kind == "sqlite" else {"store": request.getfixturevalue("redis_server").url}
    settings = make_settings(result_max_bytes=1000, **where)
    with TestClient(create_app(settings)) as client:
        answer = transcribe(client, short_wav, probs=True)
        ready = client.get("/health/ready")
    body = answer.json()
    assert (answer.status_code, body["id"], body["probs"]["id"]) == (200, None, None)
    [warning] = body["warnings"]
    assert "could not be kept in 1000 bytes" in warning
    assert ready.json()["store"] == "available"


def test_text_is_answered_when_posteriors_cannot_be_kept(make_settings, short_wav, caplog):
    settings = make_settings()
    with TestClient(create_app(settings)) as client:
        with sqlite3.connect(settings.store_path) as connection:
            connection.execute("DROP TABLE results")
        answer = transcribe(client, short_wav, probs=True)
        ready = client.get("/health/ready")
    assert answer.status_code == 200
    body = answer.json()
    assert body["warnings"] == [_NOT_KEPT]
    assert (body["id"], body["probs"]["id"]) == (None, None)
    assert body["probs"]["shape"][1] == 29
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    assert ready.json()["store"] == "unavailable"
    [record] = [r for r in caplog.records if r.name == "service.routes.transcribe"]
    assert "no such table" in record.getMessage()
