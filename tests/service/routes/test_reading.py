"""GET /transcriptions/{id}/reading: what POST /transcribe answers, from what is kept."""

import json
from pathlib import Path

import pytest

SAMPLE = Path(__file__).resolve().parents[3] / "examples/sample.flac"


@pytest.fixture(scope="module")
def sample():
    return SAMPLE.read_bytes()


@pytest.fixture(scope="module")
def kept_id(client, sample):
    answer = client.post("/transcribe", files={"file": sample}, data={"decoder": "greedy"})
    return answer.json()["id"]


def read(client, result_id, **options):
    return client.get(f"/transcriptions/{result_id}/reading", params=options)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"decoder": "greedy", "timestamps": "char"},
        {"decoder": "beam", "n_best": 3, "language_model": "false"},
        {"n_best": 4, "lm_weight": 1.5, "response_format": "verbose_json"},
        {"hotwords": "farther:9, otoscope"},
        {"phrases": "yes, no, it was a long time"},
    ],
)
def test_it_is_what_transcribing_with_these_options_answers(client, kept_id, sample, options):
    fresh = client.post("/transcribe", files={"file": sample}, data=options).json()
    again = read(client, kept_id, **options)
    assert again.status_code == 200, again.text
    assert again.json() == {**fresh, "id": kept_id}


@pytest.mark.parametrize("form", ["text", "srt", "vtt", "textgrid"])
def test_files_too(client, kept_id, sample, form):
    options = {"response_format": form, "decoder": "beam"}
    fresh = client.post("/transcribe", files={"file": sample}, data=options)
    again = read(client, kept_id, **options)
    assert again.text == fresh.text
    assert again.headers["content-type"] == fresh.headers["content-type"]
    assert again.headers["otoscope-transcription-id"] == kept_id


def test_decoders_differ_and_nothing_that_is_kept_changes(client, kept_id):
    before = client.get(f"/transcriptions/{kept_id}").json()
    decoders = {
        read(client, kept_id, **options).json()["decoder"]
        for options in ({}, {"language_model": "false"}, {"decoder": "greedy"})
    }
    assert decoders == {"beam + LM", "beam", "greedy"}
    assert client.get(f"/transcriptions/{kept_id}").json() == before
    assert before["decoder"] == "greedy"


def test_without_a_language_model_no_score_asks_it(client, kept_id):
    hypotheses = read(client, kept_id, language_model="false", n_best=3).json()["hypotheses"]
    assert [one["lm"] for one in hypotheses] == [0.0] * 3
    assert all(one["score"] == pytest.approx(one["acoustic"], abs=1e-3) for one in hypotheses)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"decoder": "best"}, "decoder"),
        ({"probs": "true"}, "expected the fields decoder, language_model, beam_width"),
        ({"n_best": "3", "response_format": "srt"}, "n_best"),
        ({"hotwords": "a:b"}, "expected word or word:boost"),
        ({"decoder": "greedy", "hotwords": "father"}, "hotwords"),
    ],
)
def test_wrong_options_are_named(client, kept_id, options, words):
    answer = read(client, kept_id, **options)
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:otoscope:problem:form"
    assert words in answer.json()["detail"]


def test_an_option_given_twice_is_refused(client, kept_id):
    answer = client.get(f"/transcriptions/{kept_id}/reading?decoder=beam&decoder=greedy")
    assert answer.status_code == 422
    assert "expected one value, got two" in answer.json()["detail"]


def test_unknown_and_deleted_results(client, sample):
    assert read(client, "0" * 32).status_code == 404
    assert read(client, "not-an-id").status_code == 422
    result_id = client.post("/transcribe", files={"file": sample}).json()["id"]
    client.delete(f"/transcriptions/{result_id}")
    assert read(client, result_id).status_code == 410


def test_the_result_of_another_model_is_not_read(client, make_posteriors, make_features):
    services = client.app.state.services
    posteriors, result_id = make_posteriors(), "f" * 32
    services.store.put(
        result_id,
        posteriors,
        make_features(),
        "0" * 64,
        transcription=json.dumps({"warnings": []}).encode(),
    )
    answer = read(client, result_id)
    assert answer.status_code == 410
    assert "got one of 00000000" in answer.json()["detail"]


def test_warnings_of_the_recording_are_told_again(client, sample):
    broken = sample[: len(sample) // 2]
    fresh = client.post("/transcribe", files={"file": broken}).json()
    assert fresh["warnings"]
    again = read(client, fresh["id"], response_format="text")
    assert json.loads(again.headers["otoscope-warnings"]) == fresh["warnings"]
