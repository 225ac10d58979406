"""A model with its decoder and writer: recordings of any length to JSON documents."""

import hashlib
import math
from dataclasses import replace
from pathlib import Path
from typing import Literal, TypeAlias

from otoscope import longform
from otoscope.audio import THE_USUAL, AudioStream, Choice, check_separable, count_tracks
from otoscope.audio.decode import AudioDecoder, open_source
from otoscope.decoding.decoder import open_decoder
from otoscope.decoding.options import DecodingOptions
from otoscope.errors import AudioError
from otoscope.pronunciations import FILE_NAME as PRONUNCIATIONS
from otoscope.recognizer import Recognition, Recognizer
from otoscope.schemas import ModelName, TranscriptAnswer
from otoscope.schemas.convert import by_channel, by_track, transcript_answer
from otoscope.transcript import Style
from otoscope.written.punctuator import FILE_NAME as PUNCTUATION
from otoscope.written.writer import open_writer

Separate: TypeAlias = Literal["channels", "tracks"] | None
"""Whether a recording's channels or tracks are transcribed separately."""

Recording: TypeAlias = bytes | Path
"""The bytes of a file, or its path."""


class LocalModel:
    """A model in memory, with its decoder and writer. Safe to call from several threads.

    Attributes:
        path: of the model file.
        recognizer, decoder, writer: its parts.
        name: name and hash in results.
    """

    def __init__(
        self,
        path: Path,
        lm: Path | None,
        choice: Choice = THE_USUAL,
        separate: Separate = None,
        *,
        threads: int = 1,
    ) -> None:
        """Load the model and the files beside it.

        Args:
            path: of the model file.
            lm: the language model; by default lm.npz beside the model, if it is there.
            choice: track and channel of recordings.
            separate: whether channels or tracks are transcribed separately.
            threads: for one run of the model.

        Raises:
            ModelFileError: if one of the files can't be used.
        """
        self.path = path
        self._choice, self._separate = choice, separate
        self.recognizer = Recognizer(path, threads=threads)
        spec = self.recognizer.spec
        self.decoder = open_decoder(spec, self.recognizer.exact_sha256, path, lm)
        self.writer = open_writer(spec, path, lm)
        self.name = ModelName(name=spec.name, sha256=self.recognizer.sha256)

    def transcribe(
        self, recording: Recording, options: DecodingOptions, style: Style | None
    ) -> TranscriptAnswer:
        """The text with characters and segments, written as by `Writer.write`."""
        if self._separate == "channels":
            return self._by_channel(recording, options, style)
        if self._separate == "tracks":
            return self._by_track(recording, options, style)
        return self.transcript(self.recognize(recording), options, style)

    def recognize(
        self, recording: Recording, choice: Choice | None = None, *, keep_features: bool = False
    ) -> Recognition:
        """Posteriors of a recording, of `choice` or else the track and channel of the model."""
        spec = self.recognizer.spec.features
        stream = AudioStream(
            recording,
            spec.sample_rate_hz,
            max_duration_s=math.inf,
            min_samples=spec.window_samples,
            choice=self._choice if choice is None else choice,
        )
        recognition = longform.recognize(self.recognizer, stream, keep_features=keep_features)
        return replace(recognition, warnings=stream.warnings, channels=stream.channels)

    def _by_channel(
        self, recording: Recording, options: DecodingOptions, style: Style | None
    ) -> TranscriptAnswer:
        check_separable(_first_channels(recording, self._choice))
        answers: list[TranscriptAnswer] = []
        channels = 1
        while len(answers) < channels:
            number = len(answers) + 1
            choice = self._choice._replace(channel=number, channels=channels)
            recognition = self.recognize(recording, choice)
            channels = check_separable(recognition.channels)
            answers.append(self.transcript(recognition, options, style))
        return by_channel(answers)

    def _by_track(
        self, recording: Recording, options: DecodingOptions, style: Style | None
    ) -> TranscriptAnswer:
        answers: dict[int, TranscriptAnswer] = {}
        left_out: dict[int, AudioError] = {}
        for number in range(1, check_separable(count_tracks(recording), "tracks") + 1):
            try:
                recognition = self.recognize(recording, Choice(number))
            except AudioError as error:
                left_out[number] = error
            else:
                answers[number] = self.transcript(recognition, options, style)
        return by_track(answers, left_out)

    def transcript(
        self, recognition: Recognition, options: DecodingOptions, style: Style | None
    ) -> TranscriptAnswer:
        """The text of posteriors, as `transcribe` gives it."""
        posteriors, segments = recognition.posteriors, self._separate is None
        decoded = self.decoder.decode(posteriors, options)
        written = self.writer.write(decoded, style)
        warnings = (*recognition.warnings, *written.warnings)
        return transcript_answer(
            decoded, written, posteriors.clock, self.name, warnings, segments=segments
        )


def _first_channels(recording: Recording, choice: Choice) -> int:
    """How many channels a recording begins with; nothing is decoded."""
    with open_source(recording) as file:
        decoder = AudioDecoder(file, math.inf, choice=choice._replace(opened_only=True))
        for _ in decoder:
            pass  # opened only: there are no blocks
        return decoder.format.channels


def fingerprint(model: Path, lm: Path | None, options: str) -> str:
    """A hash of everything that texts depend on besides the recording: 64 hexadecimal digits.

    Args:
        model: path of the model file.
        lm: the language model, as of `LocalModel`.
        options: of decoding and writing, as text.
    """
    language_model = lm or model.with_name("lm.npz")
    files = [
        model,
        language_model,
        language_model.with_name(PRONUNCIATIONS),
        *(folder / PUNCTUATION for folder in dict.fromkeys((model.parent, language_model.parent))),
        *(model.with_name(name) for name in ("calibration.json", "decoding.json")),
    ]
    digest = hashlib.sha256(options.encode())
    for file in files:
        digest.update(sha256_of(file).encode() if file.is_file() else b"none")
    return digest.hexdigest()


def sha256_of(path: Path) -> str:
    """Of a file's content, hexadecimal; OSError if it can't be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
