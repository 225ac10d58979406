"""`python -m onnx_export.punctuation CHECKPOINT --out punctuation.onnx`: with 8-bit weights.

Every matrix is kept as 8-bit integers with a scale for each of its rows, and made floating point
again when the model is loaded: the file is a quarter as large, and what it computes does not depend
on neighbours in a batch. Before that the exact model is compared with torch.
"""

import argparse
import copy
import sys
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from onnx_export.export import OPSET
from onnx_export.graph import PackedRecurrentLayer
from otoscope.atomic_files import replacing
from otoscope.errors import OtoscopeError
from otoscope.written.features import COLUMNS, pause_classes, word_rows
from otoscope.written.punctuator import INPUTS, OUTPUTS, SPEC_KEY, Punctuator
from training.punctuation.network import PunctuationModel, load_model

TOLERANCE = 1e-4
"""Largest difference of log-probabilities accepted between torch and the exact graph."""

_LEAST_WEIGHTS = 4096
"""Smaller arrays stay as they are."""


@dataclass(frozen=True)
class Agreement:
    """How far two models are apart on the same words.

    Attributes:
        largest: difference of log-probabilities.
        same: share of the words with the same case and mark.
    """

    largest: float
    same: float


def export_punctuation(model: PunctuationModel, out: Path) -> tuple[Agreement, Agreement]:
    """Write the model with 8-bit weights.

    Returns:
        Torch and the exact graph; torch and what was written.
    """
    with tempfile.TemporaryDirectory() as folder:
        exact = Path(folder) / "exact.onnx"
        _trace(model, exact)
        first = _agreement(model, Punctuator(exact))
        graph = onnx.load(exact)
    _round_weights(graph.graph)
    onnx.checker.check_model(graph, full_check=True)
    with replacing(out) as partial:
        onnx.save(graph, partial)
    return first, _agreement(model, Punctuator(out))


def _trace(model: PunctuationModel, path: Path) -> None:
    packed = copy.deepcopy(model).eval()
    packed.layers = nn.ModuleList(
        [PackedRecurrentLayer(layer) for layer in model.layers]  # type: ignore[arg-type]
    ).eval()
    axes = {0: "windows", 1: "words"}
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # as onnx_export.export does
        torch.onnx.export(
            packed,
            _example(model, np.random.default_rng(0), (50, 37)),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=list(INPUTS),
            output_names=list(OUTPUTS),
            dynamic_axes={
                **dict.fromkeys(("words", "pauses", *OUTPUTS), axes),
                "lengths": {0: "windows"},
            },
        )
    graph = onnx.load(path)
    graph.producer_name = "otoscope"
    graph.doc_string = (
        "Punctuation model: words and pauses -> log P(case), log P(mark) of each word"
    )
    onnx.helper.set_model_props(graph, {SPEC_KEY: model.spec.to_json()})
    onnx.save(graph, path)


def _round_weights(graph: onnx.GraphProto) -> None:
    """Put 8-bit integers and a scale a row in the place of large initialisers."""
    nodes = []
    for weights in list(graph.initializer):
        values = numpy_helper.to_array(weights)
        if values.dtype != np.float32 or values.ndim < 2 or values.size < _LEAST_WEIGHTS:  # noqa: PLR2004
            continue
        scale = np.maximum(np.abs(values).max(axis=-1, keepdims=True), 1e-8) / 127
        integers = np.rint(values / scale).astype(np.int8)
        name = weights.name
        graph.initializer.remove(weights)
        graph.initializer.extend(
            [
                numpy_helper.from_array(integers, f"{name}.integers"),
                numpy_helper.from_array(scale.astype(np.float32), f"{name}.scale"),
            ]
        )
        nodes += [
            onnx.helper.make_node(
                "Cast", [f"{name}.integers"], [f"{name}.float"], to=onnx.TensorProto.FLOAT
            ),
            onnx.helper.make_node("Mul", [f"{name}.float", f"{name}.scale"], [name]),
        ]
    following = list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes + following)


def _example(
    model: PunctuationModel, rng: np.random.Generator, lengths: tuple[int, ...]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    shape = (len(lengths), max(lengths))
    words = rng.integers(1, model.spec.table_rows, (*shape, COLUMNS))
    pauses = rng.integers(0, model.spec.pause_classes, shape)
    return torch.from_numpy(words), torch.from_numpy(pauses), torch.tensor(lengths)


def _agreement(model: PunctuationModel, punctuator: Punctuator) -> Agreement:
    """Over texts of made-up words of several lengths, each one window."""
    rng = np.random.default_rng(1)
    differences, same = [], []
    for length in (1, 2, model.spec.window_words // 2, model.spec.window_words):
        words = [f"w{number}" for number in rng.integers(1000, size=length)]
        pauses_s = rng.exponential(0.3, size=length)
        log_probs = punctuator.log_probs(words, pauses_s)
        rows = torch.from_numpy(word_rows(words, model.spec.table_rows))[None]
        pauses = torch.from_numpy(pause_classes(pauses_s, model.spec.pause_edges_s))[None]
        with torch.inference_mode():
            expected = model(rows, pauses, torch.tensor([length]))
        for got, one in zip(log_probs, expected, strict=True):
            differences.append(float(np.abs(got - one[0].numpy()).max()))
            same.append(got.argmax(axis=1) == one[0].numpy().argmax(axis=1))
    # NaN, which is above every tolerance, if there is one.
    return Agreement(float(np.max(differences)), float(np.concatenate(same).mean()))


def main(arguments: list[str] | None = None) -> int:
    """Export and compare; 0 if equal, 1 on drift, 2 on unusable input."""
    parser = argparse.ArgumentParser(
        prog="python -m onnx_export.punctuation",
        description="Turn a trained punctuation model into one self-describing ONNX file.",
    )
    parser.add_argument("checkpoint", type=Path, help="punctuation.pt of a run")
    parser.add_argument("--out", type=Path, help="(default: punctuation.onnx beside CHECKPOINT)")
    options = parser.parse_args(arguments)
    out = options.out or options.checkpoint.with_suffix(".onnx")
    try:
        exact, rounded = export_punctuation(load_model(options.checkpoint), out)
    except (OtoscopeError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{out}: {out.stat().st_size / 1e6:.2f} MB")
    print(f"torch and the exact graph: largest difference {exact.largest:.1e}")
    print(f"torch and this file: {rounded.largest:.2f}, {100 * rounded.same:.2f} % told the same")
    if not exact.largest <= TOLERANCE:
        print(f"error: drift above {TOLERANCE}; do not ship this file", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
