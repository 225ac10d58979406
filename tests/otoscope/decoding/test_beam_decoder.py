"""otoscope.decoding.beam_decoder against every text there is."""

import math

import numpy as np
import pytest
from beam_oracle import (
    ALPHABET,
    EXHAUSTIVE,
    MODEL,
    PLAIN,
    every_text,
    posteriors,
    random_posteriors,
    unigram_model,
)

from otoscope import ctc
from otoscope.decoding.beam_decoder import BeamDecoder
from otoscope.decoding.greedy import ONSET_LEAD_S, greedy
from otoscope.decoding.options import BeamOptions
from otoscope.decoding.scorers import LanguageModel
from otoscope.errors import SpecError


def exact_score(text, given, options, model):
    """The module's formula, from CTC's forward probability and the model alone."""
    labels = ALPHABET.encode(text)
    acoustic = ctc.forward_log_prob(given.log_probs, labels, ALPHABET.blank_index)
    words = text.split()
    score = acoustic + options.word_bonus * len(words)
    if model is None or not words:
        return score
    unknown = sum(word not in model.vocabulary for word in words)
    return score + options.lm_weight * model.log_prob(words) - options.unknown_penalty * unknown


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("model", [None, MODEL], ids=["no model", "model"])
def test_an_exhaustive_beam_finds_the_best_of_all_texts(seed, model):
    given = random_posteriors(seed)
    options = BeamOptions(
        n_best=3, word_bonus=0.4, lm_weight=0.7, unknown_penalty=1.5, **EXHAUSTIVE
    )
    decoder = BeamDecoder(ALPHABET, options, model and LanguageModel(model, ALPHABET))
    found = decoder.decode(given)
    scores = {text: exact_score(text, given, options, model) for text in every_text()}
    best = max(scores, key=scores.__getitem__)
    assert found[0].text == best.strip()
    assert found[0].score == pytest.approx(scores[best], abs=1e-4)
    for one in found:
        parts = one.acoustic + options.lm_weight * one.lm + one.bonus
        assert one.score == pytest.approx(parts, abs=1e-6)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert len({one.text for one in found}) == 3


def test_the_best_text_is_not_always_that_of_the_best_path():
    # Two frames: blank is the likeliest class of each, yet "a" has more ways to be spelled.
    probs = np.array([[0.4, 0.0, 0.0, 0.6]] * 2) + 1e-9
    given = posteriors(np.log(probs))
    assert greedy(given).text == ""
    [best] = BeamDecoder(ALPHABET, BeamOptions(word_bonus=0.0, **PLAIN)).decode(given)
    assert best.text == "a"
    assert math.exp(best.acoustic) == pytest.approx(0.4 * 0.4 + 2 * 0.4 * 0.6, abs=1e-6)


def test_the_language_model_decides_what_sounds_alike():
    probs = np.full((4, 4), 1e-4)
    probs[0, 0] = probs[0, 1] = 0.5  # a or b
    probs[1, 3] = probs[3, 3] = 1.0
    probs[2, 1] = 1.0  # b
    given = posteriors(np.log(probs))
    model = LanguageModel(unigram_model({"ab": 0.01, "bb": 0.3}), ALPHABET)
    assert BeamDecoder(ALPHABET, BeamOptions(**PLAIN), model).decode(given)[0].text == "bb"
    other = LanguageModel(unigram_model({"ab": 0.3, "bb": 0.01}), ALPHABET)
    assert BeamDecoder(ALPHABET, BeamOptions(**PLAIN), other).decode(given)[0].text == "ab"


def test_a_word_outside_the_vocabulary_can_be_said():
    probs = np.full((5, 4), 1e-7)
    for frame, label in enumerate((1, 0, 3, 0, 1)):  # "baab", clearly
        probs[frame, label] = 1.0
    given = posteriors(np.log(probs))
    model = LanguageModel(MODEL, ALPHABET)
    [best] = BeamDecoder(ALPHABET, BeamOptions(unknown_penalty=5.0, **PLAIN), model).decode(given)
    assert best.text == "baab"
    assert best.bonus == pytest.approx(BeamOptions().word_bonus - 5.0)


def test_words_have_the_times_of_their_characters():
    probs = np.full((6, 4), 1e-6)
    for frame, label in enumerate((0, 3, 2, 1, 1, 3)):  # a _ space b b _
        probs[frame, label] = 1.0
    given = posteriors(np.log(probs))
    [best] = BeamDecoder(ALPHABET, BeamOptions(**PLAIN)).decode(given)
    words = best.align(given).words
    assert [word.word for word in words] == ["a", "b"]
    assert words[1].start_s == pytest.approx(2.5 * 0.04 - ONSET_LEAD_S)
    assert words[1].end_s == pytest.approx(4.5 * 0.04)


def test_nothing_said_is_an_empty_text():
    probs = np.full((3, 4), 1e-9)
    probs[:, 3] = 1.0
    given = posteriors(np.log(probs))
    [best] = BeamDecoder(ALPHABET, BeamOptions(**PLAIN)).decode(given)
    assert best.text == ""
    assert best.align(given).confidence is None


def test_a_narrow_beam_still_answers():
    given = random_posteriors(3, frames=60, sharpness=0.2)
    [best] = BeamDecoder(ALPHABET, BeamOptions(beam_width=1, **PLAIN)).decode(given)
    assert np.isfinite(best.score)


@pytest.mark.parametrize(("width", "n_best"), [(0, 1), (3, 4), (3, 0)])
def test_impossible_options_are_refused(width, n_best):
    with pytest.raises(SpecError, match="beam_width"):
        BeamOptions(beam_width=width, n_best=n_best)


def test_posteriors_are_flattened_and_priors_are_taken_off():
    given = random_posteriors(5)
    priors = (0.5, 0.2, 0.1, 0.2)
    options = BeamOptions(
        **{**EXHAUSTIVE, "acoustic_scale": 0.7, "prior_scale": 0.4}, word_bonus=0.0
    )
    probs = np.exp(given.log_probs.astype(np.float64)) ** 0.7 / np.array(priors) ** 0.4
    probs /= probs.sum(axis=1, keepdims=True)
    same = posteriors(np.log(probs))
    by_hand = BeamDecoder(ALPHABET, BeamOptions(word_bonus=0.0, **EXHAUSTIVE)).decode(same)[0]
    found = BeamDecoder(ALPHABET, options, priors=priors).decode(given)[0]
    assert found.text == by_hand.text
    assert found.acoustic == pytest.approx(by_hand.acoustic, abs=1e-4)


@pytest.mark.parametrize("wrong", [{"acoustic_scale": 0.0}, {"prior_scale": -0.1}])
def test_impossible_scales_are_refused(wrong):
    with pytest.raises(SpecError, match="scale"):
        BeamOptions(**wrong)
