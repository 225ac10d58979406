"""POST /transcribe with the decoder and the words that a caller chooses."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pause_punctuator import SPEC, write_pause_punctuator
from transcribing import transcribe

from otoscope import ENGLISH, Alphabet, Recognizer, greedy, load
from service.app import create_app
from service.dependencies import open_services
from service.errors import StartError
from service.metrics import Metrics

ROOT = Path(__file__).resolve().parents[3]
SAMPLE = (ROOT / "examples" / "sample.flac").read_bytes()
HEARD = "was a long time before he came home to his father"  # the first word is hardly voiced
SAID = "it was a long time before he came home to his father"


def problem(answer, status=422):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()["detail"]


def test_the_language_model_reads_unless_told_otherwise(client):
    body = transcribe(client).json()
    assert body["decoder"] == "beam + LM"
    assert HEARD in body["text"]
    [only] = body["hypotheses"]
    assert only["text"] == body["text"]
    assert only["lm"] < 0
    assert body["phrases"] == []


def test_greedy_is_the_library_s(client, recognizer):
    [posteriors] = recognizer.posteriors([load(SAMPLE, 16000).samples])
    body = transcribe(client, decoder="greedy").json()
    assert (body["decoder"], body["hypotheses"]) == ("greedy", [])
    assert body["text"] == greedy(posteriors).text


def test_confidences_are_calibrated(client, recognizer):
    [posteriors] = recognizer.posteriors([load(SAMPLE, 16000).samples])
    raw = [word.confidence for word in greedy(posteriors).words]
    words = transcribe(client, decoder="greedy").json()["words"]
    calibrated = [word["confidence"] for word in words]
    assert calibrated != pytest.approx(raw, abs=0.01)
    assert all(0 < one < 1 for one in calibrated)


def test_hypotheses_are_taken_apart(client):
    body = transcribe(client, n_best=5, lm_weight=1.0, word_bonus=0.5).json()
    hypotheses = body["hypotheses"]
    assert len(hypotheses) == 5
    assert len({one["text"] for one in hypotheses}) == 5
    assert [one["score"] for one in hypotheses] == sorted(
        (one["score"] for one in hypotheses), reverse=True
    )
    for one in hypotheses:
        assert one["score"] == pytest.approx(one["acoustic"] + one["lm"] + one["bonus"], abs=1e-3)
    assert body["text"] == hypotheses[0]["text"]


def test_a_hot_word_that_nobody_knows_is_heard(client):
    plain = transcribe(client).json()["text"]
    assert "fathur" not in plain
    assert "fathur" in transcribe(client, hotwords="fathur:30, otoscope").json()["text"]


def test_a_closed_list_is_ranked(client):
    others = "it was a long time before she came home to her mother\ngood morning"
    body = transcribe(client, phrases=f"{others}\n{SAID}").json()
    assert body["decoder"] == "phrases"
    assert body["text"] == SAID
    assert body["phrases"][0]["phrase"] == SAID
    assert sum(one["probability"] for one in body["phrases"]) == pytest.approx(1, abs=1e-5)
    assert [word["word"] for word in body["words"]] == SAID.split()


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"decoder": "magic"}, "decoder"),
        ({"beam_width": "0"}, "beam_width"),
        ({"beam_width": "3", "n_best": "4"}, "n_best"),
        ({"n_best": "101"}, "n_best"),
        ({"lm_weight": "-1"}, "lm_weight"),
        ({"lm_weight": "nan"}, "lm_weight"),
        ({"word_bonus": "21"}, "word_bonus"),
        ({"hotwords": "new york:much"}, "new york:much"),
        ({"hotwords": "york:-1"}, "hotwords.york: Input should be greater than 0, got -1.0"),
        ({"hotwords": "york:nan"}, "hotwords.york"),
        ({"hotwords": "york:101"}, "hotwords.york: Input should be less than or equal to 100"),
        ({"hotwords": "york:"}, "hotwords: expected word or word:boost, got 'york:'"),
        ({"hotwords": "york", "decoder": "greedy"}, "hotwords"),
        ({"beam_width": "8", "decoder": "greedy"}, "beam_width: expected decoder=beam"),
        ({"lm_weight": "1", "decoder": "greedy"}, "lm_weight"),
        ({"word_bonus": "1", "decoder": "greedy"}, "word_bonus"),
        ({"n_best": "2", "decoder": "greedy"}, "n_best"),
        ({"n_best": "2", "phrases": "yes, no"}, "n_best: expected decoder=beam"),
        ({"hotwords": "yes", "phrases": "yes, no"}, "hotwords"),
        ({"beem_width": "3"}, "beem_width"),
    ],
)
def test_wrong_options_are_named(client, form, words):
    assert words in problem(transcribe(client, **form))


def test_a_phrase_that_is_there_twice_counts_once(client):
    body = transcribe(client, phrases="Good morning, good morning!, good evening").json()
    assert {one["phrase"] for one in body["phrases"]} == {"Good morning", "good evening"}
    assert sum(one["probability"] for one in body["phrases"]) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("field", ["phrases", "hotwords"])
def test_what_can_not_be_spelled_is_refused(client, field):
    assert "5" in problem(transcribe(client, **{field: "channel 5"}))


def test_phrases_too_long_for_the_recording_are_refused(client):
    assert "frames" in problem(transcribe(client, phrases="one and on " * 40))


def test_without_a_language_model_greedy_is_the_default(make_settings, tmp_path):
    model = shutil.copy(ROOT / "models/english-small/model.int8.onnx", tmp_path / "model.onnx")
    with TestClient(create_app(make_settings(model_path=model))) as client:
        assert transcribe(client).json()["decoder"] == "greedy"
        body = transcribe(client, decoder="beam").json()
        assert body["decoder"] == "beam"
        assert body["hypotheses"][0]["lm"] == 0
        for form in ({"n_best": 2}, {"hotwords": "fathur:30"}):
            assert transcribe(client, **form).json()["decoder"] == "beam"
        raw = transcribe(client, decoder="greedy").json()["words"]
    [posteriors] = Recognizer(model).posteriors([load(SAMPLE, 16000).samples])
    assert [word["confidence"] for word in raw] == pytest.approx(
        [word.confidence for word in greedy(posteriors).words], abs=1e-4
    )


def test_a_punctuation_model_of_another_language_stops_the_start(
    make_settings, tmp_path, sentence_model
):
    folder = shutil.copytree(sentence_model.parent, tmp_path / "model")
    french = replace(SPEC, alphabet=Alphabet((*ENGLISH.symbols, "é")), language="fr")
    write_pause_punctuator(folder / "punctuation.onnx", french)
    settings = make_settings(model_path=folder / sentence_model.name)
    expected = r"punctuation\.onnx: expected .* the symbols"
    with pytest.raises(StartError, match=expected), open_services(settings, Metrics()):
        pass


def test_a_language_model_that_is_none_stops_the_start(make_settings, tmp_path):
    (tmp_path / "lm.npz").write_bytes(b"nothing")
    settings = make_settings(lm_path=tmp_path / "lm.npz")
    with pytest.raises(StartError, match=r"lm\.npz"), open_services(settings, Metrics()):
        pass
