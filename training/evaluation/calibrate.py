"""Fits confidence curves on development manifests, and shows how far confidences can be trusted."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.optimize import minimize
from tqdm import tqdm

from otoscope import Recognizer, Transcript
from otoscope.calibration import Calibration, Curve, logit
from otoscope.decoding.beam_decoder import BeamOptions
from training.evaluation.decoders import Decode, Priors, our_decoders
from training.evaluation.evaluate import SpokenSet, read_spoken_set

BINS = 10


@dataclass(frozen=True)
class Judged:
    """Words that were heard.

    Attributes:
        confidences: (words,) float64, raw, 0 to 1.
        right: (words,) bool, whether the reference has the word at that place.
    """

    confidences: npt.NDArray[np.float64]
    right: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Reliability:
    """How far one decoder's confidences can be trusted on one manifest.

    Attributes:
        right_share: part of the words heard that are right.
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


@dataclass(frozen=True)
class Result:
    """What `calibrate` found."""

    calibration: Calibration
    reliability: tuple[Reliability, ...]
    figure: Figure

    def report(self) -> dict[str, Any]:
        """For reliability.json beside the model."""
        rows = [asdict(one) for one in self.reliability]
        return {"model_sha256": self.calibration.model_sha256, "sets": rows}


def calibrate(
    model: Path, manifests: Sequence[Path], lm: Path | None, options: BeamOptions
) -> Result:
    """Fit one curve a decoder on all manifests together."""
    recognizer = Recognizer(model)
    sets = [read_spoken_set(path, recognizer) for path in manifests]
    curves: dict[str, Curve] = {}
    rows: list[Reliability] = []
    judged: dict[str, list[Judged]] = {}
    known = _priors(recognizer, sets)
    for name, decode in our_decoders(recognizer, lm, options, known):
        heard = [_judge_set(recognizer, decode, spoken, name) for spoken in sets]
        curves[name] = fit(heard)
        judged[name] = heard
        rows += _reliability(sets, heard, name, curves[name])
    figure = _draw(sets, judged, curves)
    calibration = Calibration(
        recognizer.exact_sha256, tuple(known.priors or ()), curves, tuple(known.phoneme_priors)
    )
    return Result(calibration, tuple(rows), figure)


def _priors(recognizer: Recognizer, sets: Sequence[SpokenSet]) -> Priors:
    """Mean posterior of each class over all frames of all sets."""
    letters: list[npt.NDArray[np.float32]] = []
    phonemes: list[npt.NDArray[np.float32]] = []
    for spoken in sets:
        for samples in tqdm(spoken.waveforms, desc=f"{spoken.name}, priors", unit="file"):
            [posteriors] = recognizer.posteriors([samples])
            letters.append(posteriors.probs)
            if posteriors.phonemes is not None:
                phonemes.append(np.exp(posteriors.phonemes.log_probs))
    return Priors(_mean(letters), _mean(phonemes) if phonemes else ())


def _mean(posteriors: Sequence[npt.NDArray[np.float32]]) -> tuple[float, ...]:
    return tuple(float(f"{prior:.3g}") for prior in np.concatenate(posteriors).mean(axis=0))


def judge(transcript: Transcript, reference: str) -> Judged:
    """Which of the transcript's words are right, after the alignment with the fewest errors."""
    right = np.zeros(len(transcript.words), dtype=np.bool_)
    if transcript.words:
        [chunks] = jiwer.process_words(reference, transcript.text).alignments
        for chunk in chunks:
            if chunk.type == "equal":
                right[chunk.hyp_start_idx : chunk.hyp_end_idx] = True
    return Judged(np.array([word.confidence for word in transcript.words], dtype=np.float64), right)


def fit(sets: Sequence[Judged]) -> Curve:
    """The curve under which what was right is most probable; every set counts the same."""
    logits = np.concatenate([_logits(one.confidences) for one in sets])
    right = np.concatenate([one.right for one in sets])
    weights = np.concatenate([np.full(one.right.size, 1 / max(one.right.size, 1)) for one in sets])

    def loss(parameters: npt.NDArray[np.float64]) -> float:
        scores = parameters[0] * logits + parameters[1]
        return float((weights * np.logaddexp(0.0, np.where(right, -scores, scores))).sum())

    slope, intercept = minimize(loss, np.array([1.0, 0.0])).x
    return Curve(round(float(slope), 4), round(float(intercept), 4))


def expected_calibration_error(one: Judged) -> float:
    """Mean distance of confidence and share of right words, over bins of equal width."""
    if not one.right.size:
        return 0.0
    return float(sum(count * abs(sure - right) for sure, right, count in _bins(one))) / (
        one.right.size
    )


def _bins(one: Judged) -> list[tuple[float, float, int]]:
    """Mean confidence, share of right words, and number of words of each bin that has any."""
    places = np.minimum((one.confidences * BINS).astype(int), BINS - 1)
    return [
        (float(one.confidences[inside].mean()), float(one.right[inside].mean()), int(inside.sum()))
        for inside in (places == place for place in range(BINS))
        if inside.any()
    ]


def _judge_set(recognizer: Recognizer, decode: Decode, spoken: SpokenSet, name: str) -> Judged:
    judged = [
        judge(decode(recognizer.posteriors([samples])[0]), reference)
        for reference, samples in zip(
            spoken.references,
            tqdm(spoken.waveforms, desc=f"{spoken.name}, {name}", unit="file"),
            strict=True,
        )
    ]
    return Judged(
        np.concatenate([one.confidences for one in judged]),
        np.concatenate([one.right for one in judged]),
    )


def _reliability(
    sets: Sequence[SpokenSet], heard: Sequence[Judged], decoder: str, curve: Curve
) -> list[Reliability]:
    rows = []
    for spoken, one in zip(sets, heard, strict=True):
        others = [other for other in heard if other is not one]
        unseen = None
        if others:
            unseen = expected_calibration_error(_mended(one, fit(others)))
        rows.append(
            Reliability(
                manifest=spoken.name,
                decoder=decoder,
                words=one.right.size,
                right_share=float(one.right.mean()),
                ece_raw=expected_calibration_error(one),
                ece=expected_calibration_error(_mended(one, curve)),
                ece_unseen=unseen,
            )
        )
    return rows


def _mended(one: Judged, curve: Curve) -> Judged:
    return Judged(np.array([curve.probability(c) for c in one.confidences.tolist()]), one.right)


def _logits(confidences: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.array([logit(one) for one in confidences.tolist()])


def _draw(
    sets: Sequence[SpokenSet], judged: dict[str, list[Judged]], curves: dict[str, Curve]
) -> Figure:
    """One row a decoder, one column a manifest: how sure against how often right."""
    figure = Figure(figsize=(3.4 * len(sets), 3.3 * len(judged)), layout="constrained")
    axes = figure.subplots(len(judged), len(sets), sharex=True, sharey=True, squeeze=False)
    for row, (decoder, heard) in zip(axes, judged.items(), strict=True):
        for place, spoken, one in zip(row, sets, heard, strict=True):
            _draw_one(place, one, curves[decoder])
            place.set_title(f"{spoken.name}, {decoder}", fontsize=9)
        row[0].set_ylabel("share of words right")
    for place in axes[-1]:
        place.set_xlabel("confidence")
    axes[0][0].legend(loc="upper left", fontsize=8, frameon=False)
    return figure


def _draw_one(axes: Axes, one: Judged, curve: Curve) -> None:
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=0.8, linestyle="--")
    for judged, colour, label in ((one, "0.55", "raw"), (_mended(one, curve), "C0", "calibrated")):
        bins = _bins(judged)
        sure, right = [b[0] for b in bins], [b[1] for b in bins]
        axes.plot(sure, right, color=colour, linewidth=1.0)
        sizes = [6 + 160 * count / judged.right.size for _, _, count in bins]
        axes.scatter(sure, right, s=sizes, color=colour, label=label, alpha=0.8, linewidths=0)
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
