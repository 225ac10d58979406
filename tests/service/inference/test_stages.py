from itertools import count

import numpy as np
import pytest

from otoscope import longform
from otoscope.audio import AudioStream
from service.inference import stages
from service.inference.stages import Stopwatch, TimedBlocks, TimedModel

RATE_HZ = 16000


@pytest.fixture
def ticking(monkeypatch):
    """A clock that is a second further whenever it is read."""
    ticks = count()
    monkeypatch.setattr(stages.time, "perf_counter", lambda: float(next(ticks)))


@pytest.mark.usefixtures("ticking")
def test_a_stage_adds_up():
    watch = Stopwatch()
    for stage in ("model", "decode", "model"):
        with watch.timed(stage):
            pass
    assert watch.took_s == {"model": 2.0, "decode": 1.0}


@pytest.mark.usefixtures("ticking")
def test_blocks_pass_as_they_are_and_so_does_what_they_raise():
    def blocks():
        yield np.zeros(3, np.float32)
        yield np.ones(2, np.float32)
        raise ValueError("the end")

    watch, passed = Stopwatch(), []
    with pytest.raises(ValueError, match="the end"):
        passed.extend(block.tolist() for block in TimedBlocks(blocks(), watch))
    assert passed == [[0, 0, 0], [1, 1]]
    assert watch.took_s == {"decode": 3.0}


def test_a_model_that_is_timed_hears_the_same(recognizer, sounds):
    """Of a recording that needs several windows."""
    data, watch = sounds.write(sounds.noise(60)), Stopwatch()
    plain = longform.recognize(recognizer, AudioStream(data, RATE_HZ)).posteriors
    timed = longform.recognize(
        TimedModel(recognizer, recognizer.run_heads, watch),
        TimedBlocks(AudioStream(data, RATE_HZ), watch),
    ).posteriors
    np.testing.assert_array_equal(timed.log_probs, plain.log_probs)
    np.testing.assert_array_equal(timed.phonemes.log_probs, plain.phonemes.log_probs)
    assert timed.clock == plain.clock
    assert set(watch.took_s) == {"decode", "features", "model"}
