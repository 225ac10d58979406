"""otoscope.decoding.beam against every text there is."""

import itertools
import math

import numpy as np
import pytest

from otoscope import ctc
from otoscope.alphabet import Alphabet
from otoscope.decoding.beam import BeamDecoder, BeamOptions, LanguageModel
from otoscope.decoding.greedy import greedy
from otoscope.decoding.ngram import END, START, UNKNOWN, NgramModel
from otoscope.errors import SpecError
from otoscope.posteriors import FrameClock, Posteriors

ALPHABET = Alphabet(("a", "b", " "))
FRAMES = 5
EXHAUSTIVE = {"beam_width": 10**6, "min_log_prob": -1e9, "beam_threshold": 1e9}


def posteriors(log_probs, alphabet=ALPHABET):
    return Posteriors(log_probs.astype(np.float32), alphabet, FrameClock(0.04, 1.0))


def random_posteriors(seed, frames=FRAMES, sharpness=1.5):
    logits = sharpness * np.random.default_rng(seed).standard_normal((frames, ALPHABET.size))
    return posteriors(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))


def unigram_model(probabilities):
    words = (START, END, UNKNOWN, *probabilities)
    unigrams = [(-99.0, 0.0), (math.log(0.3), 0.0), (math.log(0.05), 0.0)]
    unigrams += [(math.log(p), 0.0) for p in probabilities.values()]
    nothing = np.zeros(0)
    return NgramModel(
        words,
        np.array(unigrams, dtype=np.float32),
        nothing.astype(np.int64),
        nothing.reshape(0, 2).astype(np.float32),
        nothing.astype(np.int64),
        nothing.astype(np.float32),
    )


MODEL = unigram_model({"a": 0.1, "ab": 0.2, "bb": 0.35})


def every_text():
    """Texts that a search may return: no space at the start, none doubled."""
    for length in range(FRAMES + 1):
        for symbols in itertools.product(ALPHABET.symbols, repeat=length):
            text = "".join(symbols)
            if not text.startswith(" ") and "  " not in text:
                yield text


def exact_score(text, given, options, model):
    """The module's formula, from CTC's forward probability and the model alone."""
    labels = ALPHABET.encode(text)
    acoustic = ctc.forward_log_prob(given.log_probs, labels, ALPHABET.blank_index)
    words = text.split()
    score = acoustic + options.word_bonus * len(words)
    if model is None:
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
    assert found[0].transcript.text == best.strip()
    assert found[0].score == pytest.approx(scores[best], abs=1e-4)
    for one in found:
        parts = one.acoustic + options.lm_weight * one.lm + one.bonus
        assert one.score == pytest.approx(parts, abs=1e-6)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert len({one.transcript.text for one in found}) == 3


def test_the_best_text_is_not_always_that_of_the_best_path():
    # Two frames: blank is the likeliest class of each, yet "a" has more ways to be spelled.
    probs = np.array([[0.4, 0.0, 0.0, 0.6]] * 2) + 1e-9
    given = posteriors(np.log(probs))
    assert greedy(given).text == ""
    [best] = BeamDecoder(ALPHABET, BeamOptions(word_bonus=0.0)).decode(given)
    assert best.transcript.text == "a"
    assert math.exp(best.acoustic) == pytest.approx(0.4 * 0.4 + 2 * 0.4 * 0.6, abs=1e-6)


def test_the_language_model_decides_what_sounds_alike():
    probs = np.full((4, 4), 1e-4)
    probs[0, 0] = probs[0, 1] = 0.5  # a or b
    probs[1, 3] = probs[3, 3] = 1.0
    probs[2, 1] = 1.0  # b
    given = posteriors(np.log(probs))
    model = LanguageModel(unigram_model({"ab": 0.01, "bb": 0.3}), ALPHABET)
    assert BeamDecoder(ALPHABET, BeamOptions(), model).decode(given)[0].transcript.text == "bb"
    other = LanguageModel(unigram_model({"ab": 0.3, "bb": 0.01}), ALPHABET)
    assert BeamDecoder(ALPHABET, BeamOptions(), other).decode(given)[0].transcript.text == "ab"


def test_a_word_outside_the_vocabulary_can_be_said():
    probs = np.full((5, 4), 1e-7)
    for frame, label in enumerate((1, 0, 3, 0, 1)):  # "baab", clearly
        probs[frame, label] = 1.0
    given = posteriors(np.log(probs))
    model = LanguageModel(MODEL, ALPHABET)
    [best] = BeamDecoder(ALPHABET, BeamOptions(unknown_penalty=5.0), model).decode(given)
    assert best.transcript.text == "baab"
    assert best.bonus == pytest.approx(BeamOptions().word_bonus - 5.0)


def test_words_have_the_times_of_their_letters():
    probs = np.full((6, 4), 1e-6)
    for frame, label in enumerate((0, 3, 2, 1, 1, 3)):  # a _ space b b _
        probs[frame, label] = 1.0
    given = posteriors(np.log(probs))
    [best] = BeamDecoder(ALPHABET, BeamOptions()).decode(given)
    assert [word.word for word in best.transcript.words] == ["a", "b"]
    assert best.transcript.words[1].start_s == pytest.approx(2.5 * 0.04)
    assert best.transcript.words[1].end_s == pytest.approx(4.5 * 0.04)


def test_nothing_said_is_an_empty_text():
    probs = np.full((3, 4), 1e-9)
    probs[:, 3] = 1.0
    [best] = BeamDecoder(ALPHABET, BeamOptions()).decode(posteriors(np.log(probs)))
    assert best.transcript.text == ""
    assert best.transcript.confidence is None


def test_a_narrow_beam_still_answers():
    given = random_posteriors(3, frames=60, sharpness=0.2)
    [best] = BeamDecoder(ALPHABET, BeamOptions(beam_width=1)).decode(given)
    assert np.isfinite(best.score)


@pytest.mark.parametrize(("width", "n_best"), [(0, 1), (3, 4), (3, 0)])
def test_impossible_options_are_refused(width, n_best):
    with pytest.raises(SpecError, match="beam_width"):
        BeamOptions(beam_width=width, n_best=n_best)
