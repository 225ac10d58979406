"""otoscope.decoding.arpa on a file worked out by hand."""

import math

import numpy as np
import pytest

from otoscope.decoding.arpa import from_arpa
from otoscope.decoding.ngram import END, NAMES, UNKNOWN
from otoscope.errors import ModelFileError

ARPA = """\\data\\
ngram 1=5
ngram 2=3
ngram 3=1

\\1-grams:
-99\t<s>\t-0.5
-1.0\t</s>
-2.0\t<unk>
-0.7\ta\t-0.3
-0.9\tb\t-0.2

\\2-grams:
-0.4\t<s> a\t-0.1
-0.6\ta b\t-0.25
-0.8\tb </s>

\\3-grams:
-0.15\t<s> a b

\\end\\
"""


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "lm.arpa"
    path.write_text(ARPA)
    return from_arpa(path)


def in_base_10(log_prob):
    return log_prob / math.log(10)


@pytest.mark.parametrize(
    ("history", "word", "expected"),
    [
        ([], "a", -0.4),  # the bigram <s> a
        (["a"], "b", -0.15),  # the trigram <s> a b
        (["a", "b"], END, -0.25 - 0.8),  # back-off of a b, then the bigram b </s>
        ([], "b", -0.5 - 0.9),  # back-off of <s>, then the unigram
        (["a"], "a", -0.1 - 0.3 - 0.7),  # <s> a, then a, then the unigram
        (["b"], "b", -0.2 - 0.9),  # <s> b is no bigram: its weight is 1
        ([UNKNOWN], "a", -0.7),  # <unk> has no back-off weight
    ],
)
def test_probabilities_back_off(model, history, word, expected):
    state = model.start()
    for one in (*history, word):
        log_prob, state = model.score(state, np.array([model.numbers.get(one, one)]))
    assert in_base_10(log_prob[0]) == pytest.approx(expected, abs=1e-5)


def test_a_sentence_has_an_end_and_unknown_words(model):
    assert in_base_10(model.log_prob(["a", "b"])) == pytest.approx(-0.4 - 0.15 - 1.05, abs=1e-5)
    expected = -0.4 + (-0.1 - 0.3 - 2.0) - 1.0
    assert in_base_10(model.log_prob(["a", "zebra"])) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    "text",
    [
        "\\1-grams:\n-1.0\n",
        "\\1-grams:\n-1 a b c\n",
        "\\1-grams:\n-1 a -1 -1\n",
        "\\1-grams:\nmuch a\n",
        "\\4-grams:\n-1 a b c\n",
    ],
)
def test_what_is_no_arpa_file_is_named(tmp_path, text):
    path = tmp_path / "lm.arpa"
    path.write_text(text)
    with pytest.raises(ModelFileError, match=r"lm\.arpa:2"):
        from_arpa(path)


def test_marks_are_there_even_where_the_file_lacks_them(tmp_path):
    path = tmp_path / "lm.arpa"
    path.write_text("\\1-grams:\n-1.0 a\n")
    model = from_arpa(path)
    assert model.words == (*NAMES, "a")
    assert model.vocabulary == ("a",)
    assert model.log_prob(["a"]) < -100  # an end that never comes
