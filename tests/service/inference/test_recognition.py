from dataclasses import replace
from tempfile import SpooledTemporaryFile

import numpy as np
import pytest

from otoscope import longform
from otoscope.audio import AudioStream
from otoscope.errors import AudioTooLongError
from service.inference.recognition import RecordingRecognizer, timed
from service.inference.threaded_model import Stopwatch, model_threads


def test_blocks_pass_as_they_are_and_so_does_what_they_raise():
    def blocks():
        yield np.zeros(3, np.float32)
        yield np.ones(2, np.float32)
        raise ValueError("the end")

    stopwatch, passed = Stopwatch(), []
    with pytest.raises(ValueError, match="the end"):
        passed.extend(block.tolist() for block in timed(blocks(), stopwatch))
    assert passed == [[0, 0, 0], [1, 1]]
    assert set(stopwatch.took_s) == {"decode"}


def test_a_file_is_recognized_as_the_library_does_and_told_of(recognizer, sounds):
    """Of a recording that needs several windows."""
    data, told = sounds.write(sounds.noise(60)), []
    expected = longform.recognize(recognizer, AudioStream(data, 16000), keep_features=True)
    with model_threads(2) as threads:
        recording_recognizer = RecordingRecognizer(
            recognizer, threads, 60.0, lambda *each: told.append(each)
        )
        got = longform.run_through(recording_recognizer.steps(data))
        with pytest.raises(AudioTooLongError):
            longform.run_through(replace(recording_recognizer, max_duration_s=59.0).steps(data))
    np.testing.assert_array_equal(got.posteriors.log_probs, expected.posteriors.log_probs)
    np.testing.assert_array_equal(got.features.values, expected.features.values)
    assert got.posteriors.clock == expected.posteriors.clock
    assert set(got.took_s) == {"decode", "features", "model"}
    assert told == [(60.0, got.took_s)]


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize("file_format", ["WAV", "m4a"])
def test_an_upload_may_be_closed_before_its_last_step(recognizer, sounds, in_memory, file_format):
    """As when its request was answered at its limit."""
    samples = sounds.noise(220, channels=2)
    data = sounds.m4a(samples, 16000) if file_format == "m4a" else sounds.write(samples)
    with model_threads(1) as threads:
        recording_recognizer = RecordingRecognizer(recognizer, threads, 600.0)
        expected = longform.run_through(recording_recognizer.steps(data))
        file = SpooledTemporaryFile(2**30 if in_memory else 1000)  # noqa: SIM115
        file.write(data)
        steps = recording_recognizer.steps(file)
        assert len(next(steps).log_probs)
        file.close()
        got = longform.run_through(steps)
    np.testing.assert_array_equal(got.posteriors.log_probs, expected.posteriors.log_probs)
