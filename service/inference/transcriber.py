"""A file -> written text: as a whole, or progressively while it is recognized.

Progressive text is decoded from pause to pause (`otoscope.decoding.segmentation`) and written
sentence by sentence; the result is the sum of these parts.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import BinaryIO

from otoscope import Posteriors, Recognition
from otoscope.audio import Choice
from otoscope.decoding.decoder import DecodeResult, join_results
from otoscope.decoding.options import DecodingOptions
from otoscope.decoding.segmentation import Segmenter, part_of
from otoscope.transcript import Style
from otoscope.written.sentences import SentenceWriter
from otoscope.written.writer import Writer, Written
from service.inference.decode_workers import DecodeWorkers
from service.inference.recognition import RecordingRecognizer
from service.inference.request_pool import Steps


@dataclass(frozen=True)
class Transcribed:
    """The results of all stages for a recording."""

    recognition: Recognition
    decoded: DecodeResult
    written: Written


@dataclass(frozen=True)
class Transcriber:
    """Transcribes recordings. Safe to call from several threads.

    Attributes:
        recognizer: audio to posteriors.
        workers: posteriors to words.
        writer: words to text.
    """

    recognizer: RecordingRecognizer
    workers: DecodeWorkers
    writer: Writer

    def read(
        self, recognition: Recognition, decoding: DecodingOptions, style: Style | None
    ) -> Steps[Transcribed]:
        """Decode and write a recognized recording; errors as of `DecodeWorkers.decode`."""
        decoded = yield from self.workers.decode(recognition.posteriors, decoding)
        return Transcribed(recognition, decoded, self.writer.write(decoded, style))

    def progressive_steps(
        self, file: BinaryIO, choice: Choice, decoding: DecodingOptions, style: Style | None
    ) -> Steps[Transcribed]:
        """Recognize, decode and write a file.

        Yields `Posteriors` when they are final, and `Written` sentences.

        Raises:
            As `RecordingRecognizer.steps` and `DecodeWorkers.decode` do.
        """
        work = _Progressive(self, decoding, style)
        recognition = yield from work.follow(self.recognizer.steps(file, choice))
        decoded = yield from work.finish(recognition.posteriors)
        return Transcribed(recognition, decoded, work.sentences.whole(decoded))


class _Progressive:
    """The progressive transcription of one recording."""

    def __init__(
        self, transcriber: Transcriber, decoding: DecodingOptions, style: Style | None
    ) -> None:
        self.sentences = SentenceWriter(transcriber.writer, style)
        self._workers, self._decoding = transcriber.workers, decoding
        alphabet = transcriber.recognizer.recognizer.spec.alphabet
        # Phrases are of the whole recording; without spaces, a cut could divide a word.
        self._divides = not decoding.phrases and " " in alphabet.symbols
        self._alphabet = alphabet
        self._segmenter = Segmenter()
        self._results: list[DecodeResult] = []
        self._emitted_frames = self._decoded_frames = 0

    def follow(self, recognizing: Generator[Posteriors, None, Recognition]) -> Steps[Recognition]:
        """Yield and decode posteriors as they become final, until the recording is recognized."""
        while True:
            try:
                settled = next(recognizing)
            except StopIteration as end:
                recognition: Recognition = end.value
                return recognition
            yield settled
            if self._divides:
                self._emitted_frames += len(settled.log_probs)
                for segment in self._segmenter.feed(settled):
                    yield from self._decode(segment, last=False)

    def finish(self, posteriors: Posteriors) -> Steps[DecodeResult]:
        """Decode the rest of the recording's posteriors."""
        *others, last = (
            self._segmenter.finish(part_of(posteriors, self._emitted_frames))
            if self._divides
            else [posteriors]
        )
        for segment in others:
            yield from self._decode(segment, last=False)
        yield from self._decode(last, last=True)
        if len(self._results) == 1:
            return self._results[0]
        return join_results(self._results, self._alphabet)

    def _decode(self, segment: Posteriors, *, last: bool) -> Steps[None]:
        decoded = yield from self._workers.decode(segment, self._decoding)
        decoded = decoded.moved(self._decoded_frames * segment.clock.frame_s)
        self._decoded_frames += len(segment.log_probs)
        self._results.append(decoded)
        if (written := self.sentences.feed(decoded, last=last)) is not None:
            yield written
