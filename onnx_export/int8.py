"""`python -m onnx_export.int8 MODEL --out model.int8.onnx`: the same model with 8-bit weights.

Weights are quantised a row, activations as they come (onnxruntime's dynamic quantisation), so no
recordings are needed. It is smaller and faster, and no longer exact: activations share one scale
over a batch, so an item's result depends a little on its neighbours.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from onnxruntime.quantization import QuantType, quantize_dynamic

from otoscope import Recognizer, load
from otoscope.errors import OtoscopeError
from otoscope.posteriors import HeadLogProbs

OPERATORS = ("LSTM", "MatMul", "Gemm")


@dataclass(frozen=True)
class Drift:
    """How far the quantised model is from the exact one, and from itself.

    Attributes:
        from_exact: largest difference of probabilities.
        from_batch: largest difference of probabilities when an item is run alone and when it is
            run beside the others.
    """

    from_exact: float
    from_batch: float


def quantise(model: Path, out: Path) -> None:
    """Write `model` with 8-bit weights; its metadata stay.

    Raises:
        ModelFileError: if either can't be used by `otoscope`.
    """
    Recognizer(model)
    out.parent.mkdir(parents=True, exist_ok=True)
    quantize_dynamic(
        model,
        out,
        op_types_to_quantize=list(OPERATORS),
        per_channel=True,
        weight_type=QuantType.QInt8,
    )
    Recognizer(out)


def drift(model: Path, quantised: Path, speech: list[Path]) -> Drift:
    """Compare posteriors on recordings: each whole, and its first half beside it in one batch."""
    exact, ours = Recognizer(model), Recognizer(quantised)
    rate_hz = exact.spec.features.sample_rate_hz
    matrices = []
    for path in speech:
        x = exact.features(load(path, rate_hz).samples)
        matrices += [x, x[: x.shape[0] // 2]]
    single = [ours.run_heads([x])[0] for x in matrices]
    return Drift(
        from_exact=_largest([exact.run_heads([x])[0] for x in matrices], single),
        from_batch=_largest(ours.run_heads(matrices), single),
    )


def main(arguments: list[str] | None = None) -> int:
    """Quantise and compare; 2 on unusable input."""
    parser = argparse.ArgumentParser(
        prog="python -m onnx_export.int8",
        description="Write an exported model with 8-bit weights, and say how far it is from exact.",
        epilog="Then score it: python -m training evaluate --model model.int8.onnx MANIFESTS",
    )
    parser.add_argument("model", type=Path, help="written by python -m onnx_export")
    parser.add_argument("--out", type=Path, help="(default: MODEL's name with .int8.onnx)")
    parser.add_argument("--speech", type=Path, nargs="+", default=[Path("examples/sample.flac")])
    options = parser.parse_args(arguments)
    out = options.out or options.model.with_suffix(".int8.onnx")
    try:
        quantise(options.model, out)
        found = drift(options.model, out, options.speech)
    except (OtoscopeError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    sizes = [path.stat().st_size / 1e6 for path in (options.model, out)]
    print(f"{out}: {sizes[1]:.1f} MB, from {sizes[0]:.1f} MB")
    print(f"largest difference of probabilities: {found.from_exact:.3f} from the exact model,")
    print(f"{found.from_batch:.3f} between an item alone and in a batch")
    return 0


def _largest(ones: list[HeadLogProbs], others: list[HeadLogProbs]) -> float:
    return max(
        float(np.abs(np.exp(one.characters) - np.exp(other.characters)).max())
        for one, other in zip(ones, others, strict=True)
    )


if __name__ == "__main__":
    sys.exit(main())
