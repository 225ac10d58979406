"""otoscope.decoding.rescoring: phonemes choose among what characters spell."""

from dataclasses import replace

import numpy as np
import pytest
from ctc_oracle import random_log_probs

from otoscope import Alphabet, FrameClock, PhonemePosteriors, PhonemeSet, Posteriors, ctc
from otoscope.decoding.beam_decoder import BeamDecoder
from otoscope.decoding.greedy import ONSET_LEAD_S
from otoscope.decoding.options import BeamOptions
from otoscope.decoding.rescoring import PhonemeRescorer
from otoscope.decoding.segmentation import segments
from otoscope.pronunciations import Pronunciations

ALPHABET = Alphabet(("a", "b", " "))
PHONEMES = PhonemeSet(("A", "B"))
ENTRIES = {"a": ("A",), "b": ("B",), "ab": ("A", "B")}
RESCORER = PhonemeRescorer(Pronunciations(ENTRIES, PHONEMES))
OPTIONS = BeamOptions(n_best=3, lm_weight=0.7, acoustic_scale=0.8)


def heard(characters, phonemes, duration_s=None):
    """Posteriors of one frame each 40 ms."""
    clock = FrameClock(0.04, duration_s or 0.04 * len(characters))
    return Posteriors(characters, ALPHABET, clock, PhonemePosteriors(phonemes, PHONEMES))


def frames(*rows):
    return np.log(np.array(rows, dtype=np.float32))


def test_texts_get_the_probability_of_their_phonemes():
    given = heard(random_log_probs(6, 4, 1), random_log_probs(6, 3, 2))
    found = RESCORER.log_probs(given.phonemes, ["a", "ab", "b a"], np.zeros(3))
    for log_prob, labels in zip(found, ([0], [0, 1], [1, 0]), strict=True):
        expected = ctc.forward_log_prob(given.phonemes.log_probs, np.array(labels), 2)
        assert log_prob == pytest.approx(expected)


def test_of_words_without_pronunciation_the_characters_decide():
    given = heard(random_log_probs(6, 4, 1), random_log_probs(6, 3, 2))
    characters = np.array([-5.0, -3.0, -4.0])
    found = RESCORER.log_probs(given.phonemes, ["a", "ab", "aab"], characters)
    assert found[2] == pytest.approx(found[1] - 1.0)  # as far behind "ab" as its characters
    nothing = RESCORER.log_probs(given.phonemes, ["aab", ""], characters[:2])
    assert nothing.tolist() == characters[:2].tolist()


def test_what_can_not_be_is_far_behind_and_finite():
    given = heard(random_log_probs(1, 4, 1), random_log_probs(1, 3, 2))
    found = RESCORER.log_probs(given.phonemes, ["a", "a a"], np.zeros(2))  # needs three frames
    assert found[1] == found[0] - 300.0


def test_where_characters_are_in_doubt_phonemes_choose():
    characters = frames((0.48, 0.47, 0.01, 0.04), (0.02, 0.02, 0.01, 0.95))
    phonemes = frames((0.1, 0.8, 0.1), (0.02, 0.02, 0.96))
    given, options = heard(characters, phonemes), OPTIONS
    alone = BeamDecoder(ALPHABET, options).decode(given)
    rescored = BeamDecoder(ALPHABET, options, rescorer=RESCORER).decode(given)
    assert (alone[0].text, rescored[0].text) == ("a", "b")
    for each in rescored:
        [before] = [one for one in alone if one.text == each.text]
        assert each.score == pytest.approx(each.acoustic + 0.7 * each.lm + each.bonus)
        sound = (
            RESCORER.log_probs(given.phonemes, [each.text], np.zeros(1))[0] if each.text else None
        )
        if sound is not None:
            assert each.acoustic == pytest.approx(0.5 * before.acoustic + 0.5 * sound)


def test_without_phonemes_nothing_is_rescored():
    given = replace(heard(random_log_probs(3, 4, 1), random_log_probs(3, 3, 2)), phonemes=None)
    alone = BeamDecoder(ALPHABET, OPTIONS).decode(given)
    assert BeamDecoder(ALPHABET, OPTIONS, rescorer=RESCORER).decode(given) == alone


def test_a_long_recording_is_rescored_in_segments():
    """Letters of 5 s that may be "a" or "b", a blank and a space after each."""
    character = ((0.48, 0.47, 0.01, 0.04), (0.01, 0.01, 0.02, 0.96), (0.01, 0.01, 0.96, 0.02))
    sound = ((0.1, 0.8, 0.1), (0.02, 0.02, 0.96), (0.02, 0.02, 0.96))
    given = heard(frames(*character * 7), frames(*sound * 7))
    given = replace(given, clock=FrameClock(5.0, 105.0))
    assert len(segments(given)) == 3
    options = OPTIONS
    assert BeamDecoder(ALPHABET, options).decode(given)[0].text == " ".join("a" * 7)
    found = BeamDecoder(ALPHABET, options, rescorer=RESCORER).decode(given)
    assert found[0].text == " ".join("b" * 7)
    assert len({each.text for each in found}) == 3
    scores = [each.score for each in found]
    assert scores == sorted(scores, reverse=True)
    for each in found:
        assert each.score == pytest.approx(each.acoustic + 0.7 * each.lm + each.bonus)
        assert " ".join(word.word for word in each.align(given).words) == each.text
    starts = [word.start_s for word in found[0].align(given).words]
    assert starts == pytest.approx(
        [max(0.0, 15.0 * place - 2.5 - ONSET_LEAD_S) for place in range(7)]
    )
