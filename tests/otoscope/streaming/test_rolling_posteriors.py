import numpy as np

from otoscope import ENGLISH
from otoscope.posteriors import HeadLogProbs
from otoscope.streaming.rolling_posteriors import RollingPosteriors


def heads(symbols, classes=ENGLISH.size):
    rows = np.full((len(symbols), classes), -9.0, dtype=np.float32)
    for row, symbol in zip(rows, symbols, strict=True):
        row[ENGLISH.blank_index if symbol == "_" else ENGLISH.symbols.index(symbol)] = -0.1
    return HeadLogProbs(rows, None)


def read(rolling):
    best = rolling.view(rolling.first, rolling.stop).characters.argmax(axis=1)
    return "".join("_" if each == ENGLISH.blank_index else ENGLISH.symbols[each] for each in best)


def test_a_window_from_the_same_frame_replaces_what_was_heard():
    rolling = RollingPosteriors()
    rolling.update(0, heads("_h_e_"), 4)
    rolling.update(0, heads("_s_h_e__"), 4)
    assert read(rolling) == "_s_h_e__"
    assert (rolling.first, rolling.stop) == (0, 8)


def test_a_window_that_begins_later_keeps_what_lies_before_it():
    rolling = RollingPosteriors()
    rolling.update(0, heads("_a_b__c_d__e_f_"), 4)
    rolling.update(6, heads("x_d__e_f__g_"), 8)  # at its start it hears something else
    assert read(rolling) == "_a_b__c_d__e_f__g_"


def test_dropped_frames_stay_dropped():
    rolling = RollingPosteriors()
    rolling.update(0, heads("_a_b_"), 4)
    rolling.drop_before(3)
    rolling.drop_before(1)
    assert read(rolling) == "b_"
    rolling.update(0, heads("_a_b_c_"), 4)
    assert read(rolling) == "b_c_"
    assert (rolling.first, rolling.stop) == (3, 7)


def test_phonemes_are_joined_at_the_same_frame():
    def both(symbols):
        return HeadLogProbs(heads(symbols).characters, heads(symbols).characters[:, ::-1].copy())

    rolling = RollingPosteriors()
    rolling.update(0, both("_a_b__c_d_"), 4)
    rolling.update(4, both("__c_d__e_"), 4)
    found = rolling.view(0, rolling.stop)
    assert np.array_equal(found.phonemes, found.characters[:, ::-1])
