import numpy as np
import pytest
from pause_punctuator import SPEC, write_pause_punctuator
from tiny_onnx import FLOAT, identity_model

from otoscope.errors import ModelFileError
from otoscope.written.punctuator import SPEC_KEY, Punctuator, split
from otoscope.written.spec import CASES, MARKS


@pytest.fixture
def punctuator(tmp_path):
    return Punctuator(write_pause_punctuator(tmp_path / "punctuation.onnx"))


def _names(punctuation):
    cases = [CASES[case] for case in punctuation.cases]
    return cases, [MARKS[mark] for mark in punctuation.marks]


def test_words_and_pauses_decide(punctuator):
    words = ["in", "london", "the", "bbc", "said", "mcdonald"]
    pauses_s = np.array([0.0, 0.2, np.nan, 0.04, 0.1, 0.7])
    cases, marks = _names(punctuator.punctuate(words, pauses_s))
    assert cases == ["capital", "capital", "lower", "upper", "lower", "mixed"]
    assert marks == ["", ",", "", "", ",", "."]


def test_a_word_after_a_full_stop_is_capital(punctuator):
    cases, marks = _names(
        punctuator.punctuate(["it", "rained", "we", "left"], np.array([0, 1, 0, 0.2]))
    )
    assert marks == ["", ".", "", ","]
    assert cases == ["capital", "lower", "capital", "lower"]


def test_without_pauses_none_is_known(punctuator):
    assert _names(punctuator.punctuate(["it", "rained"]))[1] == ["", ""]


def test_nothing_gives_nothing(punctuator):
    punctuation = punctuator.punctuate([])
    assert punctuation.cases.shape == punctuation.marks.shape == (0,)


@pytest.mark.parametrize("count", [1, 7, 8, 9, 12, 13, 100, 1000])
def test_texts_of_any_length_give_each_word_its_own(punctuator, count):
    rng = np.random.default_rng(count)
    words = [("london", "it")[draw] for draw in rng.integers(2, size=count)]
    pauses_s = rng.choice([0.0, 0.2], size=count)
    cases, marks = _names(punctuator.punctuate(words, pauses_s))
    assert marks == [("", ",")[int(pause > 0)] for pause in pauses_s]
    assert cases[1:] == [("lower", "capital")[word == "london"] for word in words[1:]]


def test_as_many_pauses_as_words(punctuator):
    with pytest.raises(ValueError, match="expected 2 pauses"):
        punctuator.punctuate(["it", "rained"], np.zeros(3))


@pytest.mark.parametrize("words", range(40))
def test_windows_keep_each_word_once_and_far_from_their_edges(words):
    windows = split(words, 10, 4)
    kept = [place for window in windows for place in range(window.keep_from, window.keep_to)]
    assert kept == list(range(words))
    for window in windows:
        assert 0 <= window.start <= window.keep_from < window.keep_to <= window.end <= words
        assert window.end - window.start <= 10
        assert window.start == 0 or window.keep_from - window.start >= 2
        assert window.end == words or window.end - window.keep_to >= 2


@pytest.mark.parametrize(
    "metadata", [{}, {SPEC_KEY: "{}"}, {SPEC_KEY: SPEC.to_json().replace("0.5", "0.05")}]
)
def test_other_models_are_refused(tmp_path, metadata):
    path = tmp_path / "punctuation.onnx"
    path.write_bytes(identity_model([("a", "b", FLOAT, [1], [1])], metadata))
    with pytest.raises(ModelFileError, match="expected"):
        Punctuator(path)


def test_a_broken_spec_is_named(tmp_path):
    path = write_pause_punctuator(tmp_path / "punctuation.onnx")
    path.write_bytes(path.read_bytes().replace(b'"overlap_words": 4', b'"overlap_words": 8'))
    with pytest.raises(ModelFileError, match="overlap_words: expected at least 0 and less than"):
        Punctuator(path)
