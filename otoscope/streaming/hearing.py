"""The last seconds of a stream, heard again as it goes on: samples in, posteriors out."""

from otoscope.audio import Samples
from otoscope.longform import FrameClassifier
from otoscope.longform.sample_buffer import SampleBuffer
from otoscope.posteriors import HeadLogProbs, Posteriors
from otoscope.streaming.options import StreamingOptions
from otoscope.streaming.rolling_posteriors import RollingPosteriors


class Hearing:
    """What is kept of a stream, and the model that hears it.

    Attributes:
        samples: those that are still needed.
        posteriors: likewise.
        context: frames that are heard on either side of an utterance.
    """

    def __init__(self, model: FrameClassifier, options: StreamingOptions) -> None:
        """Begin with nothing."""
        self._model, self._options = model, options
        self.spec = model.spec
        self.samples = SampleBuffer()
        self.posteriors = RollingPosteriors()
        self.context = self.frames_in(options.context_s)
        self._window = 0
        self._tried_samples = 0

    @property
    def heard_samples(self) -> int:
        """The sample up to which the stream was heard."""
        return self.posteriors.stop * self.spec.frame_samples

    def next_at(self, step_s: float) -> int:
        """The sample at which the stream is to be heard next, a step behind the last time."""
        last = max(self.heard_samples, self._tried_samples)
        return last + max(1, self.frames_in(step_s)) * self.spec.frame_samples

    def frames_in(self, seconds: float) -> int:
        """How many there are in so much audio."""
        return round(seconds / self.spec.frame_s)

    def hear(self, utterance_start: int | None, floor: int) -> bool:
        """Run the model over the window up to the present; whether that was long enough.

        Args:
            utterance_start: the frame in which what is being said began; None for silence.
            floor: the frame before which nothing counts any more.
        """
        self._tried_samples = self.samples.stop
        stop = -(-self.samples.stop // self.spec.frame_samples)
        self._move_window(stop, utterance_start, floor)
        heads = self._run(self._window, stop)
        if heads is None:
            return False
        self.posteriors.update(self._window, heads, self.frames_in(self._options.overlap_s))
        return True

    def whole(self, start: int, stop: int) -> HeadLogProbs:
        """Posteriors of the frames start..stop-1, heard with what is around them."""
        first = max(start - self.context, self.samples.start // self.spec.frame_samples)
        heads = self._run(first, min(stop + self.context, self.posteriors.stop))
        assert heads is not None  # noqa: S101 - they were heard before
        phonemes, inside = heads.phonemes, slice(start - first, stop - first)
        return HeadLogProbs(
            heads.characters[inside], None if phonemes is None else phonemes[inside]
        )

    def meaning(self, heads: HeadLogProbs) -> Posteriors:
        """Some frames on a clock that begins with them."""
        return self._model.interpret(heads, heads.characters.shape[0] * self.spec.frame_s)

    def _run(self, start: int, stop: int) -> HeadLogProbs | None:
        """Posteriors of the frames start..stop-1; None if they hold too few samples."""
        unit = self.spec.frame_samples
        samples: Samples = self.samples.view(start * unit, min(stop * unit, self.samples.stop))
        if samples.size < self.spec.features.window_samples:
            return None
        [heads] = self._model.run_heads([self._model.features(samples)])
        return heads

    def _move_window(self, stop: int, utterance_start: int | None, floor: int) -> None:
        """Choose where the window begins that ends before frame `stop`."""
        shortest = self.frames_in(self._options.shortest_window_s)
        needed = self._window
        if utterance_start is None:
            latest = max(self._window, stop - shortest, floor - self.context)
            self._window = needed = min(latest, self.posteriors.stop)
        else:
            if stop - self._window > self.frames_in(self._options.longest_window_s):
                # New audio gets as much context before it, however long the step is.
                latest = min(stop - shortest, self.posteriors.stop - 2 * self.context)
                self._window = max(self._window, latest)
            needed = min(utterance_start - self.context, self._window)
        self.samples.drop_before(needed * self.spec.frame_samples)
