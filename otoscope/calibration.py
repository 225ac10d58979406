"""How far a model's confidences can be trusted, as development recordings show.

Confidences are made to mean something: of words given 0.8, eight in ten are right. A network
trained with CTC is too sure of itself, and a decoder with a language model picks words that the
network was not sure of. A logistic curve over the logit of the raw confidence corrects both (Platt
1999; Guo et al. 2017, "On Calibration of Modern Neural Networks"), one curve for each decoder,
fitted by `python -m training calibrate`.
"""

import math
from dataclasses import dataclass, replace

from otoscope.strict_json import Strict
from otoscope.transcript import Transcript

_EDGE = 1e-4


@dataclass(frozen=True)
class Curve(Strict):
    """P(word is right) = 1 / (1 + exp(-(slope * logit(confidence) + intercept)))."""

    slope: float
    intercept: float

    def probability(self, confidence: float) -> float:
        """Of being right, for a word of that raw confidence; both 0 to 1."""
        score = self.slope * logit(confidence) + self.intercept
        return 0.5 * (1.0 + math.tanh(0.5 * score))  # the same, and any score has one


@dataclass(frozen=True)
class Calibration(Strict):
    """calibration.json: priors and curves of one model.

    Attributes:
        model_sha256: of the model file they were fitted for; they serve its 8-bit form as well.
        priors: mean posterior of each class, the blank last; for beam search.
        phoneme_priors: the same of the phoneme head's classes; none without that head.
        curves: by decoder, "greedy", "beam" or "beam + LM".
    """

    model_sha256: str
    priors: tuple[float, ...]
    curves: dict[str, Curve]
    phoneme_priors: tuple[float, ...] = ()

    def apply(self, transcript: Transcript, decoder: str) -> Transcript:
        """The transcript with its words' confidences calibrated, and as its own their mean.

        Characters keep theirs: posteriors. A decoder without a curve keeps all.
        """
        curve = self.curves.get(decoder)
        if curve is None or not transcript.words:
            return transcript
        words = tuple(
            replace(word, confidence=curve.probability(word.confidence))
            for word in transcript.words
        )
        mean = math.fsum(word.confidence for word in words) / len(words)
        return replace(transcript, words=words, confidence=mean)


def logit(confidence: float) -> float:
    """log(c / (1 - c)), with c kept off 0 and 1."""
    kept = min(max(confidence, _EDGE), 1.0 - _EDGE)
    return math.log(kept / (1.0 - kept))
