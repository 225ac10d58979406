"""The weights of an exported model, to continue learning from without its checkpoint.

An export changes the form of some weights: batch normalisation is folded into the convolutions,
both directions of a recurrent layer share one operator with its gates in ONNX's order, matrices
are transposed. All of it can be undone but the statistics of batch normalisation, which the graph
no longer needs; `training.weights.batchnorm.settle` measures new ones. Weights in 8 bits are read
as the numbers that they stand for.
"""

import json
from collections.abc import Iterable
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from otoscope.errors import ModelFileError
from otoscope.recognizer import Recognizer
from otoscope.strict_json import parse
from otoscope.written.punctuator import Punctuator
from training.config import TrainingConfig
from training.weights.batchnorm import folded

TRAINING_KEY = "otoscope.training"
"""The metadata entry with the configuration that a model learned by, as JSON."""

_GATES = {"LSTM": (0, 2, 3, 1), "GRU": (1, 0, 2)}
"""ONNX's place of each of torch's gates: LSTM i f g o from i o f c, GRU r z n from z r h."""

_EXACT = {"MatMulInteger": "MatMul", "DynamicQuantizeLSTM": "LSTM"}
"""The operators that onnxruntime's dynamic quantisation has put others in place of."""

_QUANTIZED, _SCALE, _ZERO_POINT = "_quantized", "_scale", "_zero_point"
"""Behind a weight's name: its 8 bits, and what turns them into numbers."""


def weights_of(path: Path) -> dict[str, Tensor]:
    """Weights of the averaged model behind `path`, under the names of `AcousticModel`.

    The convolutions' batch normalisation only adds: see `training.weights.batchnorm`.

    Raises:
        ModelFileError: if the file is missing or is no model of this project.
    """
    Recognizer(path)  # says what it is if it is something else
    return _weights(onnx.load(path).graph)


def config_of(path: Path) -> TrainingConfig:
    """What the last run that made a model was told.

    Raises:
        ModelFileError: if the file is missing, is no model of this project, or does not know.
    """
    Recognizer(path)
    known = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    if TRAINING_KEY not in known:
        raise ModelFileError(
            f"{path}: expected a model that knows the configuration it learned by, got one from "
            "before it was kept: export its best.pt again"
        )
    return parse(TrainingConfig, json.loads(known[TRAINING_KEY]), str(path))


def punctuation_weights_of(path: Path) -> dict[str, Tensor]:
    """Weights under the names of `PunctuationModel`, as the file's 8 bits give them.

    Raises:
        ModelFileError: if the file is missing or is no punctuation model of this project.
    """
    Punctuator(path)  # says what it is if it is something else
    graph = onnx.load(path).graph
    tables = {f"{name}.weight": _values(graph)[f"{name}.weight"] for name in ("words", "pauses")}
    return _weights(graph) | tables


def _weights(graph: onnx.GraphProto) -> dict[str, Tensor]:
    values = _values(graph)
    named = "model.encoder."  # stand in the graph as they are
    weights = {
        name.removeprefix("model."): value
        for name, value in values.items()
        if name.startswith(named)
    }
    for node in graph.node:
        module = node.name.rpartition("/")[0].strip("/").replace("/", ".")  # as the export names it
        module = module.replace(".mlp.mlp.", ".mlp.")  # a Sequential's name comes twice
        kind = _EXACT.get(node.op_type, node.op_type)
        names = [name.removesuffix(_QUANTIZED) for name in node.input]
        given = [values[name] for name in names if name in values and not _is_detail(name)]
        if kind == "Conv" and not module.startswith("encoder."):
            weights |= folded(".".join(module.split(".")[:2]), *given)
        elif kind in _GATES:
            weights |= _recurrent(module.removesuffix(".rnn"), kind, *given)
        elif kind == "LayerNormalization":
            weights |= _named(module, ("weight", "bias"), given)
        elif kind == "MatMul" and given:
            weights[f"{module}.weight"] = given[0].T.contiguous()
        elif kind == "Add" and f"{module}.weight" in weights and given:
            weights[f"{module}.bias"] = given[0]
    return weights


def _values(graph: onnx.GraphProto) -> dict[str, Tensor]:
    """Constants of a graph by name: initialisers, and what is computed from them alone."""
    values = {
        one.name: torch.from_numpy(numpy_helper.to_array(one).copy()) for one in graph.initializer
    }
    for node in graph.node:
        given = [values[name] for name in node.input if name in values]
        if not given or len(given) < len(node.input):
            continue
        if node.op_type == "Identity":  # equal values are stored once
            values[node.output[0]] = given[0]
        elif node.op_type == "Cast":  # a matrix in 8 bits
            values[node.output[0]] = given[0].float()
        elif node.op_type == "Mul":  # and its rows' scales
            values[node.output[0]] = given[0] * given[1]
    for name in [name for name in values if name.endswith(_QUANTIZED)]:
        stem = name.removesuffix(_QUANTIZED)
        values[stem] = _dequantized(
            *(values[stem + part] for part in (_QUANTIZED, _ZERO_POINT, _SCALE))
        )
    return values


def _dequantized(weights: Tensor, zero_points: Tensor, scales: Tensor) -> Tensor:
    """Numbers of a matrix with a scale a column, float32.

    A recurrent layer has one for each direction, transposed in 8 bits alone.
    """
    exact = (weights.float() - zero_points.float().unsqueeze(-2)) * scales.unsqueeze(-2)
    return exact if scales.ndim == 1 else exact.transpose(1, 2)


def _is_detail(name: str) -> bool:
    return name.endswith((_SCALE, _ZERO_POINT))


def _named(module: str, names: Iterable[str], values: Iterable[Tensor]) -> dict[str, Tensor]:
    return {f"{module}.{name}": value for name, value in zip(names, values, strict=True)}


def _recurrent(
    name: str, kind: str, inputs: Tensor, recurrence: Tensor, biases: Tensor
) -> dict[str, Tensor]:
    """One operator's weights, (directions, gates * hidden, ...), as one module a direction."""
    weights: dict[str, Tensor] = {}
    for direction, (w, r, b) in enumerate(zip(inputs, recurrence, biases, strict=True)):
        module = f"{name}.{('forwards', 'backwards')[direction]}"
        names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
        parts = [
            torch.cat([part.chunk(len(_GATES[kind]))[place] for place in _GATES[kind]])
            for part in (w, r, *b.chunk(2))
        ]
        weights |= _named(module, names, parts)
    return weights
