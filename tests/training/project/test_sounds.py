"""Phonemes that `new` proposes for a language."""

import shutil
from pathlib import Path

import pytest

from otoscope.pronunciations import read_entries
from otoscope.vocabulary import ARPABET, PhonemeSet
from training.project.sounds import DICTIONARY, find_sounds

TEXTS = ["die schule ist aus"] * 5 + ["das journal"]
"""The last has sounds that are said once."""

needs_espeak = pytest.mark.skipif(not shutil.which("espeak-ng"), reason="needs espeak-ng")


def test_english_has_a_dictionary(tmp_path: Path) -> None:
    sounds, said = find_sounds("en", ["hello"], tmp_path)
    assert sounds is not None
    assert (sounds.phonemes, sounds.pronunciations) == (ARPABET, "")
    assert "CMUdict" in said
    assert not list(tmp_path.iterdir())


@needs_espeak
def test_others_are_read_by_espeak(tmp_path: Path) -> None:
    sounds, said = find_sounds("de", TEXTS, tmp_path)
    assert sounds is not None
    assert sounds.pronunciations == DICTIONARY
    entries = read_entries(tmp_path / DICTIONARY, sounds.phonemes)
    assert entries["schule"] == ("ʃ", "uː", "l", "ə")
    assert "journal" not in entries
    assert "ʒ" not in sounds.phonemes.symbols
    assert "6 words" in said


@needs_espeak
def test_a_model_that_goes_on_keeps_its_phonemes(tmp_path: Path) -> None:
    known = PhonemeSet(("aʊ", "s", "ɪ", "t"))
    sounds, _ = find_sounds("de", TEXTS, tmp_path, known)
    assert sounds is not None
    assert sounds.phonemes == known
    assert sorted(read_entries(tmp_path / DICTIONARY, known)) == ["aus", "ist"]


@needs_espeak
@pytest.mark.parametrize(("language", "texts"), [("xx", TEXTS), ("de", ["ja", ""])])
def test_none_are_told(language: str, texts: list[str], tmp_path: Path) -> None:
    sounds, said = find_sounds(language, texts, tmp_path)
    assert sounds is None
    assert said.startswith("phonemes: none. ")


@needs_espeak
def test_a_model_of_other_phonemes_is_told(tmp_path: Path) -> None:
    sounds, said = find_sounds("de", TEXTS, tmp_path, ARPABET)
    assert sounds is None
    assert "the model that goes on" in said
