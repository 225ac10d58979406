"""Where a long recording is cut for the search."""

import numpy as np
import pytest

from otoscope import Alphabet, FrameClock, PhonemePosteriors, PhonemeSet, Posteriors
from otoscope.decoding.segmentation import LEAST_S, MOST_S, Segmenter, part_of, segments
from otoscope.longform.windows import WindowOptions

FRAME_S = 0.04
ALPHABET = Alphabet(("a", "b", " "))
PHONEMES = PhonemeSet(("A", "B"))


def heard(text, alphabet=ALPHABET):
    """A frame a character, "-" for the blank, and phonemes that number the frames."""
    classes = [*alphabet.symbols, "-"]
    log_probs = np.full((len(text), len(classes)), -10.0, dtype=np.float32)
    log_probs[np.arange(len(text)), [classes.index(each) for each in text]] = 0.0
    numbered = np.repeat(np.arange(len(text), dtype=np.float32)[:, None], 3, axis=1)
    clock = FrameClock(FRAME_S, len(text) * FRAME_S)
    return Posteriors(log_probs, alphabet, clock, PhonemePosteriors(numbered, PHONEMES))


def lengths(parts):
    return [part.log_probs.shape[0] for part in parts]


def test_model_and_search_agree_on_what_is_long():
    assert WindowOptions().whole_s == MOST_S


def test_up_to_forty_seconds_stay_whole():
    given = heard("a" * round(MOST_S / FRAME_S))
    assert segments(given)[0] is given


def test_nothing_is_lost_and_nothing_is_too_long():
    rng = np.random.default_rng(1)
    given = heard("".join(rng.choice(list("aab -"), size=9000)))
    parts = segments(given)
    for of in (lambda one: one.log_probs, lambda one: one.phonemes.log_probs):
        np.testing.assert_array_equal(np.concatenate([of(part) for part in parts]), of(given))
    for part in parts:
        assert part.clock.duration_s == pytest.approx(part.log_probs.shape[0] * FRAME_S)
        assert part.clock.duration_s <= MOST_S
    assert min(part.clock.duration_s for part in parts[:-1]) >= LEAST_S


def test_the_longest_pause_is_cut_in_its_middle():
    given = heard("a" * 300 + "-- -" + "b" * 200 + "---- ----" + "a" * 700)
    assert lengths(segments(given)) == [300 + 4 + 200 + 4, 5 + 700]


def test_a_pause_between_words_goes_before_a_longer_one_within():
    given = heard("a" * 300 + " -" + "b" * 200 + "---------" + "a" * 700)
    assert lengths(segments(given))[0] == 301


def test_without_a_pause_it_is_cut_all_the_same():
    assert lengths(segments(heard("a" * 2500))) == [1000, 1000, 500]


def test_an_alphabet_without_a_space_has_pauses_too():
    given = heard("a" * 400 + "-----" + "b" * 900, Alphabet(("a", "b")))
    assert lengths(segments(given)) == [402, 903]


@pytest.mark.parametrize("piece_frames", [7, 400, 2000, 9000])
def test_pieces_give_segments_that_nothing_behind_them_changes(piece_frames):
    rng = np.random.default_rng(2)
    given, segmenter = heard("".join(rng.choice(list("aab -"), size=9001))), Segmenter()
    parts, start = [], 0
    while start + piece_frames < 9001:
        piece = part_of(given, start)
        cut = FrameClock(FRAME_S, piece_frames * FRAME_S)
        phonemes = PhonemePosteriors(piece.phonemes.log_probs[:piece_frames], PHONEMES)
        parts += segmenter.feed(Posteriors(piece.log_probs[:piece_frames], ALPHABET, cut, phonemes))
        start += piece_frames
    parts += segmenter.finish(part_of(given, start))
    for of in (lambda one: one.log_probs, lambda one: one.phonemes.log_probs):
        np.testing.assert_array_equal(np.concatenate([of(part) for part in parts]), of(given))
    assert max(part.clock.duration_s for part in parts) <= MOST_S
    assert min(part.clock.duration_s for part in parts[:-1]) >= LEAST_S
    assert sum(part.clock.duration_s for part in parts) == pytest.approx(given.clock.duration_s)


def test_a_short_recording_is_given_back_as_it_is():
    given = heard("ab" * 100)
    assert Segmenter().finish(part_of(given, 0)) == [given]
