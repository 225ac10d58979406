"""track=all: a transcript of each track of a file, and all of it by time."""

import numpy as np
import pytest
import soundfile
import soxr
from audio_files import encode
from fastapi.testclient import TestClient
from muxed import Track, mux

from service.app import create_app

FIRST, SECOND = "was a long time before", "he came home to his father"
CUT_S = 1.64


@pytest.fixture(scope="module")
def halves(pytestconfig):
    """The sample's two halves, (samples,) float32 at 48 kHz each."""
    samples, rate_hz = soundfile.read(
        pytestconfig.rootpath / "examples/sample.flac", dtype="float32"
    )
    at_48 = soxr.resample(samples, rate_hz, 48000)
    return np.split(at_48, [round(CUT_S * 48000)])


@pytest.fixture(scope="module")
def film(halves):
    """Two tracks, the second the default and later."""
    first, second = halves
    return mux("matroska", Track(first), Track(second, default=True, start_s=0.8), video_s=3.0)


def transcribe(client, data, **options):
    return client.post("/transcribe", files={"file": data}, data={"track": "all", **options})


def test_each_track_has_its_transcript(client, film):
    answer = transcribe(client, film).json()
    assert [(one["track"], one["text"]) for one in answer["tracks"]] == [(1, FIRST), (2, SECOND)]
    lengths_s = []
    for one in answer["tracks"]:
        alone = transcribe(client, film, track=str(one["track"])).json()
        for field in ("text", "words", "confidence"):
            assert one[field] == alone[field]
        lengths_s.append(alone["duration_s"])
    assert answer["duration_s"] == max(lengths_s)
    assert (answer["warnings"], "channels" in answer) == ([], False)
    starts_s = [word["start_s"] for word in answer["words"]]
    assert starts_s == sorted(starts_s)
    assert sorted(answer["text"].split()) == sorted(f"{FIRST} {SECOND}".split())
    assert answer["text"].split() != f"{FIRST} {SECOND}".split()


def test_without_it_one_track_is_read_and_an_ordinary_answer_has_none(client, film):
    response = client.post("/transcribe", files={"file": film})
    answer = response.json()
    assert answer["text"] == SECOND
    assert answer["warnings"] == ["one of 2 audio tracks was read, number 2"]
    assert "tracks" not in answer


def test_each_track_is_kept_by_itself(client, film):
    answer = transcribe(client, film).json()
    assert answer["id"] is None
    assert len({one["id"] for one in answer["tracks"]}) == 2
    for one in answer["tracks"]:
        kept = client.get(f"/transcriptions/{one['id']}").json()
        assert (kept["text"], kept["words"]) == (one["text"], one["words"])


@pytest.mark.parametrize("timestamps", ["none", "word", "char"])
def test_times_as_asked_for(client, film, timestamps):
    answer = transcribe(client, film, timestamps=timestamps).json()
    for one in (answer, *answer["tracks"]):
        assert bool(one["words"]) == (timestamps != "none")
        assert all(("characters" in word) == (timestamps == "char") for word in one["words"])


@pytest.mark.parametrize("file_format", ["wav", "ogg", "mp3"])
def test_a_file_of_one_track(client, halves, file_format):
    samples = halves[0]
    data = (
        mux("mp3", Track(samples, codec="libmp3lame"))
        if file_format == "mp3"
        else encode(samples, 48000, file_format)
    )
    answer = transcribe(client, data).json()
    assert [(one["track"], one["text"]) for one in answer["tracks"]] == [(1, FIRST)]


def test_a_track_that_can_t_be_read_does_not_end_the_others(client, film):
    unknown = film.replace(b"A_AAC", b"A_XYZ", 1)
    answer = transcribe(client, unknown).json()
    assert [(one["track"], one["text"]) for one in answer["tracks"]] == [(2, SECOND)]
    [warning] = answer["warnings"]
    assert warning.startswith("track 1: left out: expected an audio stream with a known codec")


def test_what_is_odd_about_a_track_names_it(client, halves):
    first, second = halves
    cancelling = np.stack([second, -second], axis=1)
    data = mux("matroska", Track(first), Track(cancelling, options={"b": "256k"}))
    response = transcribe(client, data)
    assert response.json()["tracks"][1]["text"] == SECOND
    [warning] = response.json()["warnings"]
    assert warning.startswith("track 2: the channels cancel each other out")
    assert "track 2" in response.headers["otoscope-warnings"]


def test_a_file_of_which_nothing_can_be_read_is_refused(client, film):
    for data, status in ((film.replace(b"A_AAC", b"A_XYZ"), 415), (b"no sound at all", 415)):
        assert transcribe(client, data).status_code == status


def test_too_many_tracks_are_refused(client, halves):
    data = mux("matroska", *[Track(halves[0][:12000])] * 9)
    response = transcribe(client, data)
    assert (response.status_code, response.json()["type"]) == (422, "urn:otoscope:problem:audio")
    assert response.json()["detail"] == "expected at most 8 tracks to read one by one, got 9"


def test_a_track_that_is_too_long_refuses_the_file(make_settings, halves):
    data = mux("matroska", Track(halves[0]), Track(np.tile(halves[1], 3)))
    with TestClient(create_app(make_settings(max_duration_s=3.0))) as client:
        assert transcribe(client, data).status_code == 413


@pytest.mark.parametrize(
    ("options", "detail"),
    [
        ({"channel": "1"}, "channel: expected none with track=all, got 1"),
        ({"channels": "separate"}, "channels: expected none with track=all, got 'separate'"),
        ({"probs": "true"}, "probs: expected none with track=all, got True"),
        ({"n_best": "2"}, "n_best: expected none with track=all, got 2"),
        ({"phrases": "yes, no"}, "phrases: expected none with track=all"),
        ({"response_format": "srt"}, "track: expected response_format json"),
        ({"response_format": "verbose_json"}, "track: expected response_format json"),
        ({"track": "some"}, "track: expected a number from 1 to 255 or all, got 'some'"),
        ({"track": "0"}, "track: expected a number from 1 to 255 or all, got '0'"),
    ],
)
def test_what_makes_no_sense_is_refused(client, film, options, detail):
    response = transcribe(client, film, **options)
    assert (response.status_code, response.json()["type"]) == (422, "urn:otoscope:problem:form")
    assert response.json()["detail"].startswith(detail)


def test_an_alignment_is_of_one_track(client, film):
    options = {"track": "all", "text": FIRST}
    response = client.post("/align", files={"file": film}, data=options)
    assert response.status_code == 422
    assert response.json()["detail"].startswith("track: Input should be a valid integer")
