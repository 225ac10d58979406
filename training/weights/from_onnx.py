"""The weights of an exported model, to go on learning from without its checkpoint.

An export changes the form of some weights: batch normalisation is folded into the convolutions,
both directions of a recurrent layer share one operator with its gates in ONNX's order, matrices
are transposed. All of it can be undone but the statistics of batch normalisation, which the graph
no longer needs; `training.weights.batchnorm.settle` measures them anew.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from otoscope.errors import ModelFileError
from otoscope.recognizer import SPEC_KEY
from training.weights.batchnorm import folded

_GATES = {"LSTM": (0, 2, 3, 1), "GRU": (1, 0, 2)}
"""ONNX's place of each of torch's gates: LSTM i f g o from i o f c, GRU r z n from z r h."""


def weights_of(path: Path) -> dict[str, Tensor]:
    """Weights of the averaged model behind `path`, under the names of `AcousticModel`.

    The convolutions' batch normalisation only adds: see `training.weights.batchnorm`.

    Raises:
        ModelFileError: if the file is missing, is no ONNX model, or was not exported from here.
    """
    model = _read(path)
    values = {one.name: torch.from_numpy(_array(one)) for one in model.graph.initializer}
    weights: dict[str, Tensor] = {}
    for node in model.graph.node:
        module = node.name.rpartition("/")[0].strip("/").replace("/", ".")  # as the export names it
        given = [values[name] for name in node.input if name in values]
        if node.op_type == "Identity" and given:  # equal values are stored once
            values[node.output[0]] = given[0]
        elif node.op_type == "Conv":
            weights |= folded(".".join(module.split(".")[:2]), *given)
        elif node.op_type in _GATES:
            weights |= _recurrent(module.removesuffix(".rnn"), node.op_type, *given)
        elif node.op_type == "LayerNormalization":
            weights |= _named(module, ("weight", "bias"), given)
        elif node.op_type == "MatMul" and given:
            weights[f"{module}.weight"] = given[0].T.contiguous()
        elif node.op_type == "Add" and f"{module}.weight" in weights and given:
            weights[f"{module}.bias"] = given[0]
    return weights


def _read(path: Path) -> onnx.ModelProto:
    if not path.is_file():
        raise ModelFileError(f"expected a model, got {path}, which does not exist")
    try:
        model = onnx.load(path)
    except Exception as error:  # protobuf raises its own
        raise ModelFileError(f"{path}: expected an ONNX model: {error}") from error
    if SPEC_KEY not in {entry.key for entry in model.metadata_props}:
        raise ModelFileError(f"{path}: expected a model exported by this project, with its spec")
    return model


def _array(initializer: onnx.TensorProto) -> np.ndarray:
    return numpy_helper.to_array(initializer).copy()


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
