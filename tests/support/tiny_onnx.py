"""ONNX files of a few hundred bytes, written by hand: the onnx package is not needed to run models.

Field numbers are those of onnx.proto; https://protobuf.dev/programming-guides/encoding/ explains
the bytes.
"""

from collections.abc import Mapping, Sequence

FLOAT, INT64 = 1, 7
Shape = Sequence[int | str]


def identity_model(
    tensors: Sequence[tuple[str, str, int, Shape, Shape]],
    metadata: Mapping[str, str] | None = None,
) -> bytes:
    """A model that copies inputs to outputs.

    Args:
        tensors: input name, output name, element type, the shape claimed for each.
        metadata: its properties.
    """
    nodes = b"".join(
        _field(1, _field(1, source) + _field(2, target) + _field(4, "Identity"))
        for source, target, *_ in tensors
    )
    inputs = b"".join(
        _field(11, _value(source, kind, shape)) for source, _, kind, shape, _ in tensors
    )
    outputs = b"".join(
        _field(12, _value(target, kind, shape)) for _, target, kind, _, shape in tensors
    )
    graph = nodes + _field(2, "tiny") + inputs + outputs
    model = _number(1, 8) + _field(7, graph) + _field(8, _field(1, "") + _number(2, 17))
    return model + properties(metadata or {})


def properties(metadata: Mapping[str, str]) -> bytes:
    """Metadata as bytes; appended to a model file, they are added to it."""
    return b"".join(
        _field(14, _field(1, key) + _field(2, value)) for key, value in metadata.items()
    )


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
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
