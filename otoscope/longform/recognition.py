"""Audio of any length -> posteriors, in bounded memory.

A bidirectional network hears a recording as a whole, and one that was trained on sentences hears an
hour worse than a sentence, in memory that grows with it. So long audio is cut into windows
(`otoscope.longform.windows`) that overlap, they go through the model in batches, and their
posteriors are joined (`otoscope.longform.stitching`). Kept of an hour are its posteriors alone.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, Protocol, TypeVar

from otoscope.audio import Samples
from otoscope.features import FeatureMatrix, Features
from otoscope.longform.stitching import PosteriorStitcher
from otoscope.longform.windows import Window, WindowOptions, windows
from otoscope.posteriors import HeadLogProbs, Posteriors
from otoscope.recognizer import Recognition
from otoscope.spec import ModelSpec

T = TypeVar("T")

_GROUP_WINDOWS = 8
"""Windows that are gathered, sorted by length and run before the next are decoded."""

_BATCH_WINDOWS = 4
"""Windows in one run of the graph."""


class AcousticModel(Protocol):
    """What is needed of a `Recognizer`."""

    spec: ModelSpec

    def features(self, samples: Samples) -> Features:
        """X of one window."""

    def run_heads(self, matrices: Sequence[Features]) -> list[HeadLogProbs]:
        """Posteriors of several X, each as if it were alone."""

    def interpret(self, heads: HeadLogProbs, duration_s: float) -> Posteriors:
        """What the graph gave, with its meaning."""


def recognize(
    model: AcousticModel, blocks: Iterable[Samples], options: WindowOptions | None = None
) -> Posteriors:
    """Posteriors of one recording.

    Args:
        model: a `Recognizer`.
        blocks: (samples,) float32 in [-1, 1] at the model's rate: an `AudioStream`, or one waveform
            in a list.
        options: how to cut; the defaults unless given.

    Returns:
        One row a frame, on the recording's clock. Up to `options.whole_s` they are those that
        `Recognizer.posteriors` gives. How the audio is divided into blocks plays no part.

    Raises:
        AudioTooShortError, NonFiniteAudioError: if the samples can't be used.
        Whatever `blocks` raises.
    """
    return run_through(steps(model, blocks, options))


def steps(
    model: AcousticModel, blocks: Iterable[Samples], options: WindowOptions | None = None
) -> Generator[None, None, Posteriors]:
    """`recognize`, with a pause after each group of windows for those who share a processor."""
    strip, duration_s = yield from _join(model, blocks, options, keep_features=False)
    return model.interpret(strip.heads(), duration_s)


def recognize_steps(
    model: AcousticModel, blocks: Iterable[Samples], options: WindowOptions | None = None
) -> Generator[None, None, Recognition]:
    """`steps`, which returns X as well: 32 kB a second of audio.

    A window's X is normalised over the window, so that of a long recording has a step at each seam.
    """
    strip, duration_s = yield from _join(model, blocks, options, keep_features=True)
    posteriors = model.interpret(strip.heads(), duration_s)
    return Recognition(FeatureMatrix(strip.features(), model.spec.features), posteriors)


def _join(
    model: AcousticModel,
    blocks: Iterable[Samples],
    options: WindowOptions | None,
    *,
    keep_features: bool,
) -> Generator[None, None, tuple[PosteriorStitcher, float]]:
    """All windows of a recording in a strip, and its seconds."""
    counted = _Counted(blocks)
    waiting = windows(counted, model.spec, options or WindowOptions())
    strip = PosteriorStitcher(model.spec.frame_stride)
    group = list(islice(waiting, _GROUP_WINDOWS))
    while group:
        for window, ran in zip(group, _run(model, group), strict=True):
            kept = ran.features if keep_features else None
            strip.add(window.first_frame, window.cut_frame, ran.heads, kept)
        group.clear()  # before the next are gathered
        group += islice(waiting, _GROUP_WINDOWS)
        if group:
            yield
    return strip, counted.samples / model.spec.features.sample_rate_hz


def run_through(work: Generator[None, None, T]) -> T:
    """Take all the steps at once, and give back what they return."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: T = end.value
            return result


class _Ran(NamedTuple):
    """A window's X and what the model made of it."""

    features: Features
    heads: HeadLogProbs


def _run(model: AcousticModel, group: Sequence[Window]) -> list[_Ran]:
    """Posteriors of each window. Those of similar length share a batch, to pad less."""
    matrices = [model.features(window.samples) for window in group]
    by_length = sorted(range(len(group)), key=lambda place: matrices[place].shape[0])
    results: dict[int, _Ran] = {}
    for start in range(0, len(group), _BATCH_WINDOWS):
        places = by_length[start : start + _BATCH_WINDOWS]
        ran = model.run_heads([matrices[place] for place in places])
        for place, heads in zip(places, ran, strict=True):
            results[place] = _Ran(matrices[place], heads)
    return [results[place] for place in range(len(group))]


class _Counted:
    """Blocks that are counted as they go by."""

    def __init__(self, blocks: Iterable[Samples]) -> None:
        self.samples = 0
        self._blocks = blocks

    def __iter__(self) -> Iterator[Samples]:
        for block in self._blocks:
            self.samples += block.size
            yield block
