"""Pictures as answers: bounds on their size, and the one place that loads matplotlib."""

from collections.abc import Sequence

from otoscope import FeatureMatrix, Posteriors, Word
from otoscope.formats.posteriors import View
from service.errors import QueryError

MAX_PICTURE_S = 60.0
MAX_PICTURE_SYMBOLS = 100

_A_PART = "choose a part with from_s and to_s"

SpanS = tuple[float, float]
"""Start and end in seconds."""


def check_span(span_s: SpanS, remedy: str = _A_PART) -> None:
    """QueryError, with a `remedy`, if this is too much for one picture."""
    duration_s = span_s[1] - span_s[0]
    if duration_s > MAX_PICTURE_S:
        raise QueryError(
            f"expected at most {MAX_PICTURE_S:g} s in a picture, got {duration_s:g} s: {remedy}"
        )


def check_view(view: View, remedy: str | None = None) -> None:
    """QueryError if this can't be drawn; the `remedy` is by default to ask for a part."""
    check_span(view.span_s, remedy or _A_PART)
    if len(view.columns) > MAX_PICTURE_SYMBOLS:
        raise QueryError(
            f"expected at most {MAX_PICTURE_SYMBOLS} symbols in a picture, "
            f"got {len(view.columns)}: {remedy or 'choose some with symbols'}"
        )


def posteriorgram_png(
    view: View,
    posteriors: Posteriors,
    features: FeatureMatrix,
    words: Sequence[Word] | None = None,
) -> bytes:
    """X, spikes and posteriorgram of a view that `check_view` has passed.

    Args:
        view: what is drawn.
        posteriors: of the recording.
        features: X of the recording.
        words: whose boundaries are drawn; by default those of greedy decoding.
    """
    # matplotlib takes half a second to load, which nothing else here needs.
    from otoscope import plots  # noqa: PLC0415

    figure = plots.draw_posteriorgram(
        features,
        posteriors,
        phonemes=view.unit == "phoneme",
        columns=view.columns,
        span_s=view.span_s,
        words=words,
    )
    return plots.to_png(figure)


def features_png(features: FeatureMatrix, span_s: SpanS) -> bytes:
    """X in a span that `check_span` has passed."""
    from otoscope import plots  # noqa: PLC0415 - as above

    return plots.to_png(plots.draw_features(features, span_s=span_s))
