"""Pictures: features, and the posteriorgram with greedy path and words.

The only way to matplotlib, which is not among this library's dependencies (the extras `cli`,
`service` and `training` bring it) and takes half a second to load: the first picture loads it.
Figures are made without pyplot, whose figures are global, so pictures can be drawn in several
threads at once. Sizes are fixed in inches, so that all pictures have the same font sizes, and
a picture's size follows from its time span and its number of symbols alone.
"""

from collections.abc import Sequence

from otoscope.features import FeatureMatrix
from otoscope.posteriors import Posteriors
from otoscope.transcript import Word


def posteriorgram_png(
    features: FeatureMatrix,
    posteriors: Posteriors,
    *,
    phonemes: bool = False,
    columns: Sequence[int] | None = None,
    span_s: tuple[float, float] | None = None,
    words: Sequence[Word] | None = None,
) -> bytes:
    """A PNG file of `otoscope.plots.posteriorgram.draw_posteriorgram`, which has the arguments."""
    from otoscope.plots.figure import to_png
    from otoscope.plots.posteriorgram import draw_posteriorgram

    return to_png(
        draw_posteriorgram(
            features, posteriors, phonemes=phonemes, columns=columns, span_s=span_s, words=words
        )
    )


def features_png(features: FeatureMatrix, span_s: tuple[float, float]) -> bytes:
    """A PNG file of `otoscope.plots.features.draw_features`, which has the arguments."""
    from otoscope.plots.features import draw_features
    from otoscope.plots.figure import to_png

    return to_png(draw_features(features, span_s=span_s))
