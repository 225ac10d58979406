"""A file -> posteriors: the library's steps in order, for one recording at a time."""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace

from otoscope import Recognition, Recognizer, longform
from otoscope.audio import AudioStream, Samples, Source
from service.inference.threaded_model import Stopwatch, ThreadedModel


@dataclass(frozen=True)
class RecordingRecognizer:
    """Decodes and recognizes files of any length. Safe to call from several threads.

    Attributes:
        recognizer: the model.
        threads: they run its graph.
        max_duration_s: longer recordings are refused.
        on_recognized: called with each recording's duration in seconds and its `took_s`.
    """

    recognizer: Recognizer
    threads: Executor
    max_duration_s: float
    on_recognized: Callable[[float, Mapping[str, float]], None] | None = None

    def steps(self, source: Source) -> Generator[None, None, Recognition]:
        """Recognize a file, with a pause now and then for what else waits for a thread.

        Args:
            source: the file's bytes, its path or itself.

        Returns:
            With features; the stages in `took_s` are decode, features and model.

        Raises:
            AudioError: if it can't be used, with what was expected and what came.
        """
        spec = self.recognizer.spec.features
        stream = AudioStream(
            source,
            spec.sample_rate_hz,
            max_duration_s=self.max_duration_s,
            min_samples=spec.window_samples,
        )
        stopwatch = Stopwatch()
        recognition = yield from longform.recognize_steps(
            ThreadedModel(self.recognizer, self.threads, stopwatch),
            timed(stream, stopwatch),
            keep_features=True,
        )
        recognition = replace(recognition, warnings=stream.warnings, took_s=stopwatch.took_s)
        if self.on_recognized is not None:
            self.on_recognized(recognition.posteriors.clock.duration_s, recognition.took_s)
        return recognition


def timed(blocks: Iterable[Samples], stopwatch: Stopwatch) -> Iterator[Samples]:
    """The blocks as they are; the time they are waited for is `decode`."""
    remaining = iter(blocks)
    while True:
        with stopwatch.timed("decode"):
            block = next(remaining, None)
        if block is None:
            return
        yield block
