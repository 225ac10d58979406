"""A model on this machine."""

import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from otoscope import longform
from otoscope.alignment import align
from otoscope.audio import THE_USUAL, AudioStream, Choice, PcmStream, check_separable, count_tracks
from otoscope.cli.backend import Output, Recording
from otoscope.decoding.decoder import open_decoder
from otoscope.decoding.options import DecodingOptions
from otoscope.errors import AudioError, ModelFileError
from otoscope.formats import MatrixFormat
from otoscope.formats.posteriors import ViewOptions, select, write
from otoscope.model_folders import find_model
from otoscope.recognizer import Recognition, Recognizer
from otoscope.schemas import AlignmentAnswer, ModelName, TranscriptAnswer
from otoscope.schemas.convert import (
    alignment_answer,
    by_channel,
    by_track,
    model_facts,
    transcript_answer,
)
from otoscope.schemas.streaming import SaidMessage, said_message
from otoscope.spoken import spoken
from otoscope.streaming import Frames, StreamingTranscriber, decode_here
from otoscope.streaming.transcriber import Events
from otoscope.strict_json import dump
from otoscope.transcript import Style
from otoscope.written.writer import open_writer

_DEFAULT_MODEL = Path("models/english/model.int8.onnx")
_CHECKOUT = Path(__file__).resolve().parents[2]


class LocalBackend:
    """A backend for recordings of any length, with the language model beside the model."""

    def __init__(
        self,
        model: Path | None,
        lm: Path | None,
        choice: Choice = THE_USUAL,
        *,
        separate: Literal["channels", "tracks"] | None = None,
    ) -> None:
        """Load the model, and what lies beside it.

        Args:
            model: file, folder or name of it; by default the English one of the checkout.
            lm: the language model; by default lm.npz beside the model, if it is there.
            choice: of the sounds of recordings.
            separate: which of a recording's sounds are each transcribed by itself.

        Raises:
            ModelFileError: if one of them can't be used.
        """
        self._path = find_model(model) if model else _default_model()
        self._choice, self._separate = choice, separate
        self._recognizer = Recognizer(self._path, threads=os.cpu_count() or 1)
        self._decoder = open_decoder(
            self._recognizer.spec, self._recognizer.exact_sha256, self._path, lm
        )
        self._writer = open_writer(self._recognizer.spec, self._path, lm)
        self._name = ModelName(name=self._recognizer.spec.name, sha256=self._recognizer.sha256)

    def transcribe(
        self, recording: Recording, options: DecodingOptions, style: Style | None
    ) -> TranscriptAnswer:
        if self._separate == "channels":
            return self._by_channel(recording, options, style)
        if self._separate == "tracks":
            return self._by_track(recording, options, style)
        return self._transcript(self._recognize(recording), options, style)

    def listen(
        self, pieces: Iterable[bytes], sample_rate_hz: int, options: DecodingOptions
    ) -> Iterator[SaidMessage]:
        model_rate_hz = self._recognizer.spec.features.sample_rate_hz
        pcm = PcmStream("s16le", sample_rate_hz, model_rate_hz)
        # Silence first, beside the stream: options that are wrong show before somebody speaks.
        [silence] = self._recognizer.posteriors([np.zeros(model_rate_hz, dtype=np.float32)])
        self._decoder.decode(silence, options)
        transcriber = StreamingTranscriber(
            self._recognizer, decode_here(self._decoder), decoding=options
        )
        for piece in pieces:
            yield from _messages(transcriber.feed(pcm.feed(piece)))
        yield from _messages(transcriber.feed(pcm.flush()))
        yield from _messages(transcriber.flush())

    def align(self, recording: Recording, text: str) -> AlignmentAnswer:
        recognition = self._recognize(recording)
        posteriors = recognition.posteriors
        frames = posteriors.log_probs.shape[0]
        said = spoken(text, posteriors.alphabet)
        aligned = align(posteriors, said.text or text)
        warnings = (*recognition.warnings, *said.warnings)
        return alignment_answer(aligned, posteriors.clock, frames, self._name, warnings)

    def recognize(self, recording: Recording) -> Recognition:
        return self._recognize(recording, keep_features=True)

    def probs(self, recording: Recording, form: MatrixFormat, selection: ViewOptions) -> Output:
        recognition = self._recognize(recording, keep_features=form == "png")
        view = select(recognition.posteriors, selection)
        fields = {"warnings": recognition.warnings}
        body = write(view, form, fields, recognition.require_features)
        duration_s = recognition.posteriors.clock.duration_s
        return Output(body + b"\n" if form == "json" else body, duration_s, recognition.warnings)

    def facts(self) -> dict[str, Any]:
        decoder = self._decoder
        words = decoder.language_model and decoder.language_model.ngrams.size
        return {
            **model_facts(self._recognizer, self._writer.punctuator),
            "spec": dump(self._recognizer.spec),
            "file": str(self._path),
            "language_model_words": words,
            "calibrated": sorted(decoder.calibration.curves) if decoder.calibration else [],
        }

    def _by_channel(
        self, recording: Recording, options: DecodingOptions, style: Style | None
    ) -> TranscriptAnswer:
        answers: list[TranscriptAnswer] = []
        channels = 1
        while len(answers) < channels:
            choice = self._choice._replace(channel=len(answers) + 1)
            recognition = self._recognize(recording, choice)
            channels = check_separable(recognition.channels)
            answers.append(self._transcript(recognition, options, style))
        return by_channel(answers)

    def _by_track(
        self, recording: Recording, options: DecodingOptions, style: Style | None
    ) -> TranscriptAnswer:
        answers: dict[int, TranscriptAnswer] = {}
        left_out: dict[int, AudioError] = {}
        for number in range(1, check_separable(count_tracks(recording), "tracks") + 1):
            try:
                recognition = self._recognize(recording, Choice(number))
            except AudioError as error:
                left_out[number] = error
            else:
                answers[number] = self._transcript(recognition, options, style)
        return by_track(answers, left_out)

    def _transcript(
        self, recognition: Recognition, options: DecodingOptions, style: Style | None
    ) -> TranscriptAnswer:
        posteriors, segments = recognition.posteriors, self._separate is None
        decoded = self._decoder.decode(posteriors, options)
        written = self._writer.write(decoded, style)
        warnings = (*recognition.warnings, *written.warnings)
        return transcript_answer(
            decoded, written, posteriors.clock, self._name, warnings, segments=segments
        )

    def _recognize(
        self, recording: Recording, choice: Choice | None = None, *, keep_features: bool = False
    ) -> Recognition:
        spec = self._recognizer.spec.features
        stream = AudioStream(
            recording,
            spec.sample_rate_hz,
            max_duration_s=math.inf,
            min_samples=spec.window_samples,
            choice=self._choice if choice is None else choice,
        )
        recognition = longform.recognize(self._recognizer, stream, keep_features=keep_features)
        return replace(recognition, warnings=stream.warnings, channels=stream.channels)


def _messages(work: Events) -> Iterator[SaidMessage]:
    """What a stream tells, without posteriors."""
    for event in longform.run_through(work):
        if not isinstance(event, Frames):
            yield said_message(event)


def _default_model() -> Path:
    for path in (_DEFAULT_MODEL, _CHECKOUT / _DEFAULT_MODEL):
        if path.is_file():
            return path
    raise ModelFileError(
        f"{_DEFAULT_MODEL} is missing: name a model with --model FILE, "
        "or a service with --server URL"
    )
