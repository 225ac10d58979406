from dataclasses import replace

import numpy as np
import pytest
from pause_punctuator import SPEC, write_pause_punctuator

from otoscope.transcript import Word
from otoscope.written.punctuator import Punctuator
from otoscope.written.text import capitalized, pauses_after, write


@pytest.fixture
def punctuator(tmp_path):
    return Punctuator(write_pause_punctuator(tmp_path / "punctuation.onnx"))


def _write(punctuator, heard):
    """Words of which "," and "." behind them are pauses."""
    pauses_s = np.array([{",": 0.2, ".": 0.8}.get(word[-1], 0.0) for word in heard.split()])
    return write([word.rstrip(",.") for word in heard.split()], punctuator, pauses_s)


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("", ""),
        ("it rained in london, all day.", "It rained in London, all day."),
        ("it rained. we left.", "It rained. We left."),
        ("in nineteen eighty four, twenty one men.", "In 1984, 21 men."),
        ("at ten thirty a m. he left.", "At 10:30 a.m. He left."),
        ("twenty, one", "20, one"),
        ("there were twenty. one left.", "There were 20. One left."),
        ("mcdonald told the bbc.", "McDonald told the BBC."),
    ],
)
def test_written(punctuator, heard, written):
    assert str(_write(punctuator, heard)) == written


def test_each_heard_word_belongs_to_one_token(punctuator):
    heard = (
        "on june twenty first, nineteen eighty four, it cost five dollars and ten cents. he left."
    )
    text = _write(punctuator, heard)
    places = [p for token in text.tokens for p in range(token.start_word, token.end_word)]
    assert places == list(range(len(heard.split())))
    by_text = {token.text: (token.start_word, token.end_word) for token in text.tokens}
    assert by_text["21st,"] == (2, 4)
    assert by_text["1984,"] == (4, 7)
    assert by_text["$5.10."] == (9, 14)


def test_pauses_are_from_word_to_word():
    words = [_word(0.0, 0.5), _word(0.75, 1.0), _word(0.98, 1.5)]
    pauses_s = pauses_after(words)
    assert pauses_s[:2].tolist() == [0.25, 0.0]
    assert np.isnan(pauses_s[2])
    assert pauses_after([]).shape == (0,)


def test_the_first_letter_is_capital():
    assert [capitalized(word) for word in ("rome", "'tis", "'", "i'm")] == [
        "Rome",
        "'Tis",
        "'",
        "I'm",
    ]


def test_written_words_have_the_times_of_what_was_heard(punctuator):
    heard = ["it", "cost", "five", "dollars", "and", "ten", "cents"]
    words = [Word(each, float(place), place + 0.9, 0.1 * place) for place, each in enumerate(heard)]
    timed = write(heard, punctuator, np.array([0.0] * 6 + [0.8])).timed(words)
    assert [each.word for each in timed] == ["It", "cost", "$5.10."]
    assert (timed[2].start_s, timed[2].end_s, timed[2].mark) == (2.0, 6.9, ".")
    assert timed[2].confidence == pytest.approx(0.4)
    assert timed[0] == Word("It", 0.0, 0.9, 0.0)


def test_a_full_stop_that_is_there_ends_the_sentence_too(punctuator):
    token = _write(punctuator, "at ten thirty a m. he left.").tokens[1]
    assert (token.text, token.mark) == ("10:30 a.m.", ".")


def test_numbers_of_other_languages_stay_words(tmp_path):
    german = replace(SPEC, language="de")
    punctuator = Punctuator(write_pause_punctuator(tmp_path / "punctuation.onnx", german))
    assert str(_write(punctuator, "in nineteen eighty four.")) == "In nineteen eighty four."


def _word(start_s, end_s):
    return Word("word", start_s, end_s, 0.9)
