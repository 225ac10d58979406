import gzip
import json
import lzma
from pathlib import Path

import pytest

from otoscope import ENGLISH
from training.text.sentences import held_out, sentences

TEXT = """It was late. "Who's there?" he cried. 'Nobody,' said the cat's mother!
CHAPTER 12
In 1842 nothing happened. Something did later.
"""
SENTENCES = [
    "it was late",
    "who's there",
    "he cried",
    "nobody said the cat's mother",
    "something did later",
]


def test_sentences_end_at_marks_and_keep_apostrophes_but_no_quotes(tmp_path: Path) -> None:
    path = tmp_path / "novel.txt"
    path.write_text(TEXT, encoding="utf-8")
    assert list(sentences([path], ENGLISH)) == SENTENCES  # without what has digits


@pytest.mark.parametrize(("suffix", "opened"), [(".gz", gzip.open), (".xz", lzma.open)])
def test_packed_files_are_unpacked(tmp_path: Path, suffix: str, opened) -> None:
    path = tmp_path / f"novel.txt{suffix}"
    with opened(path, "wt", encoding="utf-8") as file:
        file.write(TEXT)
    assert list(sentences([path], ENGLISH)) == SENTENCES


def test_texts_of_manifests_are_compared_as_the_alphabet_writes_them(tmp_path: Path) -> None:
    manifest = tmp_path / "dev.jsonl"
    manifest.write_text(json.dumps({"audio_filepath": "a.wav", "text": "It was LATE."}))
    assert held_out([manifest], ENGLISH) == {"it was late"}
