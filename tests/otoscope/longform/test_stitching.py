"""otoscope.longform.stitching, by hand: `.` is the blank, other letters a frame of that symbol."""

import numpy as np
import pytest

from otoscope import ENGLISH, FrameClock, Posteriors, greedy
from otoscope.errors import AudioTooShortError
from otoscope.longform.stitching import PosteriorStitcher, find_seam
from otoscope.posteriors import HeadLogProbs


def heads(path, phonemes=None):
    """Posteriors that are sure of `path`."""
    return HeadLogProbs(sure(path), None if phonemes is None else sure(phonemes))


def sure(path):
    classes = [ENGLISH.blank_index if c == "." else int(ENGLISH.encode(c)[0]) for c in path]
    probs = np.full((len(path), ENGLISH.size), 1e-3, dtype=np.float32)
    probs[np.arange(len(path)), classes] = 1 - 28e-3
    return np.log(probs)


def joined(before, after, preferred):
    """What is read off the two, and where they were joined."""
    one, other = heads(before), heads(after)
    seam = find_seam(one, other, preferred)
    log_probs = np.concatenate([one.characters[:seam], other.characters[seam:]])
    text = greedy(Posteriors(log_probs, ENGLISH, FrameClock(0.04, 1e9))).text
    return text, seam


def test_the_same_reading_is_joined_where_it_is_preferred():
    assert joined("....a..b..c.....", "....a..b..c.....", 8) == ("abc", 9)
    assert joined("................", "................", 8) == ("", 8)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("..a...b...c...", "...a...b...c.."),  # late in the second
        ("...a...b...c..", "..a...b...c..."),  # early in the second
        ("..a...b.....x.", "y.a.....b..c.."),  # misread at the edges
        ("..aaa..bb..c..", "..a..bbbb..c.."),
    ],
)
def test_nothing_is_doubled_or_lost_wherever_the_cut_is(before, after):
    for preferred in range(6, 10):
        assert joined(before, after, preferred)[0] == "abc"


def test_a_space_that_one_sees_early_and_the_other_late_stays_one():
    before, after = "n.o. .....g.o", "n.o..... .g.o"
    for preferred in range(5, 9):
        assert joined(before, after, preferred)[0] == "no go"


def test_repeated_letters_are_counted_by_their_times():
    before = "..a....a....a....a....x."
    after = "z..a....a....a....a....a"
    text, _ = joined(before, after, 12)
    assert text == "aaaaa"


def test_where_there_is_no_blank_a_run_is_neither_torn_nor_merged():
    for preferred in range(4, 9):
        assert joined("aabbccddeeff", "aabbccddeeff", preferred)[0] == "abcdef"
        assert joined("aabbccddeeff", "aaabbccddeef", preferred)[0] == "abcdef"
        assert joined("aabbbcc.cdde", "aabbbcc.cdde", preferred)[0] == "abccde"


def test_the_ends_of_the_overlap_are_not_trusted():
    _, seam = joined("abcdefghij", "klmnopqrst", 4)
    assert 2 <= seam <= 7


def test_phonemes_count_as_much_as_characters():
    """Here the characters alone would be joined at 6, in the midst of the phonemes' sign."""
    characters = "............"
    before, after = "....m.......", ".......m...."
    seam = find_seam(heads(characters, before), heads(characters, after), 6)
    kept = before[:seam] + after[seam:]
    assert kept.count("m") == 1


def test_a_strip_keeps_every_frame_once():
    whole = sure("..a...b...c...d...e...f.")
    strip = PosteriorStitcher(4)
    for first, cut, stop in ((0, 0, 10), (6, 8, 18), (14, 16, 24)):
        strip.add(first, cut, HeadLogProbs(whole[first:stop], whole[first:stop, ::-1]))
    found = strip.heads()
    np.testing.assert_array_equal(found.characters, whole)
    np.testing.assert_array_equal(found.phonemes, whole[:, ::-1])


def test_a_window_alone_is_kept_as_it_is():
    strip = PosteriorStitcher(4)
    strip.add(0, 0, heads("..a.."))
    assert strip.heads().phonemes is None
    np.testing.assert_array_equal(strip.heads().characters, sure("..a.."))


def test_no_window_at_all():
    with pytest.raises(AudioTooShortError, match="got none"):
        PosteriorStitcher(4).heads()
