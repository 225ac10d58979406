"""What is learned from, and what is chosen by."""

from dataclasses import replace
from pathlib import Path

import pytest

from training.data.utterances import ManifestError, Utterance
from training.project.split import held_out, split


def test_dev_has_speakers_of_its_own_or_texts_and_says_so() -> None:
    utterances = [Utterance(Path(f"{n}"), f"text {n}", f"s{n % 10}") for n in range(100)]
    places, words = split(utterances, [10.0] * 100)
    speakers = {utterances[place].speaker for place in places}
    assert len(places) == 10
    assert all((one.speaker in speakers) == (n in places) for n, one in enumerate(utterances))
    assert "who is nowhere else" in words
    main = [replace(one, speaker="s0" if n % 10 < 9 else "s9") for n, one in enumerate(utterances)]
    places, words = split(main, [10.0] * 100)
    assert places == list(range(9, 100, 10))
    assert "of 1 speaker, who is nowhere else" in words
    one_voice = [Utterance(Path(f"{n}"), f"text {n % 50}", "kerstin") for n in range(100)]
    places, words = split(one_voice, [10.0] * 100)
    texts = {one_voice[place].text for place in places}
    assert all((one.text in texts) == (n in places) for n, one in enumerate(one_voice))
    assert 8 <= len(places) <= 14
    assert "little about other voices" in words


def test_dev_speakers_can_be_named() -> None:
    utterances = [Utterance(Path(f"{n}"), f"text {n}", f"s{n % 3}") for n in range(6)]
    places, words = held_out(utterances, ["s1"])
    assert places == [1, 4]
    assert "2 utterances of s1, who are nowhere else" in words
    with pytest.raises(ManifestError, match="dev speakers of s0, s1, s2, got s3"):
        held_out(utterances, ["s1", "s3"])
    with pytest.raises(ManifestError, match="to learn from besides"):
        held_out(utterances, ["s0", "s1", "s2"])


def test_speakers_of_hours_are_learned_from() -> None:
    utterances = [Utterance(Path(f"{n}"), f"text {n}", f"s{n % 6}") for n in range(600)]
    places, words = split(utterances, [120.0] * 600)
    assert 120.0 * len(places) == 1800.0
    assert "little about other voices" in words
