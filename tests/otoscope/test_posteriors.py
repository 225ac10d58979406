"""otoscope.posteriors: when a frame was."""

import itertools

import numpy as np
import pytest

from otoscope.posteriors import FrameClock, Posteriors
from otoscope.vocabulary import ENGLISH

CLOCK = FrameClock(frame_s=0.04, duration_s=1.0)


def test_frame_i_is_centred_on_i_strides_and_hops():
    assert [CLOCK.center_s(i) for i in (0, 1, 24)] == pytest.approx([0.0, 0.04, 0.96])


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
    assert CLOCK.frame_at(CLOCK.center_s(frame)) == frame
    assert CLOCK.frame_at(start_s + 1e-6) == frame
    assert CLOCK.frame_at(stop_s - 1e-6) == frame
    assert CLOCK.frame_at(stop_s + 1e-6) == frame + 1


def test_time_before_the_start_belongs_to_the_first_frame():
    assert CLOCK.frame_at(-3.0) == 0


def test_probs_are_the_exponential():
    log_probs = np.log(np.array([[0.25, 0.75]], dtype=np.float32))
    posteriors = Posteriors(log_probs, ENGLISH, CLOCK)
    np.testing.assert_allclose(posteriors.probs, [[0.25, 0.75]], rtol=1e-6)
