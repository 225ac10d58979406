"""A file -> what was said: the library's steps in order, for one recording."""

from collections.abc import Generator
from dataclasses import replace

from otoscope import Recognition, Recognizer, longform
from otoscope.audio import AudioStream, Source
from service.inference.stages import RunHeads, Stopwatch, TimedBlocks, TimedModel


class Transcriber:
    """Decode, recognize, write down. Safe to call from several threads."""

    def __init__(
        self,
        recognizer: Recognizer,
        max_duration_s: float,
        run_heads: RunHeads | None = None,
    ) -> None:
        """Take a model.

        Args:
            recognizer: the model.
            max_duration_s: longer recordings are refused.
            run_heads: how its graph is run, a `Batcher`'s; by default at once, in each thread.
        """
        self.recognizer = recognizer
        self._run_heads = run_heads or recognizer.run_heads
        self._max_duration_s = max_duration_s

    def transcribe(self, source: Source) -> Recognition:
        """Transcribe a file of any length, given as its bytes, its path or itself.

        Raises:
            AudioError: if it can't be used, with what was expected and what came.
        """
        return longform.run_through(self.steps(source))

    def steps(self, source: Source) -> Generator[None, None, Recognition]:
        """`transcribe`, with a pause now and then for what else waits for a thread.

        Features are kept; the stages in `took_s` are decode, features and model.
        """
        features = self.recognizer.spec.features
        stream = AudioStream(
            source,
            features.sample_rate_hz,
            max_duration_s=self._max_duration_s,
            min_samples=features.window_samples,
        )
        watch = Stopwatch()
        recognition = yield from longform.recognize_steps(
            TimedModel(self.recognizer, self._run_heads, watch),
            TimedBlocks(stream, watch),
            keep_features=True,
        )
        return replace(recognition, warnings=stream.warnings, took_s=watch.took_s)
