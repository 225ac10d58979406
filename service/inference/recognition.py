"""A file -> posteriors: the library's steps in order, for one recording at a time."""

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from tempfile import SpooledTemporaryFile

from otoscope import Posteriors, Recognition, Recognizer, longform
from otoscope.audio import (
    THE_USUAL,
    AudioStream,
    Choice,
    DecodeProcesses,
    Samples,
    Source,
    count_tracks,
)
from service.inference import deadline
from service.inference.threaded_model import Stopwatch, ThreadedModel


@dataclass(frozen=True)
class RecordingRecognizer:
    """Decodes and recognizes files of any length. Safe to call from several threads.

    Attributes:
        recognizer: the model.
        threads: they run its graph.
        max_duration_s: longer recordings are refused.
        on_recognized: called with each recording's duration in seconds and its `took_s`.
        decode_processes: they decode what libsndfile doesn't; by default the library's own.
    """

    recognizer: Recognizer
    threads: Executor
    max_duration_s: float
    on_recognized: Callable[[float, Mapping[str, float]], None] | None = None
    decode_processes: DecodeProcesses | None = None

    def start(self) -> None:
        """Have processes that decode ready for the first recordings."""
        if self.decode_processes is not None:
            self.decode_processes.start()

    def count_tracks(self, source: Source) -> int:
        """How many tracks with audio a file has; AudioError if there is none in it."""
        with _own(source) as file:
            return count_tracks(file, self.decode_processes, deadline.raise_if_over)

    def steps(
        self, source: Source, choice: Choice = THE_USUAL
    ) -> Generator[Posteriors, None, Recognition]:
        """Recognize a file, with a pause now and then for what else waits for a thread.

        It yields posteriors that are final, as `longform.recognize_steps` does.

        Args:
            source: the file's bytes, its path or itself.
            choice: of its sounds.

        Returns:
            With features; the stages in `took_s` are decode, features and model.

        Raises:
            AudioError: if it can't be used, with what was expected and what came.
        """
        with _own(source) as file:
            spec = self.recognizer.spec.features
            stream = AudioStream(
                file,
                spec.sample_rate_hz,
                max_duration_s=self.max_duration_s,
                min_samples=spec.window_samples,
                processes=self.decode_processes,
                check=deadline.raise_if_over,
                choice=choice,
            )
            stopwatch = Stopwatch()
            recognition = yield from longform.recognize_steps(
                ThreadedModel(self.recognizer, self.threads, stopwatch),
                timed(stream, stopwatch),
                keep_features=True,
            )
            recognition = replace(
                recognition,
                warnings=stream.warnings,
                took_s=stopwatch.took_s,
                channels=stream.channels,
            )
            if self.on_recognized is not None:
                self.on_recognized(recognition.posteriors.clock.duration_s, recognition.took_s)
            return recognition


@contextmanager
def _own(source: Source) -> Iterator[Source]:
    """`source`, or a file of its own with the same bytes if it is an upload.

    An upload is closed when its request is answered, be it at its limit, and a step may still run.
    """
    if not isinstance(source, SpooledTemporaryFile):
        yield source
    elif source.name is None:  # it lies in memory
        source.seek(0)
        yield source.read()
    else:
        source.seek(0)  # which writes what is buffered
        with os.fdopen(os.dup(source.fileno()), "rb") as file:
            yield file


def timed(blocks: Iterable[Samples], stopwatch: Stopwatch) -> Iterator[Samples]:
    """The blocks as they are; the time they are waited for is `decode`."""
    remaining = iter(blocks)
    while True:
        with stopwatch.timed("decode"):
            block = next(remaining, None)
        if block is None:
            return
        yield block
