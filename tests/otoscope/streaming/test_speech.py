import numpy as np

from otoscope import ENGLISH
from otoscope.streaming.speech import first_pause, longest_pause, spoken_frames


def frames_of(symbols, certainty=0.9):
    """log P in which each frame shows one symbol, "_" for the blank."""
    rest = (1 - certainty) / (ENGLISH.size - 1)
    probs = np.full((len(symbols), ENGLISH.size), rest, dtype=np.float32)
    for row, symbol in zip(probs, symbols, strict=True):
        row[ENGLISH.blank_index if symbol == "_" else ENGLISH.symbols.index(symbol)] = certainty
    return np.log(probs)


def test_characters_are_speech_and_blanks_and_spaces_are_not():
    assert spoken_frames(frames_of("__a_ b'__"), ENGLISH, 0.5).tolist() == [2, 5, 6]


def test_characters_count_together():
    log_probs = frames_of("_a", certainty=0.6)  # all others share 0.4
    assert spoken_frames(log_probs, ENGLISH, 0.35).tolist() == [0, 1]
    assert spoken_frames(log_probs, ENGLISH, 0.5).tolist() == [1]


def test_the_first_pause_that_is_long_enough():
    spoken = np.array([3, 5, 9, 20, 22])
    assert first_pause(spoken, 24, 3) == 5
    assert first_pause(spoken, 24, 4) == 9
    assert first_pause(spoken, 24, 11) is None
    assert first_pause(spoken, 34, 11) == 22
    assert first_pause(spoken, 10**6, float("inf")) is None


def test_the_middle_of_the_longest_pause():
    spoken = np.array([3, 5, 9, 20, 22])
    assert longest_pause(spoken, 0, 24) == 15
    assert longest_pause(spoken, 0, 20) == 15
    assert longest_pause(spoken, 20, 40) == 31
    assert longest_pause(np.array([], dtype=int), 10, 20) == 15
