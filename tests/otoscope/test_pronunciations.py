import gzip

import pytest

from otoscope import PhonemeSet
from otoscope.errors import DictionaryError
from otoscope.pronunciations import Pronunciations, read_entries, write_entries

TOY = PhonemeSet(("A", "B"))


@pytest.mark.parametrize(
    ("content", "said"),
    [("ab A\nba C\n", r"words.dict:2: .* phonemes of A B, got 'ba C'"), ("ab\n", "words.dict:1")],
)
def test_a_wrong_line_is_named(tmp_path, content, said):
    path = tmp_path / "words.dict"
    path.write_text(content)
    with pytest.raises(DictionaryError, match=said):
        read_entries(path, TOY)


@pytest.mark.parametrize("data", [b"no gzip", gzip.compress(b"ab A\n", mtime=0)[:-9]])
def test_a_damaged_file_is_named(tmp_path, data):
    path = tmp_path / "words.txt.gz"
    path.write_bytes(data)
    with pytest.raises(DictionaryError, match=r"words\.txt\.gz"):
        read_entries(path, TOY)


def test_what_is_written_is_read_back_and_always_the_same(tmp_path):
    entries = {"ab": ("A", "B"), "b": ("B",)}
    one, other = tmp_path / "one.gz", tmp_path / "other.gz"
    for path in (one, other):
        write_entries(path, entries.items())
    assert read_entries(one, TOY) == entries
    assert one.read_bytes() == other.read_bytes()


def test_texts_sound_as_their_words_do():
    spoken = Pronunciations({"ab": ("A", "B"), "b": ("B",)}, TOY)
    assert spoken.labels("ab b").tolist() == [0, 1, 1]
    assert spoken.labels("ab c") is None
    assert spoken.labels("") is None
