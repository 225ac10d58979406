"""Phonemes judge what letters spell."""

from dataclasses import replace

import numpy as np
import pytest
from ctc_oracle import random_log_probs

from otoscope import Alphabet, FrameClock, PhonemePosteriors, PhonemeSet, Posteriors, ctc
from otoscope.decoding.beam_decoder import BeamDecoder, BeamOptions
from otoscope.decoding.rescoring import PhonemeRescorer, open_rescorer
from otoscope.decoding.scaling import Evidence
from otoscope.decoding.segmentation import segments
from otoscope.errors import SpecError
from otoscope.pronunciations import FILE_NAME, Pronunciations, write_entries

ALPHABET = Alphabet(("a", "b", " "))
PHONEMES = PhonemeSet(("A", "B"))
ENTRIES = {"a": ("A",), "b": ("B",), "ab": ("A", "B")}
PLAIN = Evidence(PHONEMES.size, 1.0, 0.0, None)
JUDGE = PhonemeRescorer(Pronunciations(ENTRIES, PHONEMES), PHONEMES.blank_index, PLAIN)


def heard(letters, phonemes, duration_s=None):
    """Posteriors of one frame each 40 ms."""
    clock = FrameClock(0.04, duration_s or 0.04 * len(letters))
    return Posteriors(letters, ALPHABET, clock, PhonemePosteriors(phonemes, PHONEMES))


def frames(*rows):
    return np.log(np.array(rows, dtype=np.float32))


def test_texts_get_the_probability_of_their_phonemes():
    given = heard(random_log_probs(6, 4, 1), random_log_probs(6, 3, 2))
    found = JUDGE.log_probs(given, ["a", "ab", "b a"], np.zeros(3))
    for log_prob, labels in zip(found, ([0], [0, 1], [1, 0]), strict=True):
        expected = ctc.forward_log_prob(given.phonemes.log_probs, np.array(labels), 2)
        assert log_prob == pytest.approx(expected)


def test_of_words_without_pronunciation_the_letters_decide():
    given = heard(random_log_probs(6, 4, 1), random_log_probs(6, 3, 2))
    letters = np.array([-5.0, -3.0, -4.0])
    found = JUDGE.log_probs(given, ["a", "ab", "aab"], letters)
    assert found[2] == pytest.approx(found[1] - 1.0)  # as far behind "ab" as its letters
    nothing = JUDGE.log_probs(given, ["aab", ""], letters[:2])
    assert nothing.tolist() == letters[:2].tolist()


def test_what_can_not_be_is_far_behind_and_finite():
    given = heard(random_log_probs(1, 4, 1), random_log_probs(1, 3, 2))
    found = JUDGE.log_probs(given, ["a", "a a"], np.zeros(2))  # needs three frames
    assert found[1] == found[0] - 300.0


def test_where_letters_are_in_doubt_phonemes_choose():
    letters = frames((0.48, 0.47, 0.01, 0.04), (0.02, 0.02, 0.01, 0.95))
    phonemes = frames((0.1, 0.8, 0.1), (0.02, 0.02, 0.96))
    given, options = heard(letters, phonemes), BeamOptions(n_best=3)
    alone = BeamDecoder(ALPHABET, options).decode(given)
    judged = BeamDecoder(ALPHABET, options, rescorer=JUDGE).decode(given)
    assert (alone[0].text, judged[0].text) == ("a", "b")
    for each in judged:
        [before] = [one for one in alone if one.text == each.text]
        assert each.score == pytest.approx(each.acoustic + 0.7 * each.lm + each.bonus)
        sound = JUDGE.log_probs(given, [each.text], np.zeros(1))[0] if each.text else None
        if sound is not None:
            assert each.acoustic == pytest.approx(0.5 * before.acoustic + 0.5 * sound)


def test_models_without_phonemes_are_not_judged():
    given = heard(random_log_probs(3, 4, 1), random_log_probs(3, 3, 2))
    assert JUDGE.can_rescore(given)
    assert not JUDGE.can_rescore(replace(given, phonemes=None))


def test_a_long_recording_is_judged_in_stretches():
    """Letters of 5 s that may be "a" or "b", a blank and a space after each."""
    letter = ((0.48, 0.47, 0.01, 0.04), (0.01, 0.01, 0.02, 0.96), (0.01, 0.01, 0.96, 0.02))
    sound = ((0.1, 0.8, 0.1), (0.02, 0.02, 0.96), (0.02, 0.02, 0.96))
    given = heard(frames(*letter * 7), frames(*sound * 7))
    given = replace(given, clock=FrameClock(5.0, 105.0))
    assert len(segments(given)) == 3
    options = BeamOptions(n_best=3)
    assert BeamDecoder(ALPHABET, options).decode(given)[0].text == " ".join("a" * 7)
    found = BeamDecoder(ALPHABET, options, rescorer=JUDGE).decode(given)
    assert found[0].text == " ".join("b" * 7)
    assert len({each.text for each in found}) == 3
    scores = [each.score for each in found]
    assert scores == sorted(scores, reverse=True)
    for each in found:
        assert each.score == pytest.approx(each.acoustic + 0.7 * each.lm + each.bonus)
        assert " ".join(word.word for word in each.transcript.words) == each.text
    starts = [word.start_s for word in found[0].transcript.words]
    assert starts == pytest.approx([max(0.0, 15.0 * place - 2.5) for place in range(7)])


def test_a_judge_needs_phonemes_priors_and_pronunciations(tmp_path):
    assert open_rescorer(tmp_path, PHONEMES, (0.2, 0.2, 0.6), 0.8, 0.5) is None
    write_entries(tmp_path / FILE_NAME, ENTRIES.items())
    assert open_rescorer(tmp_path, PHONEMES, (0.2, 0.2, 0.6), 0.8, 0.5) is not None
    assert open_rescorer(tmp_path, PHONEMES, (), 0.8, 0.5) is None
    assert open_rescorer(tmp_path, None, (0.2, 0.2, 0.6), 0.8, 0.5) is None
    with pytest.raises(SpecError, match="3 priors, got 2"):
        open_rescorer(tmp_path, PHONEMES, (0.5, 0.5), 0.8, 0.5)
