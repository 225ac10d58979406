"""POST /transcribe in every format, and what it says beside the body."""

import json
import re
import sqlite3
from itertools import pairwise

import numpy as np
import pytest
from fastapi.testclient import TestClient
from praatio import textgrid as praat
from transcribing import FILES, SAMPLE_FLAC, transcribe

from otoscope import load
from otoscope.decoding.greedy import ONSET_LEAD_S
from service.app import create_app
from service.http.responses import ID_HEADER
from service.routes.transcribe import _NOT_KEPT


def written(client, response_format, data=SAMPLE_FLAC, **form):
    answer = transcribe(client, data, response_format=response_format, **form)
    assert answer.status_code == 200, answer.text
    return answer


@pytest.fixture(scope="module")
def plain(client):
    """Today's answer without any of these options."""
    return transcribe(client).json()


def without_id(body):
    return {name: value for name, value in body.items() if name != "id"}


def test_json_with_words_is_what_comes_by_default(client, plain):
    assert not {"segments", "probs"} & set(plain)
    assert all(set(word) == {"word", "start_s", "end_s", "confidence"} for word in plain["words"])
    for form in ({"response_format": "json"}, {"timestamps": "word"}):
        assert without_id(transcribe(client, **form).json()) == without_id(plain)


def test_without_times_there_are_no_words(client, plain):
    body = transcribe(client, timestamps="none").json()
    assert body["words"] == []
    assert without_id(body) == {**without_id(plain), "words": []}


@pytest.mark.parametrize(
    "form",
    [
        {"decoder": "greedy"},
        {"decoder": "beam"},
        {"decoder": "beam", "hotwords": "father", "n_best": "2"},
        {"phrases": "good morning, it was a long time"},
    ],
)
def test_every_decoder_spells_its_words(client, form):
    body = transcribe(client, timestamps="char", **form).json()
    assert body["words"]
    for word in body["words"]:
        spelled = word["characters"]
        assert "".join(each["character"] for each in spelled) == word["word"]
        assert 0 <= spelled[0]["start_s"] - word["start_s"] <= ONSET_LEAD_S + 1e-6
        assert spelled[-1]["end_s"] == word["end_s"]
        assert all(before["end_s"] <= after["start_s"] for before, after in pairwise(spelled))
        assert all(each["start_s"] < each["end_s"] for each in spelled)
        assert all(0 <= each["confidence"] <= 1 for each in spelled)
        assert set(spelled[0]) == {"character", "start_s", "end_s", "confidence"}


def test_confidences_of_characters_are_posteriors(client):
    body = transcribe(client, timestamps="char", probs="true", decoder="greedy").json()
    matrix = body["probs"]
    for letter in body["words"][0]["characters"]:
        column = matrix["symbols"].index(letter["character"])
        first = round(letter["start_s"] / matrix["frame_s"] + 0.5)
        last = round(letter["end_s"] / matrix["frame_s"] - 0.5)
        highest = max(row[column] for row in matrix["probs"][first : last + 1])
        assert letter["confidence"] == pytest.approx(highest, abs=1e-4)


def test_verbose_json_has_all_there_is(client, plain):
    body = written(client, "verbose_json", n_best=3, probs="true").json()
    assert {"hypotheses", "phrases", "decoder", "segments", "probs"} <= set(body)
    assert len(body["hypotheses"]) == 3
    assert all(word["characters"] for word in body["words"])
    [segment] = body["segments"]
    first, last = plain["words"][0], plain["words"][-1]
    assert segment == {
        "start_s": first["start_s"],
        "end_s": last["end_s"],
        "text": plain["text"],
    }
    plainer = written(client, "verbose_json", timestamps="word").json()
    assert without_id(plainer) == {**without_id(plain), "segments": [segment]}


def test_segments_are_the_cues_of_the_subtitles(client, sounds):
    speech = load(SAMPLE_FLAC, 16000).samples
    data = sounds.write(np.tile(np.pad(speech, (0, 16000)), 3), file_format="FLAC")
    segments = written(client, "verbose_json", data).json()["segments"]
    cues = written(client, "vtt", data).text.split("\n\n")[1:-1]
    assert len(segments) >= 3
    for segment, cue in zip(segments, cues, strict=True):
        times, *lines = cue.split("\n")
        assert " ".join(lines) == segment["text"]
        assert all(len(line) <= 42 for line in lines)
        assert len(lines) <= 2
        assert 0 < segment["end_s"] - segment["start_s"] <= 7
        shown = [float(time.rpartition(":")[2]) for time in times.split(" --> ")]
        assert shown == [segment["start_s"], segment["end_s"]]


@pytest.mark.parametrize("response_format", FILES)
def test_a_file_s_id_fetches_the_json(client, plain, response_format):
    answer = written(client, response_format)
    assert answer.headers["content-type"] == FILES[response_format]
    assert "otoscope-warnings" not in answer.headers
    kept = client.get(f"/transcriptions/{answer.headers[ID_HEADER]}")
    assert kept.headers["content-type"] == "application/json"
    assert kept.json()["id"] == answer.headers[ID_HEADER]
    assert without_id(kept.json()) == without_id(plain)


@pytest.mark.parametrize(
    "form", [{"timestamps": "none"}, {"timestamps": "char"}, {"response_format": "verbose_json"}]
)
def test_json_is_kept_as_it_was_answered(client, form):
    answer = transcribe(client, **form)
    assert answer.headers[ID_HEADER] == answer.json()["id"]
    assert client.get(f"/transcriptions/{answer.json()['id']}").content == answer.content


def test_text_is_a_line(client, plain):
    for form in ({}, {"timestamps": "none"}, {"timestamps": "word"}):
        assert written(client, "text", **form).text == f"{plain['text']}\n"
    assert written(client, "text", phrases="yes, no").text in ("yes\n", "no\n")


def test_subtitles(client, plain):
    shown = written(client, "srt").text
    assert re.fullmatch(r"1\n00:00:00,180 --> 00:00:03,180\n[^\n]{1,42}\n[^\n]{1,42}\n\n", shown)
    assert " ".join(shown.split("\n")[2:4]) == plain["text"]
    assert written(client, "vtt").text == shown.replace("1\n", "WEBVTT\n\n", 1).replace(",", ".")


@pytest.mark.parametrize(
    ("form", "tiers"), [({}, ("words",)), ({"timestamps": "char"}, ("words", "characters"))]
)
def test_textgrid(client, plain, tmp_path, form, tiers):
    path = tmp_path / "sample.TextGrid"
    path.write_bytes(written(client, "textgrid", **form).content)
    grid = praat.openTextgrid(str(path), includeEmptyIntervals=False)
    assert tuple(grid.tierNames) == tiers
    assert " ".join(entry.label for entry in grid.getTier("words").entries) == plain["text"]
    if len(tiers) > 1:
        labels = [entry.label for entry in grid.getTier("characters").entries]
        assert "".join(labels) == plain["text"].replace(" ", "")


def test_silence_in_every_format(client, sounds):
    data = sounds.write(sounds.noise(2) * 0)
    bodies = {name: written(client, name, data).text for name in FILES}
    assert (bodies["text"], bodies["srt"], bodies["vtt"]) == ("", "", "WEBVTT\n\n")
    assert 'text = ""' in bodies["textgrid"]
    verbose = written(client, "verbose_json", data).json()
    assert (verbose["text"], verbose["words"], verbose["segments"]) == ("", [], [])


def test_files_tell_their_warnings_in_a_header(client, sounds):
    data = sounds.write(sounds.noise(8), file_format="FLAC")
    cut = data[: len(data) // 2]
    warnings = transcribe(client, cut).json()["warnings"]
    assert "truncated" in warnings[0]
    for response_format in (*FILES, "json"):
        header = written(client, response_format, cut).headers["otoscope-warnings"]
        assert header.isascii()
        assert json.loads(header) == warnings


def test_a_file_that_cannot_be_kept_says_so(make_settings):
    settings = make_settings()
    with TestClient(create_app(settings)) as client:
        with sqlite3.connect(settings.store_path) as connection:
            connection.execute("DROP TABLE results")
        answer = written(client, "text")
    assert json.loads(answer.headers["otoscope-warnings"]) == [_NOT_KEPT]
    assert ID_HEADER not in answer.headers


def test_the_format_may_stand_in_the_query(client, plain):
    answer = client.post(
        "/transcribe", files={"file": SAMPLE_FLAC}, params={"response_format": "text"}
    )
    assert answer.text == f"{plain['text']}\n"


def test_probs_false_goes_with_every_format(client, plain):
    assert written(client, "text", probs="false").text == f"{plain['text']}\n"
