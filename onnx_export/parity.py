"""Is the exported model the trained one? Log-probabilities and texts of both, side by side."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from otoscope import FrameClock, Posteriors, Recognizer, greedy, load
from otoscope.features import Features
from training.checkpoint import Exportable

TOLERANCE = 1e-4
"""Largest difference of log-probabilities accepted."""

_LENGTHS = (3, 4, 5, 37, 100, 499, 1000)
_GARBAGE = 1e3


@dataclass(frozen=True)
class Check:
    """One comparison.

    Attributes:
        case: what was compared.
        frames: lengths of the items, in feature frames.
        max_difference: of log-probabilities, over the items' own frames.
        same_text: whether greedy decoding gives the same texts.
    """

    case: str
    frames: tuple[int, ...]
    max_difference: float
    same_text: bool

    @property
    def passed(self) -> bool:
        """Within the tolerance, and the same texts."""
        return self.max_difference <= TOLERANCE and self.same_text


@dataclass(frozen=True)
class ParityReport:
    """All comparisons of one model file."""

    model_sha256: str
    tolerance: float
    max_difference: float
    passed: bool
    checks: tuple[Check, ...]

    def to_json(self) -> str:
        """For parity.json beside the model."""
        return json.dumps(asdict(self), indent=1) + "\n"

    def table(self) -> str:
        """For people."""
        width = max(len(check.case) for check in self.checks)
        lines = [f"{'case':{width}}  max |difference|  same text"]
        lines += [
            f"{check.case:{width}}  {check.max_difference:16.2e}  {check.same_text}"
            + ("" if check.passed else "   FAILED")
            for check in self.checks
        ]
        return "\n".join(lines)


def compare(exportable: Exportable, model: Path, speech: Sequence[Path]) -> ParityReport:
    """Run both models on the same inputs.

    Args:
        exportable: the checkpoint, as trained: the directions apart, torch.
        model: the exported file.
        speech: recordings to compare on, besides seeded noise.
    """
    recognizer = Recognizer(model, threads=2)
    items = _items(recognizer, speech)
    checks = [
        _check(f"torch = onnx, {name}", recognizer, [_torch(exportable, x)], recognizer.run([x]))
        for name, x in items.items()
    ]
    matrices = list(items.values())
    singles = [recognizer.run([x])[0] for x in matrices]
    trained = [_torch(exportable, x) for x in matrices]
    ragged = _with_garbage(recognizer, matrices)
    checks.append(_check("torch one by one = onnx ragged batch", recognizer, trained, ragged))
    checks.append(_check("onnx one by one = onnx ragged batch", recognizer, singles, ragged))
    return ParityReport(
        model_sha256=recognizer.sha256,
        tolerance=TOLERANCE,
        max_difference=max(check.max_difference for check in checks),
        passed=all(check.passed for check in checks),
        checks=tuple(checks),
    )


def _items(recognizer: Recognizer, speech: Sequence[Path]) -> dict[str, Features]:
    rng = np.random.default_rng(0)
    spec = recognizer.spec.features
    items = {
        f"noise of {frames} frames": rng.standard_normal((frames, spec.bins)).astype(np.float32)
        for frames in _LENGTHS
    }
    for path in speech:
        waveform = load(path, spec.sample_rate_hz, min_samples=spec.window_samples)
        items[path.name] = recognizer.features(waveform.samples)
    return items


def _torch(exportable: Exportable, x: Features) -> np.ndarray:
    with torch.inference_mode():
        log_probs, lengths = exportable.model(
            torch.from_numpy(x).unsqueeze(0), torch.tensor([x.shape[0]])
        )
    out: np.ndarray = log_probs[0, : int(lengths[0])].numpy()
    return out


def _with_garbage(recognizer: Recognizer, matrices: Sequence[Features]) -> list[np.ndarray]:
    """One batch of all, its padding filled with large numbers."""
    lengths = np.array([x.shape[0] for x in matrices], dtype=np.int64)
    bins = recognizer.spec.features.bins
    batch = np.full((len(matrices), int(lengths.max()), bins), _GARBAGE, dtype=np.float32)
    for row, x in zip(batch, matrices, strict=True):
        row[: x.shape[0]] = x
    return [heads.characters for heads in recognizer.run_padded(batch, lengths)]


def _check(
    case: str,
    recognizer: Recognizer,
    expected: Sequence[np.ndarray],
    got: Sequence[np.ndarray],
) -> Check:
    stride = recognizer.spec.frame_stride
    frames = tuple(int(one.shape[0]) * stride for one in got)
    if [one.shape for one in expected] != [one.shape for one in got]:
        return Check(case, frames, float("inf"), same_text=False)
    difference = max(float(np.abs(a - b).max()) for a, b in zip(expected, got, strict=True))
    same = all(
        _text(recognizer, a) == _text(recognizer, b) for a, b in zip(expected, got, strict=True)
    )
    return Check(case, frames, difference, same)


def _text(recognizer: Recognizer, log_probs: np.ndarray) -> str:
    clock = FrameClock(recognizer.spec.frame_s, float("inf"))
    return greedy(Posteriors(log_probs, recognizer.spec.alphabet, clock)).text
