import lzma

import numpy as np
import pytest

from otoscope.errors import EmptyTextError
from otoscope.written.spec import CASES, MARKS
from training.punctuation.text import cases_of, labelled_text, marks_of, merged_lexicon

TEXT = """CHAPTER ONE
Contents of this book
"It was late," said Mr. Brown--"too late... We slept." What then?
In 1905 he was ill... and well; NASA wasn't.
"""
WORDS = [
    "it",
    "was",
    "late",
    "said",
    "mister",
    "brown",
    "too",
    "late",
    "we",
    "slept",
    "what",
    "then",
    "in",
    "nineteen",
    "oh",
    "five",
    "he",
    "was",
    "ill",
    "and",
    "well",
    "nasa",
    "wasn't",
]
MARKED = {"late": ",", "brown": ",", "slept": ".", "then": "?", "ill": ",", "well": ","}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "novel.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


def _words(text):
    return [text.types[number] for number in text.numbers]


def test_headings_go_and_dashes_and_dots_are_settled(path, tmp_path):
    text = labelled_text(path, tmp_path / "cache")
    assert _words(text) == WORDS
    marks = [MARKS[mark] for mark in marks_of(np.asarray(text.labels))]
    expected = [MARKED.get(word, "") for word in WORDS]
    expected[7] = "."  # the second "late": a capital follows the dots
    expected[-1] = "."
    assert marks == expected


def test_cases_are_those_of_the_text(path, tmp_path):
    text = labelled_text(path, tmp_path / "cache")
    cases = cases_of(np.asarray(text.labels))
    named = dict(zip(WORDS, cases.tolist(), strict=True))
    assert [CASES[named[word]] for word in ("it", "mister", "brown", "nasa", "slept")] == [
        "capital",
        "mixed",
        "capital",
        "upper",
        "lower",
    ]
    assert named["nineteen"] == len(CASES)


def test_a_text_is_kept_and_read_again_when_it_changes(path, tmp_path):
    cache = tmp_path / "cache"
    first = labelled_text(path, cache)
    files = {each: each.stat().st_mtime_ns for each in cache.iterdir()}
    assert _words(labelled_text(path, cache)) == _words(first)
    assert {each: each.stat().st_mtime_ns for each in cache.iterdir()} == files
    path.write_text("Another text.\n", encoding="utf-8")
    assert _words(labelled_text(path, cache)) == ["another", "text"]


def test_packed_texts_and_the_first_words_alone(tmp_path):
    path = tmp_path / "talk.txt.xz"
    with lzma.open(path, "wt", encoding="utf-8") as file:
        file.write("One line is here.\n" * 50)
    assert labelled_text(path, tmp_path / "cache").words == 200
    assert labelled_text(path, tmp_path / "cache", 40).words == 40


def test_a_text_without_sentences_is_refused(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("CONTENTS\nno end\n", encoding="utf-8")
    with pytest.raises(EmptyTextError, match="expected sentences with punctuation"):
        labelled_text(path, tmp_path / "cache")


def test_a_lexicon_has_what_comes_often(tmp_path):
    for name, line, times in (("a", "An iPhone.\n", 20), ("b", "An IPhone, an eBook.\n", 19)):
        (tmp_path / f"{name}.txt").write_text(line * times, encoding="utf-8")
    texts = [labelled_text(tmp_path / f"{name}.txt", tmp_path / "cache") for name in "ab"]
    assert merged_lexicon(texts) == {"iphone": "iPhone"}
