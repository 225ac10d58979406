"""Speech recognition that shows its work: text, and P(character | frame).

    from otoscope import Recognizer, greedy, load

    recognizer = Recognizer("models/english/model.int8.onnx")
    waveform = load("examples/sample.flac", recognizer.spec.features.sample_rate_hz)
    [posteriors] = recognizer.posteriors([waveform.samples])
    print(greedy(posteriors).text)
    print(posteriors.probs.shape)  # (frames, symbols)

docs/architecture.md shows the rooms of this package and what surrounds it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from otoscope.alignment import AlignedText, align
    from otoscope.audio import Waveform, load
    from otoscope.clock import FrameClock
    from otoscope.decoding.greedy import greedy
    from otoscope.errors import OtoscopeError
    from otoscope.features import FeatureMatrix, FeatureSpec
    from otoscope.posteriors import PhonemePosteriors, Posteriors
    from otoscope.recognizer import Recognition, Recognizer
    from otoscope.spec import ModelSpec, Provenance
    from otoscope.transcript import Character, Transcript, Word
    from otoscope.vocabulary import ARPABET, ENGLISH, Alphabet, PhonemeSet

__all__ = [
    "ARPABET",
    "ENGLISH",
    "AlignedText",
    "Alphabet",
    "Character",
    "FeatureMatrix",
    "FeatureSpec",
    "FrameClock",
    "ModelSpec",
    "OtoscopeError",
    "PhonemePosteriors",
    "PhonemeSet",
    "Posteriors",
    "Provenance",
    "Recognition",
    "Recognizer",
    "Transcript",
    "Waveform",
    "Word",
    "align",
    "greedy",
    "load",
]

_HOMES = (
    *("errors", "vocabulary", "clock", "posteriors", "features", "spec", "transcript"),
    *("decoding", "alignment", "audio", "recognizer"),
)
"""Where these names are; last what takes longest to load."""


def __getattr__(name: str) -> Any:  # noqa: ANN401 - of any type
    """Import a name when it is asked for (PEP 562): decoding alone needs no ONNX Runtime."""
    if name in __all__:
        modules = (import_module(f"{__name__}.{home}") for home in _HOMES)
        globals()[name] = next(getattr(each, name) for each in modules if hasattr(each, name))
        return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
