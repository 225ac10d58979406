"""Fits confidence curves on development manifests, and shows how far confidences can be trusted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import jiwer
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.optimize import minimize
from tqdm import tqdm

from otoscope import Recognizer, Transcript, longform
from otoscope.audio import Samples
from otoscope.calibration import Calibration, Curve, logit
from otoscope.decoding.decoder import Decoder
from training.evaluation.decoders import transcribers
from training.evaluation.evaluate import ReferenceSet, read_references

BINS = 10


@dataclass(frozen=True)
class ScoredWords:
    """Words of a decoder.

    Attributes:
        confidences: (words,) float64, raw, 0 to 1.
        right: (words,) bool, whether the reference has the word at that place.
    """

    confidences: npt.NDArray[np.float64]
    right: npt.NDArray[np.bool_]

    def calibrated(self, curve: Curve) -> "ScoredWords":
        """The same words with the confidences that `curve` gives."""
        probabilities = [curve.probability(confidence) for confidence in self.confidences.tolist()]
        return ScoredWords(np.array(probabilities), self.right)

    def bins(self) -> npt.NDArray[np.float64]:
        """(3, bins): mean confidence, share of right words, and number, where there are words."""
        places = np.minimum((self.confidences * BINS).astype(np.int64), BINS - 1)
        counts = np.bincount(places, minlength=BINS)
        sums = [np.bincount(places, values, BINS) for values in (self.confidences, self.right)]
        filled = counts > 0
        return np.stack([*(one[filled] / counts[filled] for one in sums), counts[filled]])

    def error(self) -> float:
        """Expected calibration error: mean distance of confidence and share of right words."""
        confidences, right, counts = self.bins()
        return float(counts @ np.abs(confidences - right)) / max(1, self.right.size)


@dataclass(frozen=True)
class Reliability:
    """How far one decoder's confidences can be trusted on one manifest.

    Attributes:
        right_share: part of the words that are right.
        ece_raw: expected calibration error (Naeini et al. 2015) of the raw confidences.
        ece: with the curve that was fitted on all manifests together.
        ece_unseen: with a curve that was fitted on the other manifests alone; None if there are
            none.
    """

    manifest: str
    decoder: str
    words: int
    right_share: float
    ece_raw: float
    ece: float
    ece_unseen: float | None

    def __str__(self) -> str:
        unseen = "" if self.ece_unseen is None else f", {self.ece_unseen:.3f} fitted without it"
        return (
            f"{self.manifest}, {self.decoder}: {self.words} words, {100 * self.right_share:.0f} % "
            f"right; calibration error {self.ece_raw:.3f} raw, {self.ece:.3f} calibrated{unseen}"
        )


def calibrate(
    recognizer: Recognizer, decoder: Decoder, manifests: Sequence[Path]
) -> tuple[Calibration, list[Reliability], Figure]:
    """Fit one curve for each way of decoding on all manifests together."""
    sets = [read_references(path, recognizer.spec) for path in manifests]
    priors = _priors(recognizer, sets)
    # Priors without curves: the decoder that is served, with raw confidences.
    decoder = replace(decoder, calibration=priors)
    curves: dict[str, Curve] = {}
    rows: list[Reliability] = []
    scored: dict[str, list[ScoredWords]] = {}
    for name, transcribe in transcribers(recognizer, decoder).items():
        scored[name] = [_score_set(transcribe, references, name) for references in sets]
        curves[name] = fit(scored[name])
        for references, words in zip(sets, scored[name], strict=True):
            others = [other for other in scored[name] if other is not words]
            rows.append(
                Reliability(
                    manifest=references.name,
                    decoder=name,
                    words=words.right.size,
                    right_share=float(words.right.mean()),
                    ece_raw=words.error(),
                    ece=words.calibrated(curves[name]).error(),
                    ece_unseen=words.calibrated(fit(others)).error() if others else None,
                )
            )
    return replace(priors, curves=curves), rows, _draw(sets, scored, curves)


def _priors(recognizer: Recognizer, sets: Sequence[ReferenceSet]) -> Calibration:
    """Mean posterior of each class over all frames of all sets, and no curves yet."""
    characters: list[npt.NDArray[np.float32]] = []
    phonemes: list[npt.NDArray[np.float32]] = []
    for references in sets:
        for samples in tqdm(references.waveforms, desc=f"{references.name}, priors", unit="file"):
            posteriors = longform.recognize(recognizer, [samples]).posteriors
            characters.append(posteriors.probs)
            if posteriors.phonemes is not None:
                phonemes.append(posteriors.phonemes.probs)
    phoneme_priors = _mean(phonemes) if phonemes else ()
    return Calibration(recognizer.exact_sha256, _mean(characters), {}, phoneme_priors)


def _mean(posteriors: Sequence[npt.NDArray[np.float32]]) -> tuple[float, ...]:
    return tuple(float(f"{prior:.3g}") for prior in np.concatenate(posteriors).mean(axis=0))


def score_words(transcript: Transcript, reference: str) -> ScoredWords:
    """Which of the transcript's words are right, after the alignment with the fewest errors."""
    right = np.zeros(len(transcript.words), dtype=np.bool_)
    if transcript.words:
        [chunks] = jiwer.process_words(reference, transcript.text).alignments
        for chunk in chunks:
            if chunk.type == "equal":
                right[chunk.hyp_start_idx : chunk.hyp_end_idx] = True
    confidences = np.array([word.confidence for word in transcript.words], dtype=np.float64)
    return ScoredWords(confidences, right)


def fit(sets: Sequence[ScoredWords]) -> Curve:
    """The curve under which what was right is most probable; every set counts the same.

    No word is taken for quite right or quite wrong (Platt 1999, section 2.2), so that few words, or
    those of a model that knows little, give no curve that is sure; and none that falls.
    """
    logits = np.array([logit(c) for one in sets for c in one.confidences.tolist()])
    right = np.concatenate([one.right for one in sets])
    weights = np.concatenate([np.full(one.right.size, 1 / max(one.right.size, 1)) for one in sets])
    good = int(right.sum())
    targets = np.where(right, (good + 1) / (good + 2), 1 / (right.size - good + 2))

    def loss(parameters: npt.NDArray[np.float64]) -> float:
        scores = parameters[0] * logits + parameters[1]
        return float((weights * (np.logaddexp(0.0, scores) - targets * scores)).sum())

    slope, intercept = minimize(loss, [1.0, 0.0], bounds=[(0.0, None), (None, None)]).x
    return Curve(round(float(slope), 4), round(float(intercept), 4))


def _score_set(
    transcribe: Callable[[Samples], Transcript], references: ReferenceSet, name: str
) -> ScoredWords:
    waveforms = tqdm(references.waveforms, desc=f"{references.name}, {name}", unit="file")
    scored = [
        score_words(transcribe(samples), reference)
        for reference, samples in zip(references.references, waveforms, strict=True)
    ]
    return ScoredWords(
        np.concatenate([one.confidences for one in scored]),
        np.concatenate([one.right for one in scored]),
    )


def _draw(
    sets: Sequence[ReferenceSet], scored: dict[str, list[ScoredWords]], curves: dict[str, Curve]
) -> Figure:
    """One row a decoder, one column a manifest: how sure against how often right."""
    figure = Figure(figsize=(3.4 * len(sets), 3.3 * len(scored)), layout="constrained")
    axes = figure.subplots(len(scored), len(sets), sharex=True, sharey=True, squeeze=False)
    for row, (decoder, words) in zip(axes, scored.items(), strict=True):
        for place, references, one in zip(row, sets, words, strict=True):
            _draw_one(place, one, curves[decoder])
            place.set_title(f"{references.name}, {decoder}", fontsize=9)
        row[0].set_ylabel("share of words right")
    for place in axes[-1]:
        place.set_xlabel("confidence")
    axes[0][0].legend(loc="upper left", fontsize=8, frameon=False)
    return figure


def _draw_one(axes: Axes, one: ScoredWords, curve: Curve) -> None:
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=0.8, linestyle="--")
    calibrated = one.calibrated(curve)
    for words, color, label in ((one, "0.55", "raw"), (calibrated, "C0", "calibrated")):
        confidences, right, counts = words.bins()
        axes.plot(confidences, right, color=color, linewidth=1.0)
        sizes = 6 + 160 * counts / words.right.size
        axes.scatter(confidences, right, sizes, color, label=label, alpha=0.8, linewidths=0)
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
