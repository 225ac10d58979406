"""`python -m onnx_export.int8 MODEL --out model.int8.onnx`: the same model with 8-bit weights.

Weights of LSTM layers and of a pretrained encoder's blocks are quantised a row, activations as they
come (onnxruntime's dynamic quantisation), so no recordings are needed. That is nine tenths of the
work; what leads into these layers and out of them stays exact, for it costs little and would do
most of the harm (docs/experiments.md), and so do products that are named. Activations share one
scale in a run, so neighbours in a batch would change one another's results: the file's metadata say
what it is, and `otoscope.Recognizer` runs each item alone.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic

from otoscope import Recognizer, load
from otoscope.atomic_files import replacing
from otoscope.errors import ModelFileError, OtoscopeError
from otoscope.model_folders import exact_file
from otoscope.recognizer import QUANTIZED_KEY


def quantize(model: Path, out: Path, exact: Sequence[str] = ()) -> None:
    """Write `model` with 8-bit weights; its metadata stay.

    Args:
        model: as `python -m onnx_export` writes it.
        out: the file to write.
        exact: parts of the names of products that are left as they are.

    Raises:
        ModelFileError: if either can't be used by `otoscope`, or `model` has no LSTM layer.
    """
    sha256 = Recognizer(model).sha256
    nodes = _chosen(onnx.load(model).graph)
    if unknown := [part for part in exact if not any(part in name for name in nodes)]:
        raise ModelFileError(f"expected parts of {', '.join(nodes)}; got {', '.join(unknown)}")
    nodes = [name for name in nodes if not any(part in name for part in exact)]
    if not nodes:
        raise ModelFileError(f"{model}: expected LSTM layers, which alone are quantised, got none")
    with replacing(out) as partial:
        quantize_dynamic(
            model,
            partial,
            op_types_to_quantize=["LSTM", "MatMul"],
            nodes_to_quantize=nodes,
            per_channel=True,
            # 7 of the 8 bits: processors without VNNI add two products in 16 bits, which more would
            # overflow. So all processors give the same sums.
            reduce_range=True,
            weight_type=QuantType.QInt8,
        )
        graph = onnx.load(partial)
        graph.metadata_props.add(key=QUANTIZED_KEY, value=sha256)
        onnx.save(graph, partial)
    Recognizer(out)


def _chosen(graph: onnx.GraphProto) -> list[str]:
    """Names of the nodes that are quantised."""
    return [
        node.name
        for node in graph.node
        if node.op_type == "LSTM" or (node.op_type == "MatMul" and "/encoder/blocks." in node.name)
    ]


@dataclass(frozen=True)
class Drift:
    """How far the characters' posteriors are from the exact ones, over all frames.

    Attributes:
        largest: difference of probabilities.
        divergence: mean of Kullback and Leibler's, from exact to 8 bits, in nats.
        same: share of the frames in which the same class is the likeliest.
    """

    largest: float
    divergence: float
    same: float


def drift(model: Path, quantized: Path, speech: Sequence[Path]) -> Drift:
    """Compare both on recordings, one at a time."""
    exact, rounded = Recognizer(model), Recognizer(quantized)
    rate_hz = exact.spec.features.sample_rate_hz
    expected, got = [], []
    for path in speech:
        x = exact.features(load(path, rate_hz).samples)
        expected += [heads.characters for heads in exact.run_heads([x])]
        got += [heads.characters for heads in rounded.run_heads([x])]
    log_p, log_q = np.concatenate(expected), np.concatenate(got)
    p, q = np.exp(log_p), np.exp(log_q)
    return Drift(
        largest=float(np.abs(p - q).max()),
        divergence=float((p * (log_p - log_q)).sum(axis=1).mean()),
        same=float((log_p.argmax(axis=1) == log_q.argmax(axis=1)).mean()),
    )


def main(arguments: list[str] | None = None) -> int:
    """Quantise and compare; 2 on unusable input."""
    parser = argparse.ArgumentParser(
        prog="python -m onnx_export.int8",
        description="Write an exported model with 8-bit weights, and say how far it is from exact.",
        epilog="Then score it: python -m training evaluate --model model.int8.onnx MANIFESTS",
    )
    parser.add_argument(
        "model", type=Path, help="file, or folder, that python -m onnx_export wrote"
    )
    parser.add_argument("--out", type=Path, help="(default: MODEL's name with .int8.onnx)")
    parser.add_argument("--speech", type=Path, nargs="+", default=[Path("examples/sample.flac")])
    parser.add_argument(
        "--exact",
        nargs="+",
        default=[],
        metavar="PART",
        help="parts of the names of products that stay exact, such as blocks.3/mlp/mlp.2, whose "
        "large values 8 bits can't follow: try which of them bring the texts nearer",
    )
    options = parser.parse_args(arguments)
    model = exact_file(options.model)
    out = options.out or model.with_suffix(".int8.onnx")
    try:
        quantize(model, out, options.exact)
        found = drift(model, out, options.speech)
    except (OtoscopeError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    sizes = [path.stat().st_size / 1e6 for path in (model, out)]
    print(f"{out}: {sizes[1]:.1f} MB, from {sizes[0]:.1f} MB")
    print(
        f"from the exact model: largest difference of probabilities {found.largest:.3f}, "
        f"{found.divergence:.5f} nats a frame, likeliest class the same in "
        f"{100 * found.same:.2f} % of the frames"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
