"""otoscope.longform.windows: every sample in a window, cuts where it is quiet."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signals import RATE_HZ, noise

from otoscope import FeatureSpec, ModelSpec
from otoscope.errors import SpecError
from otoscope.longform.windows import WindowOptions, windows

SPEC = ModelSpec()
UNIT = 640
SHORT = WindowOptions(shortest_s=1.0, longest_s=2.0, overlap_s=0.4)  # 25 and 50 frames, 5 around


def cut(samples, options=SHORT):
    return list(windows([samples], SPEC, options))


def divided(samples, sizes):
    """The same samples in blocks of these sizes, over and over."""
    start = 0
    while start < samples.size:
        for size in sizes:
            yield samples[start : start + size]
            start += size


def edges(found, samples):
    """Cuts in frames, and the end of the recording in samples."""
    return [window.cut_frame for window in found] + [samples.size / UNIT]


@settings(max_examples=50, deadline=None)
@given(
    st.integers(0, 12 * RATE_HZ),
    st.integers(0, 10**6),
    st.lists(st.integers(1, 3 * RATE_HZ), min_size=1, max_size=4),
)
def test_windows_cover_every_sample_and_divide_as_they_should(count, seed, sizes):
    samples = noise(count / RATE_HZ, seed=seed)
    found = list(windows(divided(samples, sizes), SPEC, SHORT))
    assert (found[0].first_frame, found[0].cut_frame) == (0, 0)
    for window in found:
        start = window.first_frame * UNIT
        np.testing.assert_array_equal(window.samples, samples[start : start + window.samples.size])
    for one, following in pairwise(found):
        end = one.first_frame + one.samples.size / UNIT
        assert end == following.cut_frame + 5
        assert following.first_frame == following.cut_frame - 5
    last = found[-1]
    assert last.first_frame * UNIT + last.samples.size == samples.size
    lengths = np.diff(edges(found, samples))
    assert ((lengths[:-1] >= 25) & (lengths[:-1] <= 50)).all()
    assert lengths[-1] <= 75
    assert len(found) == 1 or lengths[-1] > 25


@pytest.mark.parametrize("sizes", [[1], [UNIT], [4096, 17, 999], [10**7]])
def test_how_the_audio_is_divided_into_blocks_does_not_matter(sizes):
    samples = noise(3.5 if sizes == [1] else 9.7, seed=1)
    expected = cut(samples)
    found = list(windows(divided(samples, sizes), SPEC, SHORT))
    assert [w.cut_frame for w in found] == [w.cut_frame for w in expected]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one.samples, other.samples)


@pytest.mark.parametrize(("seconds", "pieces"), [(0.0, 1), (3.0, 1), (3.0 + 1 / RATE_HZ, 2)])
def test_up_to_the_sum_of_both_lengths_it_stays_whole(seconds, pieces):
    samples = noise(seconds)
    found = cut(samples)
    assert len(found) == pieces
    assert SHORT.whole_s == 3.0
    if pieces == 1:
        np.testing.assert_array_equal(found[0].samples, samples)


def in_a_pause(found, start_s, stop_s):
    return start_s <= found[1].cut_frame * 0.04 <= stop_s


@pytest.mark.parametrize("start_s", [1.0, 1.31, 1.6])
def test_it_is_cut_in_the_pause(start_s):
    samples = noise(6, seed=2)
    pause = slice(round(start_s * RATE_HZ), round((start_s + 0.45) * RATE_HZ))
    samples[pause] *= 0.03
    assert in_a_pause(cut(samples), start_s, start_s + 0.45)


def test_neither_hum_nor_an_offset_hides_the_pause():
    samples = noise(6, amplitude=0.05, seed=3)
    samples[round(1.2 * RATE_HZ) : round(1.7 * RATE_HZ)] *= 0.03
    time_s = np.arange(samples.size) / RATE_HZ
    samples += (0.3 * np.sin(2 * np.pi * 50 * time_s) + 0.2).astype(np.float32)
    assert in_a_pause(cut(samples), 1.2, 1.7)


def test_a_short_dip_is_no_pause():
    samples = noise(6, seed=4)
    samples[round(1.2 * RATE_HZ) : round(1.28 * RATE_HZ)] = 0  # a plosive's closure
    samples[round(1.5 * RATE_HZ) : round(1.9 * RATE_HZ)] *= 0.03
    assert in_a_pause(cut(samples), 1.5, 1.9)


def test_silence_is_cut_in_the_middle_of_the_range():
    found = cut(np.zeros(10 * RATE_HZ, dtype=np.float32))
    lengths = np.diff([window.cut_frame for window in found])
    assert set(lengths) <= {37, 38}


def test_little_is_read_ahead():
    """A window is given as soon as the cut after it can be told."""
    read = 0

    def blocks():
        nonlocal read
        for seed in range(600):
            read += 1600
            yield noise(0.1, seed=seed)

    bound = (SHORT.whole_s + SHORT.overlap_s / 2) * RATE_HZ + 1600
    for window in windows(blocks(), SPEC, SHORT):
        assert read - window.first_frame * UNIT <= bound


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"shortest_s": 0.3}, "0.4 <= shortest_s"),
        ({"shortest_s": 30.0}, "got 30.0 and 25.0"),
        ({"overlap_s": 0.0}, "above 0"),
        ({"overlap_s": 15.2}, "at most shortest_s=15.0, got 15.2"),
    ],
)
def test_options_that_cannot_be(chosen, message):
    with pytest.raises(SpecError, match=message):
        WindowOptions(**chosen)


def test_windows_for_an_encoder_with_attention_are_short_enough_for_it() -> None:
    features = FeatureSpec(kind="whisper", n_fft=400, preemphasis=0.0, log_guard=1e-10)
    spec = ModelSpec(features=features)
    options = WindowOptions.suited_to(spec)
    assert options != WindowOptions() == WindowOptions.suited_to(SPEC)
    samples = noise(95.3)
    found = list(windows([samples], spec, options))
    assert len(found) >= 5
    assert max(window.samples.size for window in found) <= features.max_s * RATE_HZ
    assert options.whole_s + options.overlap_s / 2 <= features.max_s
