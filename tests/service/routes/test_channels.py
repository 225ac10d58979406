"""channels=separate: a transcript of each channel of a call, and all of it by time."""

import numpy as np
import pytest
import soundfile
from audio_files import encode
from fastapi.testclient import TestClient
from transcribing import transcribe

from service.app import create_app

FIRST, SECOND = "was a long time before", "he came home to his father"
CUT_S = 1.64
BEGINS_S = 0.8
"""When the second party begins, while the first still talks."""


def call_of(samples):
    """The sample's two halves (samples,), the second on a channel of its own and too early."""
    cut, begins = round(CUT_S * 16000), round(BEGINS_S * 16000)
    sides = np.zeros((samples.size, 2), dtype=np.float32)
    sides[:cut, 0] = samples[:cut]
    sides[begins : begins + samples.size - cut, 1] = samples[cut:]
    return sides


@pytest.fixture(scope="module")
def sides(pytestconfig):
    samples, rate_hz = soundfile.read(
        pytestconfig.rootpath / "examples/sample.flac", dtype="float32"
    )
    assert rate_hz == 16000
    return call_of(samples)


@pytest.fixture(scope="module")
def call(sides):
    return encode(sides, 16000, "flac")


@pytest.mark.parametrize("file_format", ["wav", "flac", "m4a"])
def test_each_channel_has_its_transcript(client, sounds, sides, file_format):
    m4a = file_format == "m4a"
    data = sounds.m4a(sides, 16000) if m4a else encode(sides, 16000, file_format)
    response = transcribe(client, data, channels="separate")
    assert response.status_code == 200
    answer = response.json()
    first, second = answer["channels"]
    assert (first["channel"], second["channel"]) == (1, 2)
    assert (first["text"], second["text"]) == (FIRST, SECOND)
    for one in (first, second):
        alone = transcribe(client, data, channel=str(one["channel"])).json()
        for field in ("text", "words", "confidence"):
            assert one[field] == alone[field]
        assert answer["duration_s"] == alone["duration_s"]
    assert second["words"][0]["start_s"] == pytest.approx(BEGINS_S, abs=0.15)


def test_words_of_all_channels_by_time(client, call):
    answer = transcribe(client, call, channels="separate").json()
    first, second = answer["channels"]
    words = answer["words"]
    starts_s = [word["start_s"] for word in words]
    assert starts_s == sorted(starts_s)
    assert sorted(map(str, words)) == sorted(map(str, first["words"] + second["words"]))
    assert answer["text"] == " ".join(word["word"] for word in words)
    order = [word in second["words"] for word in words]
    assert order != sorted(order), "the second begins before the first has ended"
    weights = [len(one["words"]) for one in (first, second)]
    confidences = [one["confidence"] for one in (first, second)]
    expected = np.average(confidences, weights=weights)
    assert answer["confidence"] == pytest.approx(expected, abs=2e-4)


def test_each_channel_is_kept_by_itself(client, call):
    answer = transcribe(client, call, channels="separate").json()
    assert answer["id"] is None
    assert len({one["id"] for one in answer["channels"]}) == 2
    for one in answer["channels"]:
        kept = client.get(f"/transcriptions/{one['id']}").json()
        assert (kept["text"], kept["words"]) == (one["text"], one["words"])
        assert client.get("/probs", params={"id": one["id"]}).status_code == 200
        again = client.get(f"/transcriptions/{one['id']}/reading")
        assert again.json()["text"] == one["text"]


@pytest.mark.parametrize("timestamps", ["none", "word", "char"])
def test_times_as_asked_for(client, call, timestamps):
    answer = transcribe(client, call, channels="separate", timestamps=timestamps).json()
    assert sorted(answer["text"].split()) == sorted(f"{FIRST} {SECOND}".split())
    for one in (answer, *answer["channels"]):
        assert bool(one["words"]) == (timestamps != "none")
        assert all(("characters" in word) == (timestamps == "char") for word in one["words"])


def test_silent_and_single_channels(client, sides):
    silent = encode(np.stack([sides[:, 1], np.zeros(len(sides), np.float32)], 1), 16000, "flac")
    answer = transcribe(client, silent, channels="separate").json()
    assert [one["text"] for one in answer["channels"]] == [SECOND, ""]
    assert answer["channels"][1]["confidence"] is None
    assert answer["confidence"] == answer["channels"][0]["confidence"]
    mono = encode(sides[:, 1], 16000, "flac")
    answer = transcribe(client, mono, channels="separate").json()
    assert [one["text"] for one in answer["channels"]] == [SECOND]


def test_an_ordinary_answer_has_no_channels(client, call):
    assert "channels" not in transcribe(client, call).json()


@pytest.mark.parametrize(
    ("options", "detail"),
    [
        ({"channel": "1"}, "channel: expected none with channels=separate, got 1"),
        ({"probs": "true"}, "probs: expected none with channels=separate, got True"),
        ({"n_best": "2"}, "n_best: expected none with channels=separate, got 2"),
        ({"phrases": "yes, no"}, "phrases: expected none with channels=separate"),
        ({"response_format": "verbose_json"}, "channels: expected response_format json"),
        ({"response_format": "text"}, "channels: expected response_format json"),
        ({"response_format": "srt"}, "channels: expected response_format json"),
        ({"channels": "both"}, "channels: Input should be 'separate'"),
    ],
)
def test_what_makes_no_sense_is_refused(client, call, options, detail):
    response = transcribe(client, call, **{"channels": "separate", **options})
    assert (response.status_code, response.json()["type"]) == (422, "urn:otoscope:problem:form")
    assert response.json()["detail"].startswith(detail)


def test_too_many_channels_are_refused(client, sides):
    data = encode(np.repeat(sides[:16000, :1], 9, axis=1), 16000, "wav")
    response = transcribe(client, data, channels="separate")
    assert (response.status_code, response.json()["type"]) == (422, "urn:otoscope:problem:audio")
    assert response.json()["detail"] == "expected at most 8 channels to read one by one, got 9"


def test_what_is_odd_about_the_file_is_said_once(client, sides):
    data = encode(sides, 16000, "wav")
    cut = data[: len(data) * 3 // 4]
    alone = transcribe(client, cut, channel="1").json()["warnings"]
    response = transcribe(client, cut, channels="separate")
    assert len(alone) == 1
    assert response.json()["warnings"] == alone
    assert "truncated" in response.headers["otoscope-warnings"]


def test_channels_that_could_not_be_kept(make_settings, call):
    with TestClient(create_app(make_settings(store_max_bytes=1000))) as client:
        answer = transcribe(client, call, channels="separate").json()
    assert [one["id"] for one in answer["channels"]] == [None, None]
    assert [one["text"] for one in answer["channels"]] == [FIRST, SECOND]
    assert sum("could not be kept" in one for one in answer["warnings"]) == 1
