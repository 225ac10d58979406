import jiwer
import numpy as np
import pytest

from training.evaluation.metrics import (
    ErrorCounts,
    aligned,
    character_errors,
    confusions,
    drawn_by,
    interval,
    phoneme_errors,
    pooled_rate,
    word_errors,
)

REFERENCES = ["the cat sat", "on the mat", "quite"]
HYPOTHESES = ["the cat sad", "on mat", ""]


def test_errors_are_counted_for_each_utterance() -> None:
    words = word_errors(REFERENCES, HYPOTHESES)
    assert words.errors.tolist() == [1, 1, 1]
    assert words.lengths.tolist() == [3, 3, 1]
    assert character_errors(REFERENCES, HYPOTHESES).errors.tolist() == [1, 4, 5]


def test_rates_are_those_of_jiwer_on_all_texts_together() -> None:
    words = word_errors(REFERENCES, HYPOTHESES)
    characters = character_errors(REFERENCES, HYPOTHESES)
    assert words.rate == pytest.approx(jiwer.wer(REFERENCES, HYPOTHESES))
    assert characters.rate == pytest.approx(jiwer.cer(REFERENCES, HYPOTHESES))
    assert characters.lengths.tolist() == [11, 10, 5]


def test_pooling_weighs_by_length_and_skips_sets_without_any() -> None:
    parts = [character_errors(REFERENCES[:1], HYPOTHESES[:1]), None]
    parts.append(character_errors(REFERENCES[1:], ["", ""]))
    assert pooled_rate(parts) == pytest.approx((1 + 15) / 26)
    assert pooled_rate([None]) is None
    assert pooled_rate([]) is None


def test_the_interval_draws_speakers_not_utterances() -> None:
    # One speaker is understood, one is not: the draw decides.
    counts = ErrorCounts(np.array([0] * 50 + [10] * 50), np.array([10] * 100))
    assert interval(counts, ["a"] * 50 + ["b"] * 50) == (0.0, 1.0)
    low, high = interval(counts, [str(number) for number in range(100)])
    assert 0.35 < low < 0.5 < high < 0.65


@pytest.mark.parametrize("speakers", [[""] * 100, ["a"] * 100, ["a"] * 50 + [""] * 50])
def test_without_two_known_speakers_the_interval_draws_utterances(speakers: list[str]) -> None:
    counts = ErrorCounts(np.array([0] * 50 + [10] * 50), np.array([10] * 100))
    assert drawn_by(speakers) == "utterance"
    assert drawn_by(["a", "b"]) == "speaker"
    low, high = interval(counts, speakers)
    assert 0.35 < low < 0.5 < high < 0.65


def test_phonemes_are_counted_whole() -> None:
    # One of two wrong, though both names begin alike; then one left out of three, one too many.
    counts = phoneme_errors([("AA", "AE"), ("B", "IY", "T")], [("AA", "AH"), ("B", "T", "S")])
    assert counts.rate == pytest.approx(3 / 5)
    assert counts.lengths.sum() == 5
    assert phoneme_errors([("AA",)], [()]).rate == 1.0


def test_characters_are_put_side_by_side() -> None:
    assert aligned("cat", "cut") == [("c", "c"), ("a", "u"), ("t", "t")]
    assert aligned("on the", "onthe") == [(one, one if one != " " else "") for one in "on the"]
    assert aligned("ab", "") == [("a", ""), ("b", "")]
    assert aligned("ab", " axb") == [("a", "a"), ("", "x"), ("b", "b")]


def test_confusions_are_what_the_errors_count() -> None:
    counts = confusions(REFERENCES, HYPOTHESES)
    assert counts["t", "d"] == 1
    assert counts["u", ""] == 1
    mistakes = sum(count for (said, heard), count in counts.items() if said != heard)
    assert mistakes == character_errors(REFERENCES, HYPOTHESES).errors.sum()
    assert sum(count for (said, _), count in counts.items() if said) == len("".join(REFERENCES))
