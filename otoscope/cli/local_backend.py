"""A model on this machine."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from otoscope import longform
from otoscope.alignment import align
from otoscope.audio import PcmStream
from otoscope.cli.backend import Output
from otoscope.decoding.options import DecodingOptions
from otoscope.errors import ModelFileError
from otoscope.formats import MatrixFormat
from otoscope.formats.posteriors import ViewOptions, select, write
from otoscope.local_model import LocalModel, Recording
from otoscope.model_folders import find_model
from otoscope.recognizer import Recognition
from otoscope.schemas import AlignmentAnswer, TranscriptAnswer
from otoscope.schemas.convert import alignment_answer, model_facts
from otoscope.schemas.streaming import SaidMessage, said_message
from otoscope.spoken import spoken
from otoscope.streaming import Frames, StreamingTranscriber, decode_here
from otoscope.streaming.transcriber import Events
from otoscope.strict_json import dump
from otoscope.transcript import Style

_DEFAULT_MODEL = Path("models/english/model.int8.onnx")
_CHECKOUT = Path(__file__).resolve().parents[2]


class LocalBackend:
    """A backend for recordings of any length."""

    def __init__(self, model: LocalModel) -> None:
        self._model = model

    def transcribe(
        self, recording: Recording, options: DecodingOptions, style: Style | None
    ) -> TranscriptAnswer:
        return self._model.transcribe(recording, options, style)

    def listen(
        self,
        pieces: Iterable[bytes],
        sample_rate_hz: int,
        options: DecodingOptions,
        style: Style | None,
    ) -> Iterator[SaidMessage]:
        recognizer, decoder = self._model.recognizer, self._model.decoder
        model_rate_hz = recognizer.spec.features.sample_rate_hz
        pcm = PcmStream("s16le", sample_rate_hz, model_rate_hz)
        # Silence first, beside the stream: options that are wrong show before somebody speaks.
        [silence] = recognizer.posteriors([np.zeros(model_rate_hz, dtype=np.float32)])
        decoder.decode(silence, options)
        writer = self._model.writer.in_style(style)
        transcriber = StreamingTranscriber(
            recognizer, decode_here(decoder), decoding=options, writer=writer
        )
        for piece in pieces:
            yield from _messages(transcriber.feed(pcm.feed(piece)))
        yield from _messages(transcriber.feed(pcm.flush()))
        yield from _messages(transcriber.flush())

    def align(self, recording: Recording, text: str) -> AlignmentAnswer:
        recognition = self._model.recognize(recording)
        posteriors = recognition.posteriors
        frames = posteriors.log_probs.shape[0]
        said = spoken(text, posteriors.alphabet)
        aligned = align(posteriors, said.text or text)
        warnings = (*recognition.warnings, *said.warnings)
        return alignment_answer(aligned, posteriors.clock, frames, self._model.name, warnings)

    def recognize(self, recording: Recording) -> Recognition:
        return self._model.recognize(recording, keep_features=True)

    def probs(self, recording: Recording, form: MatrixFormat, selection: ViewOptions) -> Output:
        recognition = self._model.recognize(recording, keep_features=form == "png")
        view = select(recognition.posteriors, selection)
        fields = {"warnings": recognition.warnings}
        body = write(view, form, fields, recognition.require_features)
        duration_s = recognition.posteriors.clock.duration_s
        return Output(body + b"\n" if form == "json" else body, duration_s, recognition.warnings)

    def facts(self) -> dict[str, Any]:
        recognizer, decoder = self._model.recognizer, self._model.decoder
        words = decoder.language_model and decoder.language_model.ngrams.size
        return {
            **model_facts(recognizer, self._model.writer.punctuator),
            "spec": dump(recognizer.spec),
            "file": str(self._model.path),
            "language_model_words": words,
            "calibrated": sorted(decoder.calibration.curves) if decoder.calibration else [],
        }


def path_of(model: Path | None) -> Path:
    """The file of a model by its file, folder or name; by default the English one's.

    Raises:
        ModelFileError: if there is none.
    """
    if model is not None:
        return find_model(model)
    for path in (_DEFAULT_MODEL, _CHECKOUT / _DEFAULT_MODEL):
        if path.is_file():
            return path
    raise ModelFileError(
        f"{_DEFAULT_MODEL} is missing: name a model with --model FILE, "
        "or a service with --server URL"
    )


def _messages(work: Events) -> Iterator[SaidMessage]:
    """Messages of a stream, without posteriors."""
    for event in longform.run_through(work):
        if not isinstance(event, Frames):
            yield said_message(event)
