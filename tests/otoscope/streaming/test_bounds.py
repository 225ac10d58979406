"""What bounds a stream: an utterance that was none ends, and each step gets further."""

import numpy as np
import pytest
from scripted_model import SPEC, ScriptedModel, record
from streamed import streamed, words_of

from otoscope import ARPABET, ModelSpec
from otoscope.decoding.decoder import Decoder
from otoscope.decoding.options import DecodingOptions
from otoscope.longform import run_through
from otoscope.streaming import (
    Final,
    SpeechStarted,
    StreamingOptions,
    StreamingTranscriber,
    decode_here,
)
from otoscope.streaming.hearing import Hearing

RATE_HZ = 16000


def opened(model, options):
    greedily = DecodingOptions(decoder="greedy")
    return StreamingTranscriber(model, decode_here(Decoder(SPEC.alphabet)), options, greedily)


class Startled(ScriptedModel):
    """Takes a click for a letter until half a second has followed it."""

    def _read(self, values):
        return super()._read(np.where(np.arange(values.size) < values.size - 13, 0, values))


def test_what_was_no_speech_ends_without_an_end_by_silence():
    generator = np.random.default_rng(0)
    click = record(["a"], [0], generator).samples
    options = StreamingOptions(silence_s=float("inf"))
    transcriber = opened(Startled(), options)
    events = run_through(transcriber.feed(click))
    assert isinstance(events[0], SpeechStarted)
    for _ in range(60):
        events += run_through(transcriber.feed(np.zeros(RATE_HZ, dtype=np.float32)))
    [final] = (event for event in events if isinstance(event, Final))
    assert final.end_s - final.start_s <= options.longest_utterance_s
    assert transcriber.kept_s <= options.shortest_window_s + options.step_s
    assert run_through(transcriber.flush()) == []


class Fine(ScriptedModel):
    """Shows a frame each 20 ms, which is less than a window of its features."""

    def __init__(self):
        super().__init__()
        self.spec = ModelSpec(phonemes=ARPABET, frame_stride=2)

    def run_heads(self, matrices):
        return [self._read(matrix[::2, 0]) for matrix in matrices]


def test_steps_of_a_frame_that_is_shorter_than_a_window(monkeypatch):
    calls, hear = [], Hearing.hear

    def counted(*arguments):
        calls.append(arguments)
        assert len(calls) < 1000, "it does not go on"
        return hear(*arguments)

    monkeypatch.setattr(Hearing, "hear", counted)
    recording = record(["one"], [0], np.random.default_rng(0))
    transcriber = opened(Fine(), StreamingOptions(step_s=0.02))
    assert words_of(streamed(transcriber, [recording.samples]), Final) == ["one"]
    assert len(calls) == pytest.approx(recording.samples.size / 320, abs=2)
