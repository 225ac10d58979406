"""otoscope.clock: when a frame was."""

import itertools

import pytest

from otoscope.clock import FrameClock
from otoscope.errors import ViewError

CLOCK = FrameClock(frame_s=0.04, duration_s=1.0)


def test_frame_i_is_centred_on_i_strides_and_hops():
    assert CLOCK.centers_s(slice(0, 25))[[0, 1, 7, 24]].tolist() == [0.0, 0.04, 0.28, 0.96]
    assert CLOCK.centers_s(slice(3, 5)).tolist() == [0.12, 0.16]


def test_spans_touch_and_stay_within_the_recording():
    edges = [CLOCK.span_s(i, i + 1) for i in range(26)]
    assert edges[0] == pytest.approx((0.0, 0.02))
    assert edges[1] == pytest.approx((0.02, 0.06))
    for (_, stop), (start, _) in itertools.pairwise(edges):
        assert stop == start
    assert edges[25] == pytest.approx((0.98, 1.0))
    assert CLOCK.span_s(30, 31) == (1.0, 1.0)
    assert CLOCK.span_s(2, 5) == pytest.approx((0.06, 0.18))


@pytest.mark.parametrize("frame", [0, 1, 7, 24])
def test_the_frame_at_a_time_is_the_one_whose_span_holds_it(frame):
    start_s, stop_s = CLOCK.span_s(frame, frame + 1)
    assert CLOCK.frame_at(0.04 * frame) == frame
    assert CLOCK.frame_at(start_s + 1e-6) == frame
    assert CLOCK.frame_at(stop_s - 1e-6) == frame
    assert CLOCK.frame_at(stop_s + 1e-6) == frame + 1


def test_time_before_the_start_belongs_to_the_first_frame():
    assert CLOCK.frame_at(-3.0) == 0


@pytest.mark.parametrize(
    ("from_s", "to_s", "rows"),
    [
        (None, None, slice(0, 25)),
        (0.0, 1.0, slice(0, 25)),
        (0.04, None, slice(1, 25)),
        (0.05, None, slice(2, 25)),
        (None, 0.04, slice(0, 1)),  # the frame at 0.04 is not before 0.04
        (None, 0.041, slice(0, 2)),
        (0.12, 0.28, slice(3, 7)),  # 7 * 0.04 is a little more than 0.28
        (0.95, 1.0, slice(24, 25)),
        (None, 1.0004, slice(0, 25)),  # a length that was rounded to milliseconds
    ],
)
def test_rows_are_those_with_their_centres_within(from_s, to_s, rows):
    assert CLOCK.part(25, from_s, to_s)[1] == rows


def test_neighbouring_parts_make_the_whole():
    edges = [None, *(k * 0.07 for k in range(1, 14)), None]
    parts = [CLOCK.part(25, a, b)[1] for a, b in itertools.pairwise(edges)]
    assert [row for part in parts for row in range(part.start, part.stop)] == list(range(25))


@pytest.mark.parametrize(
    ("from_s", "to_s"), [(0.5, 0.5), (0.6, 0.5), (1.0, None), (2.0, None), (None, 0.0), (0.0, 1.01)]
)
def test_times_outside_the_recording(from_s, to_s):
    with pytest.raises(ViewError, match=r"expected 0 <= from_s < to_s <= 1\.000 .*, got"):
        CLOCK.part(25, from_s, to_s)


def test_a_part_between_two_frames():
    with pytest.raises(ViewError, match=r"a frame's centre between, each 0\.04 s up to 0\.96 s"):
        CLOCK.part(25, 0.05, 0.07)
    with pytest.raises(ViewError, match="a frame's centre"):
        CLOCK.part(25, 0.97, None)


def test_the_span_ends_with_the_recording():
    assert CLOCK.part(25, None, None)[0] == (0.0, 1.0)
    assert CLOCK.part(25, 0.5, 1.0004)[0] == (0.5, 1.0)
