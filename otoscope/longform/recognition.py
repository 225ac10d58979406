"""Audio of any length -> posteriors, in bounded memory.

A bidirectional network sees a recording as a whole, and one that was trained on sentences reads an
hour worse than a sentence, in memory that grows with it. So long audio is cut into windows
(`otoscope.longform.windows`) that overlap, they go through the model in batches, and their
posteriors are joined (`otoscope.longform.stitching`). Kept of an hour are its posteriors alone,
unless its features are asked for.
"""

from collections.abc import Generator, Iterable, Sequence
from itertools import islice
from typing import Protocol, TypeVar

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


class FrameClassifier(Protocol):
    """What is needed of a `Recognizer`."""

    spec: ModelSpec

    def features(self, samples: Samples) -> Features:
        """Features of one window, (frames, bins) float32."""

    def run_heads(self, matrices: Sequence[Features]) -> list[HeadLogProbs]:
        """Posteriors of several matrices of features, each as if it were alone."""

    def interpret(self, heads: HeadLogProbs, duration_s: float) -> Posteriors:
        """What the graph gave, with its meaning."""


def recognize(
    model: FrameClassifier,
    blocks: Iterable[Samples],
    options: WindowOptions | None = None,
    *,
    keep_features: bool = False,
) -> Recognition:
    """Posteriors of one recording.

    Args:
        model: a `Recognizer`.
        blocks: (samples,) float32 in [-1, 1] at the model's rate: an `AudioStream`, or one waveform
            in a list.
        options: how to cut; as suits the model unless given.
        keep_features: return the features as well: 32 kB a second of audio. Those of a window are
            normalised over the window, so in a long recording there is a step at each seam.

    Returns:
        One row a frame, on the recording's clock. Up to `options.whole_s` they are those that
        `Recognizer.posteriors` gives. How the audio is divided into blocks plays no part.

    Raises:
        AudioTooShortError, NonFiniteAudioError: if the samples can't be used.
        Whatever `blocks` raises.
    """
    return run_through(recognize_steps(model, blocks, options, keep_features=keep_features))


def recognize_steps(
    model: FrameClassifier,
    blocks: Iterable[Samples],
    options: WindowOptions | None = None,
    *,
    keep_features: bool = False,
) -> Generator[Posteriors, None, Recognition]:
    """`recognize` in steps, one for each group of windows, so that others can use the processor.

    Each step but the last yields the posteriors that have become final since the one before, with a
    clock that starts at 0.
    """
    spec, samples = model.spec, 0
    stitcher = PosteriorStitcher(spec.frame_stride)
    waiting = windows(blocks, spec, options or WindowOptions.suited_to(spec))
    group = list(islice(waiting, _GROUP_WINDOWS))
    while group:
        _join(stitcher, model, group, keep_features=keep_features)
        samples = group[-1].first_frame * spec.frame_samples + group[-1].samples.size
        group.clear()  # before the next are gathered
        group += islice(waiting, _GROUP_WINDOWS)
        if group:
            settled = stitcher.settled()
            yield model.interpret(settled, settled.characters.shape[0] * spec.frame_s)
    posteriors = model.interpret(stitcher.heads(), samples / spec.features.sample_rate_hz)
    features = FeatureMatrix(stitcher.features(), spec.features) if keep_features else None
    return Recognition(posteriors, features)


def run_through(work: Generator[object, None, T]) -> T:
    """Take all the steps at once, and give back what they return."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: T = end.value
            return result


def _join(
    stitcher: PosteriorStitcher,
    model: FrameClassifier,
    group: Sequence[Window],
    *,
    keep_features: bool,
) -> None:
    """Run windows and join them. Those of similar length share a batch, to pad less."""
    matrices = [model.features(window.samples) for window in group]
    by_length = sorted(range(len(group)), key=lambda index: matrices[index].shape[0])
    heads: dict[int, HeadLogProbs] = {}
    for start in range(0, len(group), _BATCH_WINDOWS):
        indices = by_length[start : start + _BATCH_WINDOWS]
        ran = model.run_heads([matrices[index] for index in indices])
        heads.update(zip(indices, ran, strict=True))
    for index, window in enumerate(group):
        kept = matrices[index] if keep_features else None
        stitcher.add(window.first_frame, window.cut_frame, heads[index], kept)
