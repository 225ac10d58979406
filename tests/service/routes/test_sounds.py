"""Which of a file's sounds is transcribed and aligned, and what is said about the others."""

import io

import numpy as np
import pytest
import soundfile
from audio_files import encode
from muxed import Track, mux
from transcribing import transcribe

HEARD = "was a long time before he came home to his father"


@pytest.fixture(scope="module")
def speech(pytestconfig):
    samples, rate_hz = soundfile.read(
        pytestconfig.rootpath / "examples/sample.flac", dtype="float32"
    )
    assert rate_hz == 16000
    return samples


@pytest.fixture(scope="module")
def two_tracks(speech):
    return mux(
        "matroska", Track(np.zeros_like(speech), 16000, "flac"), Track(speech, 16000, "flac")
    )


@pytest.fixture(scope="module")
def call(speech):
    """A party on each channel, one after the other."""
    silence = np.zeros_like(speech)
    sides = (np.concatenate([speech, silence]), np.concatenate([silence, speech]))
    return encode(np.stack(sides, axis=1), 16000, "flac")


def test_a_track_on_request(client, two_tracks):
    answer = transcribe(client, two_tracks).json()
    assert answer["text"] == ""
    assert answer["warnings"] == ["one of 2 audio tracks was read, number 1"]
    answer = transcribe(client, two_tracks, track="2").json()
    assert (answer["text"], answer["warnings"]) == (HEARD, [])


def test_each_channel_of_a_call(client, call):
    for channel, start_s in ((1, 0.2), (2, 3.6)):
        answer = transcribe(client, call, channel=str(channel)).json()
        assert answer["text"] == HEARD
        assert answer["words"][0]["start_s"] == pytest.approx(start_s, abs=0.1)


def test_what_is_not_there_is_said(client, call):
    answer = transcribe(client, call, channel="3")
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:otoscope:problem:audio")
    assert answer.json()["detail"] == "expected a channel up to 2, got 3"
    assert transcribe(client, call, track="2").json()["detail"].startswith("expected track 1")
    for wrong in ("0", "256", "left"):
        assert transcribe(client, call, channel=wrong).json()["type"].endswith(":form")


def test_alignment_on_a_channel(client, call):
    words = {}
    for channel in ("1", "2"):
        form = {"text": HEARD, "channel": channel}
        answer = client.post("/align", files={"file": call}, data=form)
        words[channel] = answer.json()["words"]
    assert words["2"][0]["start_s"] - words["1"][0]["start_s"] == pytest.approx(3.4, abs=0.1)


def test_channels_that_cancel_are_warned_of(client, speech):
    data = encode(np.stack([speech, -speech], axis=1), 16000, "flac")
    answer = transcribe(client, data).json()
    assert answer["text"] == HEARD
    assert answer["warnings"] == [
        "the channels cancel each other out: the louder one was read alone"
    ]


def test_words_as_csv(client, speech):
    flac = io.BytesIO()
    soundfile.write(flac, speech, 16000, format="FLAC")
    answer = transcribe(client, flac.getvalue(), response_format="csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    header, *rows = answer.text.splitlines()
    assert header == "word,start_s,end_s,confidence"
    assert [row.split(",")[0] for row in rows] == HEARD.split()


def test_none_of_the_phrases(client, speech):
    data = encode(speech, 16000, "flac")
    answer = transcribe(client, data, phrases="yes, no", none_of_these="true").json()
    assert (answer["text"], answer["words"], answer["phrases"][0]["phrase"]) == ("", [], "")
    assert answer["phrases"][0]["probability"] > 0.99
    form = {"phrases": f"yes, {HEARD}", "none_of_these": "true"}
    assert transcribe(client, data, **form).json()["text"] == HEARD
    answer = transcribe(client, data, none_of_these="true")
    assert (answer.status_code, "none_of_these" in answer.json()["detail"]) == (422, True)
