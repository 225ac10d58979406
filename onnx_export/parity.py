"""Whether the exported model is the trained one: log-probabilities and texts of both.

Where there is a phoneme head, its log-probabilities count as well.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from otoscope import Recognizer, greedy, load
from otoscope.features import Features
from otoscope.posteriors import HeadLogProbs
from training.weights.checkpoint import Exportable

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
    """All comparisons of one model file: parity.json beside it."""

    model_sha256: str
    tolerance: float
    max_difference: float
    passed: bool
    checks: tuple[Check, ...]

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
    matrices = [torch.from_numpy(x) for x in items.values()]
    trained = _trained(exportable, matrices)
    singles = [recognizer.run_heads([x])[0] for x in items.values()]
    padded = pad_sequence(matrices, batch_first=True, padding_value=_GARBAGE).numpy()
    ragged = recognizer.run_padded(padded, np.array([len(x) for x in matrices], dtype=np.int64))
    checks = [
        *(
            _check(f"torch = onnx, {name}", recognizer, [one], [other])
            for name, one, other in zip(items, trained, singles, strict=True)
        ),
        _check("torch one by one = onnx ragged batch", recognizer, trained, ragged),
        _check("onnx one by one = onnx ragged batch", recognizer, singles, ragged),
    ]
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


def _trained(exportable: Exportable, matrices: Sequence[torch.Tensor]) -> list[HeadLogProbs]:
    """What torch makes of each, in float64, so that the rounding of the graph alone is measured."""
    model = copy.deepcopy(exportable.model).double()
    with torch.inference_mode():
        return [
            model.heads(x.double().unsqueeze(0), torch.tensor([len(x)])).unpadded()[0]
            for x in matrices
        ]


def _check(
    case: str,
    recognizer: Recognizer,
    expected: Sequence[HeadLogProbs],
    got: Sequence[HeadLogProbs],
) -> Check:
    differences = [_difference(*pair) for pair in zip(expected, got, strict=True)]
    texts = [
        [greedy(recognizer.interpret(heads, float("inf"))).text for heads in one]
        for one in (expected, got)
    ]
    frames = tuple(len(one.characters) * recognizer.spec.frame_stride for one in got)
    # NaN, which is above every tolerance, if there is one.
    return Check(case, frames, float(np.max(differences)), texts[0] == texts[1])


def _difference(expected: HeadLogProbs, got: HeadLogProbs) -> float:
    """Largest difference over both heads; infinite where shapes or heads differ."""
    differences = [0.0]
    for a, b in zip(expected, got, strict=True):
        if a is None and b is None:
            continue
        if a is None or b is None or a.shape != b.shape:
            return float("inf")
        differences.append(float(np.abs(a - b).max()))
    return float(np.max(differences))
