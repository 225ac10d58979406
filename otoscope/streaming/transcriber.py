"""A stream -> words while they are spoken.

Every `step_s` of audio the last seconds go through the model again, their posteriors replace those
of the hearing before, and the utterance is decoded. A bidirectional network hears the last moments
badly, for it lacks what follows: words there come and go. What two hypotheses in a row agree on is
confirmed and stays (`otoscope.streaming.agreement`). Where no character comes for `silence_s`, the
utterance ends: it is heard once more as a whole.

Hearings are so much audio apart, however it arrives: how a stream is divided into pieces plays no
part.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from otoscope.arrays import Ints
from otoscope.audio import Samples, check_finite
from otoscope.decoding.decoder import Decoder, DecodeResult
from otoscope.decoding.options import DecodingOptions
from otoscope.longform import FrameClassifier
from otoscope.posteriors import HeadLogProbs, Posteriors
from otoscope.streaming.agreement import agreed, words_behind
from otoscope.streaming.events import Event, Final, Frames, Partial, SpeechStarted
from otoscope.streaming.hearing import Hearing
from otoscope.streaming.options import StreamingOptions
from otoscope.streaming.speech import first_pause, longest_pause, spoken_frames
from otoscope.transcript import Word, moved
from otoscope.written.writer import Writer

Decode: TypeAlias = Callable[[Posteriors, DecodingOptions], Generator[Any, None, DecodeResult]]
"""`Decoder.decode` in steps; between two it may yield what it waits for."""

Events: TypeAlias = Generator[Any, None, list[Event]]
"""Work in steps, which returns what there is to tell."""

_ANCHOR_WORDS = 4
"""Confirmed words that are decoded again, so that the language model knows what went before."""

_ANCHOR_S = 2.0
"""More of an utterance is not decoded again for each hypothesis, if so many are confirmed."""

_REVISED_S = 1.0
"""Frames of the last hearing that are told of once more with the next."""


def decode_here(decoder: Decoder) -> Decode:
    """Decode at once, without steps."""

    def decode(
        posteriors: Posteriors, options: DecodingOptions
    ) -> Generator[Any, None, DecodeResult]:
        yield from ()
        return decoder.decode(posteriors, options)

    return decode


@dataclass
class _Utterance:
    """What is being said.

    Attributes:
        start: its first frame.
        anchor: the frame from which on it is decoded.
        confirmed: its first words, which stay.
        tail: those behind them in the last hypothesis.
        told: words and how many are confirmed, as last told.
    """

    start: int
    anchor: int
    confirmed: tuple[Word, ...] = ()
    tail: tuple[Word, ...] = ()
    told: tuple[tuple[str, ...], int] = field(default=((), 0))


class StreamingTranscriber:
    """One stream; used by one thread at a time.

    Attributes:
        step_s: audio between two hearings; may be changed at any time.
    """

    def __init__(
        self,
        model: FrameClassifier,
        decode: Decode,
        options: StreamingOptions | None = None,
        decoding: DecodingOptions | None = None,
        *,
        writer: Writer | None = None,
        frames: bool = False,
    ) -> None:
        """Begin with silence.

        Args:
            model: a `Recognizer`.
            decode: `decode_here` of a `Decoder`, or the same in steps.
            options: how to hear the stream.
            decoding: how to decode an utterance.
            writer: of the utterances' written text; None leaves all as heard.
            frames: tell of the posteriors of each hearing, too.
        """
        self._decode = decode
        self._options = options or StreamingOptions()
        self._decoding = decoding or DecodingOptions()
        self._writer = writer or Writer()
        self._frames = frames
        self._spec = model.spec
        self.step_s = self._options.step_s
        self._hearing = Hearing(model, self._options)
        self._rolling = self._hearing.posteriors
        self._floor = 0
        self._emitted_frames = 0
        self._utterance: _Utterance | None = None
        self._number = 0

    @property
    def received_s(self) -> float:
        """Audio so far."""
        return self._hearing.samples.stop / self._spec.features.sample_rate_hz

    @property
    def kept_s(self) -> float:
        """Audio that is kept: bounded, however long the stream is."""
        kept = self._hearing.samples.stop - self._hearing.samples.start
        return kept / self._spec.features.sample_rate_hz

    def feed(self, samples: Samples) -> Events:
        """Take on some audio, and hear what there is.

        Args:
            samples: (samples,) float32 in [-1, 1] at the model's rate, any number.

        Raises:
            NonFiniteAudioError: if they can't be used.
            Whatever the model or the decoder raises.
        """
        check_finite(samples, self._hearing.samples.stop)
        events: list[Event] = []
        while samples.size:
            next_at = self._hearing.next_at(self.step_s)
            missing = max(0, next_at - self._hearing.samples.stop)
            self._hearing.samples.add(samples[:missing])
            samples = samples[missing:]
            if self._hearing.samples.stop >= next_at:
                events += yield from self._hear()
        return events

    def flush(self) -> Events:
        """Hear the rest, and end the utterance if there is one; the stream may go on."""
        events: list[Event] = []
        if self._hearing.heard_samples < self._hearing.samples.stop:
            events += yield from self._hear()
        if self._utterance is not None:
            events.append((yield from self._end(self._utterance, self._rolling.stop)))
        return events

    def _hear(self) -> Events:
        """Run the model over the window, and tell what follows from it."""
        start = None if self._utterance is None else self._utterance.start
        if not self._hearing.hear(start, self._floor):
            return []
        events: list[Event] = list(self._news_of_frames()) if self._frames else []
        while (event := (yield from self._turn())) is not None:
            events.append(event)
        if self._utterance is not None:
            events += yield from self._hypothesis(self._utterance)
        return events

    def forget(self) -> None:
        """Drop what is being said, and all audio up to here."""
        self._utterance = None
        self._floor = -(-self._hearing.samples.stop // self._spec.frame_samples)
        self._rolling.drop_before(min(self._floor, self._rolling.stop))

    def _time_s(self, frame: int) -> float:
        """Where a frame begins."""
        return max(0.0, (frame - 0.5) * self._spec.frame_s)

    def _turn(self) -> Generator[Any, None, Event | None]:
        """Begin or end an utterance; None where it, or the silence, goes on."""
        spoken = self._spoken()
        if self._utterance is None:
            if not spoken.size:
                lead = self._hearing.frames_in(self._options.lead_s)
                self._floor = max(self._floor, self._rolling.stop - self._hearing.context - lead)
                self._rolling.drop_before(self._floor)
                return None
            return self._begin(int(spoken[0]))
        end = self._end_of_utterance(self._utterance, spoken)
        return None if end is None else (yield from self._end(self._utterance, end))

    def _spoken(self) -> Ints:
        """Frames in which something is said, of those that belong to no utterance before."""
        start = max(self._floor, self._rolling.first)
        log_probs = self._rolling.view(start, self._rolling.stop).characters
        probability = self._options.speech_probability
        return start + spoken_frames(log_probs, self._spec.alphabet, probability)

    def _begin(self, first_spoken: int) -> Event:
        start = max(self._floor, first_spoken - self._hearing.frames_in(self._options.lead_s))
        self._utterance = _Utterance(start, start)
        self._floor = start
        return SpeechStarted(self._number, self._time_s(start))

    def _end_of_utterance(self, utterance: _Utterance, spoken: Ints) -> int | None:
        """The frame at which it has ended; None if it goes on."""
        stop, options = self._rolling.stop, self._options
        silence = options.silence_s / self._spec.frame_s
        if not spoken.size:  # what began it was no speech after all
            if stop - max(utterance.start, self._rolling.first) >= silence:
                return stop
        elif (last := first_pause(spoken, stop, silence)) is not None:
            return min(
                stop, last + 1 + self._hearing.frames_in(min(options.lead_s, options.silence_s))
            )
        if stop - utterance.start < self._hearing.frames_in(options.longest_utterance_s):
            return None
        half = (utterance.start + stop) // 2
        latest = stop - self._hearing.frames_in(options.settle_s)
        return longest_pause(spoken, max(half, self._rolling.first), latest)

    def _hypothesis(self, utterance: _Utterance) -> Events:
        """Decode it, and confirm what two hypotheses in a row agree on."""
        self._move_anchor(utterance)
        stop = self._rolling.stop
        heads = self._rolling.view(utterance.anchor, stop)
        words = yield from self._words(utterance, heads)
        until_s = self._time_s(stop) - self._options.settle_s
        certain = agreed(utterance.tail, words, until_s)
        utterance.confirmed += words[:certain]
        utterance.tail = words[certain:]
        shown = utterance.confirmed + utterance.tail
        told = tuple(word.word for word in shown), len(utterance.confirmed)
        if told == utterance.told:
            return []
        utterance.told = told
        return [Partial(self._number, shown, len(utterance.confirmed))]

    def _words(
        self, utterance: _Utterance, heads: HeadLogProbs
    ) -> Generator[Any, None, tuple[Word, ...]]:
        """What is said behind its confirmed words, in frames from its anchor on."""
        result = yield from self._decode(self._hearing.meaning(heads), self._decoding)
        anchor_s = utterance.anchor * self._spec.frame_s
        known = [word for word in utterance.confirmed if word.end_s > anchor_s]
        return words_behind(known, moved(result.transcript.words, anchor_s))

    def _move_anchor(self, utterance: _Utterance) -> None:
        """Decode no more than the last words that are confirmed and what follows them."""
        too_long = self._rolling.stop - utterance.anchor > self._hearing.frames_in(_ANCHOR_S)
        if too_long and len(utterance.confirmed) > _ANCHOR_WORDS:
            start_s = utterance.confirmed[-_ANCHOR_WORDS].start_s
            utterance.anchor = max(utterance.anchor, round(start_s / self._spec.frame_s))
            self._rolling.drop_before(utterance.anchor)
            self._floor = utterance.anchor

    def _end(self, utterance: _Utterance, stop: int) -> Generator[Any, None, Event]:
        """Hear the utterance up to frame `stop` as a whole; the next may begin there."""
        edge_s = stop * self._spec.frame_s
        kept = tuple(word for word in utterance.confirmed if word.start_s < edge_s)
        heads = self._hearing.whole(utterance.start, stop)
        utterance.anchor, late = utterance.start, utterance.confirmed[len(kept) :]
        utterance.confirmed = kept
        words = kept
        if not late:  # else others between these and those would change what is confirmed
            words += yield from self._words(utterance, heads)
        self._floor, self._utterance = stop, None
        self._rolling.drop_before(min(stop, self._rolling.stop))
        if late:
            self._utterance = _Utterance(stop, stop, late)
        self._number += 1
        confidences = [word.confidence for word in words]
        return Final(
            self._number - 1,
            words,
            self._writer.write_words(words),
            float(np.mean(confidences)) if confidences else None,
            self._time_s(utterance.start),
            min(self._time_s(stop), self.received_s),
            self._hearing.meaning(heads),
            utterance.start,
        )

    def _news_of_frames(self) -> Iterator[Event]:
        """The frames that are new, and those before them that were heard once more."""
        first = max(self._rolling.first, self._emitted_frames - self._hearing.frames_in(_REVISED_S))
        self._emitted_frames = self._rolling.stop
        yield Frames(first, self._hearing.meaning(self._rolling.view(first, self._rolling.stop)))
