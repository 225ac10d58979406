import shutil
from pathlib import Path

import pytest

from otoscope import ARPABET, PhonemeSet
from otoscope.errors import DictionaryError
from otoscope.pronunciations import read_entries
from training.data.pronunciation import (
    PronouncingDictionary,
    english_form,
    open_dictionary,
    write_pronunciations,
)

TOY = PhonemeSet(("A", "B"))


@pytest.fixture(scope="module")
def cmudict() -> PronouncingDictionary:
    return open_dictionary(None, ARPABET)


@pytest.mark.parametrize(
    ("word", "phonemes"),
    [
        ("hello", "HH AH L OW"),  # the first of two, its stress dropped
        ("Read", "R EH D"),
        ("the", "DH AH"),
        ("through", "TH R UW"),
        ("don't", "D OW N T"),
        ("measure", "M EH ZH ER"),
        ("felon's", "F EH L AH N Z"),  # derived from here on
        ("felons'", "F EH L AH N Z"),
        ("alchemists", "AE L CH AH M IH S T S"),
        ("sledges", "S L EH JH IH Z"),
        ("hugh's", "HH Y UW Z"),
    ],
)
def test_english_words(cmudict: PronouncingDictionary, word: str, phonemes: str) -> None:
    assert cmudict.pronounce(word) == tuple(phonemes.split())


@pytest.mark.parametrize("word", ["pyncheon", "otoscopically", "'", "'s", "s", "mss"])
def test_words_that_cannot_be_derived(word: str) -> None:
    entries = {"pinch": ("P",), "bos": ("B",), "ms": ("M",)}
    assert english_form(word, entries) is None


def test_the_ending_s_is_voiced_voiceless_or_a_syllable() -> None:
    entries = {"bug": ("B", "AH", "G"), "cat": ("K", "AE", "T"), "boss": ("B", "AO", "S")}
    assert english_form("bugs", entries) == ("B", "AH", "G", "Z")
    assert english_form("cat's", entries) == ("K", "AE", "T", "S")
    assert english_form("boss's", entries) == ("B", "AO", "S", "IH", "Z")
    assert english_form("dog's", entries) is None


def test_a_text_is_its_words_without_marks_between(cmudict: PronouncingDictionary) -> None:
    labels = cmudict.labels("he read")
    assert labels is not None
    assert ARPABET.decode(labels) == ("HH", "IY", "R", "EH", "D")
    assert cmudict.labels("he read pyncheon") is None


def test_targets_are_left_out_and_counted() -> None:
    dictionary = PronouncingDictionary({"ab": ("A", "B"), "aa": ("A", "A")}, TOY)
    texts = ["ab", "ab xy", "aa", "aa", "aa ab"]
    # Stride 4. "aa" needs 3 output frames, one of them a blank: 9 feature frames give them, 8
    # don't. "aa ab" is A A A B, which needs 6, as 21 give.
    targets, missing = dictionary.targets(texts, [8, 100, 9, 8, 21], 4)
    assert [labels.tolist() for labels in targets] == [[0, 1], [], [0, 0], [], [0, 0, 0, 1]]
    assert missing == {"a word outside the dictionary": 1, "fewer frames than phonemes need": 1}


def test_a_dictionary_of_another_language_derives_nothing(tmp_path: Path) -> None:
    path = tmp_path / "words.dict"
    path.write_text("ab A1 B # remark\nab(2) B\n\n# only a remark\nÄb B A0\n", encoding="utf-8")
    dictionary = open_dictionary(path, TOY)
    assert dictionary.pronounce("AB") == ("A", "B")
    assert dictionary.pronounce("äb") == ("B", "A")
    assert dictionary.pronounce("abs") is None


def test_a_missing_dictionary_is_named(tmp_path: Path) -> None:
    with pytest.raises(DictionaryError, match=r"nowhere\.dict"):
        open_dictionary(tmp_path / "nowhere.dict", TOY)


def test_what_is_known_of_a_vocabulary_is_written_down(tmp_path: Path) -> None:
    out = tmp_path / "pronunciations.txt.gz"
    assert write_pronunciations(["hello", "xqzzt", "felon's"], "en", ARPABET, out) == 2
    assert read_entries(out, ARPABET) == {
        "hello": ("HH", "AH", "L", "OW"),
        "felon's": ("F", "EH", "L", "AH", "N", "Z"),
    }


@pytest.mark.skipif(not shutil.which("espeak-ng"), reason="needs espeak-ng")
def test_other_languages_are_read_by_espeak(tmp_path: Path) -> None:
    out, phonemes = tmp_path / "pronunciations.txt.gz", PhonemeSet(("ʃ", "uː", "l", "ə"))
    assert write_pronunciations(["schule", "haus", "'"], "de", phonemes, out) == 1
    assert read_entries(out, phonemes) == {"schule": ("ʃ", "uː", "l", "ə")}
