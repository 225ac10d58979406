import jiwer
import numpy as np
import pytest

from training.evaluation.metrics import (
    Counts,
    PhonemeErrorRate,
    character_counts,
    error_rates,
    interval,
    phoneme_error_rate,
    pooled_cer,
    pooled_per,
    word_counts,
)

REFERENCES = ["the cat sat", "on the mat", "quite"]
HYPOTHESES = ["the cat sad", "on mat", ""]


def test_errors_are_counted_for_each_utterance() -> None:
    words = word_counts(REFERENCES, HYPOTHESES)
    assert words.errors.tolist() == [1, 1, 1]
    assert words.lengths.tolist() == [3, 3, 1]
    assert character_counts(REFERENCES, HYPOTHESES).errors.tolist() == [1, 4, 5]


def test_rates_are_those_of_jiwer_on_all_texts_together() -> None:
    rates = error_rates(REFERENCES, HYPOTHESES)
    assert rates.wer == pytest.approx(jiwer.wer(REFERENCES, HYPOTHESES))
    assert rates.cer == pytest.approx(jiwer.cer(REFERENCES, HYPOTHESES))
    assert (rates.words, rates.characters) == (7, 26)


def test_pooling_weighs_by_characters() -> None:
    parts = [error_rates(REFERENCES[:1], HYPOTHESES[:1]), error_rates(REFERENCES[1:], ["", ""])]
    assert pooled_cer(parts) == pytest.approx((1 + 15) / 26)


def test_the_interval_draws_speakers_not_utterances() -> None:
    # One speaker is understood, one is not: whoever is drawn decides.
    counts = Counts(np.array([0] * 50 + [10] * 50), np.array([10] * 100))
    assert interval(counts, ["a"] * 50 + ["b"] * 50) == (0.0, 1.0)
    low, high = interval(counts, [str(number) for number in range(100)])
    assert 0.35 < low < 0.5 < high < 0.65


def test_one_speaker_has_no_spread() -> None:
    counts = Counts(np.array([1, 3]), np.array([4, 4]))
    assert interval(counts, ["a", "a"]) == (0.5, 0.5)


def test_phonemes_are_counted_whole() -> None:
    # One of two wrong, though both names begin alike; then one left out of three, one too many.
    rates = phoneme_error_rate([("AA", "AE"), ("B", "IY", "T")], [("AA", "AH"), ("B", "T", "S")])
    assert rates == PhonemeErrorRate(per=pytest.approx(3 / 5), phonemes=5)
    assert phoneme_error_rate([("AA",)], [()]).per == 1.0


def test_pooling_weighs_by_phonemes_and_skips_sets_without_any() -> None:
    assert pooled_per([PhonemeErrorRate(0.5, 10), None, PhonemeErrorRate(0.1, 30)]) == (
        pytest.approx(0.2)
    )
    assert pooled_per([None]) is None
    assert pooled_per([]) is None
