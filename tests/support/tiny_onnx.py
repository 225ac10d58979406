"""ONNX files of a few hundred bytes, written by hand: the onnx package is not needed to run models.

Field numbers are those of onnx.proto; https://protobuf.dev/programming-guides/encoding/ explains
the bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

FLOAT, INT64 = 1, 7
Shape = Sequence[int | str]
Tensor = tuple[str, int, Shape]
"""Name, element type, and the shape claimed for it."""


@dataclass(frozen=True)
class Node:
    """An operator with the names of what goes in and comes out."""

    operator: str
    inputs: Sequence[str]
    outputs: Sequence[str]
    attributes: Mapping[str, int | Sequence[int]] = field(default_factory=dict)


def model(
    nodes: Sequence[Node],
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    constants: Mapping[str, npt.NDArray[np.float32] | npt.NDArray[np.int64]],
    metadata: Mapping[str, str] | None = None,
) -> bytes:
    """A model file.

    Args:
        nodes: its graph, in order.
        inputs: of the graph.
        outputs: of the graph.
        constants: arrays by the names that nodes call them.
        metadata: its properties.
    """
    graph = b"".join(_field(1, _node(node)) for node in nodes) + _field(2, "tiny")
    graph += b"".join(_field(5, _constant(name, array)) for name, array in constants.items())
    graph += b"".join(_field(11, _value(*tensor)) for tensor in inputs)
    graph += b"".join(_field(12, _value(*tensor)) for tensor in outputs)
    opset = _field(8, _field(1, "") + _number(2, 17))
    return _number(1, 8) + _field(7, graph) + opset + properties(metadata or {})


def identity_model(
    tensors: Sequence[tuple[str, str, int, Shape, Shape]],
    metadata: Mapping[str, str] | None = None,
) -> bytes:
    """A model that copies inputs to outputs.

    Args:
        tensors: input name, output name, element type, the shape claimed for each.
        metadata: its properties.
    """
    return model(
        [Node("Identity", [source], [target]) for source, target, *_ in tensors],
        [(source, kind, shape) for source, _, kind, shape, _ in tensors],
        [(target, kind, shape) for _, target, kind, _, shape in tensors],
        {},
        metadata,
    )


def properties(metadata: Mapping[str, str]) -> bytes:
    """Metadata as bytes; appended to a model file, they are added to it."""
    return b"".join(
        _field(14, _field(1, key) + _field(2, value)) for key, value in metadata.items()
    )


def _node(node: Node) -> bytes:
    names = b"".join(_field(1, name) for name in node.inputs)
    names += b"".join(_field(2, name) for name in node.outputs)
    attributes = b"".join(_field(5, _attribute(*one)) for one in node.attributes.items())
    return names + _field(4, node.operator) + attributes


def _attribute(name: str, value: int | Sequence[int]) -> bytes:
    if isinstance(value, int):
        return _field(1, name) + _number(3, value) + _number(20, 2)
    return _field(1, name) + b"".join(_number(8, each) for each in value) + _number(20, 7)


def _constant(name: str, array: npt.NDArray[np.float32] | npt.NDArray[np.int64]) -> bytes:
    kind = {"f": FLOAT, "i": INT64}[array.dtype.kind]
    shape = b"".join(_number(1, size) for size in array.shape)
    return shape + _number(2, kind) + _field(8, name) + _field(9, array.tobytes())


def _value(name: str, kind: int, shape: Shape) -> bytes:
    dimensions = b"".join(
        _field(1, _field(2, size) if isinstance(size, str) else _number(1, size)) for size in shape
    )
    return _field(1, name) + _field(2, _field(1, _number(1, kind) + _field(2, dimensions)))


def _field(number: int, value: bytes | str) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    out = bytearray()
    value &= 2**64 - 1  # negative numbers as their two's complement
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
