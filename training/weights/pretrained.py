"""Weights of Whisper's encoder as users have them -> `WhisperEncoder`.

Three forms are read: OpenAI's .pt, Hugging Face's model.safetensors, and CTranslate2's model.bin
(faster-whisper's). The decoder's weights are passed over.
"""

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from otoscope.errors import ModelFileError
from training.model.whisper import WhisperEncoder

_CTRANSLATE2_TYPES = ("<f4", "i1", "<i2", "<i4", "<f2")
_CTRANSLATE2 = {
    "conv1": "conv1",
    "conv2": "conv2",
    "layer_norm": "ln_post",
    "self_attention/layer_norm": "attn_ln",
    "self_attention/linear_1": "attn.out",
    "ffn/layer_norm": "mlp_ln",
    "ffn/linear_0": "mlp.0",
    "ffn/linear_1": "mlp.2",
}
_HUGGING_FACE = {
    "layers.": "blocks.",
    "self_attn_layer_norm": "attn_ln",
    "self_attn.q_proj": "attn.query",
    "self_attn.k_proj": "attn.key",
    "self_attn.v_proj": "attn.value",
    "self_attn.out_proj": "attn.out",
    "final_layer_norm": "mlp_ln",
    "fc1": "mlp.0",
    "fc2": "mlp.2",
    "embed_positions.weight": "positional_embedding",
}


def load_encoder(path: Path, encoder: WhisperEncoder) -> None:
    """Give `encoder` the weights in a file; blocks that it does not have are passed over.

    Args:
        path: a .pt, .safetensors or model.bin file, or a folder with one of the latter two.
        encoder: of the same width and mels.

    Raises:
        ModelFileError: if the file is missing, or holds no Whisper encoder of that size.
    """
    path = _find(path)
    try:
        weights = _READERS[path.suffix](path)
        encoder.load_state_dict({name: weights[name] for name in encoder.state_dict()})
    except (KeyError, ValueError, RuntimeError, struct.error, IndexError) as error:
        raise ModelFileError(
            f"{path}: expected a Whisper encoder of {encoder.shape}: {error!r}"
        ) from error


def encoder_width(path: Path) -> int:
    """Numbers in a row of the encoder in a file or folder: which of Whisper's it is.

    Raises:
        ModelFileError: if it holds no Whisper encoder.
    """
    path = _find(path)
    try:
        return int(_READERS[path.suffix](path)["ln_post.weight"].numel())
    except (KeyError, ValueError, RuntimeError, struct.error, IndexError) as error:
        raise ModelFileError(f"{path}: expected a Whisper encoder: {error!r}") from error


def is_whisper(path: Path) -> bool:
    """Whether `path` is of a form that holds Whisper's weights, and no checkpoint of a run."""
    if path.suffix == ".pt" and path.is_file():
        try:
            return "model_state_dict" in torch.load(path, map_location="cpu", weights_only=True)
        except Exception:  # noqa: BLE001 - whatever it is: who reads checkpoints says so
            return False
    return path.is_dir() or path.suffix in (".safetensors", ".bin")


def _find(path: Path) -> Path:
    for name in ("model.safetensors", "model.bin"):
        if (path / name).is_file():
            return path / name
    if not path.is_file() or path.suffix not in _READERS:
        raise ModelFileError(
            f"expected weights ({', '.join(_READERS)}) or a folder with model.safetensors or "
            f"model.bin, got {path}"
        )
    return path


def _read_openai(path: Path) -> dict[str, Tensor]:
    weights = torch.load(path, map_location="cpu", weights_only=True)["model_state_dict"]
    return {
        name.removeprefix("encoder."): value.float()
        for name, value in weights.items()
        if name.startswith("encoder.")
    }


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors.torch import load_file  # noqa: PLC0415 - of the training extra, seldom used

    weights = {}
    for name, value in load_file(path).items():
        _, found, rest = name.rpartition("encoder.")
        if found:
            for old, new in _HUGGING_FACE.items():
                rest = rest.replace(old, new)
            weights[rest.replace("layer_norm.", "ln_post.")] = value.float()
    return weights


def _read_ctranslate2(path: Path) -> dict[str, Tensor]:
    """CTranslate2's binary model, version 6: see its `python/ctranslate2/specs/model_spec.py`."""
    weights: dict[str, Tensor] = {}
    for name, value in _variables(path):
        if not name.startswith("encoder/") or value.ndim == 0:
            continue
        tensor = torch.from_numpy(value.astype(np.float32))
        prefix, rest = "", name.removeprefix("encoder/")
        if match := re.match(r"layer_(\d+)/", rest):
            prefix, rest = f"blocks.{match[1]}.", rest[match.end() :]
        module, _, kind = rest.rpartition("/")
        kind = {"gamma": "weight", "beta": "bias"}.get(kind, kind)
        if module == "position_encodings":
            weights["positional_embedding"] = tensor
        elif module == "self_attention/linear_0":  # query, key and value in one
            parts = dict(zip(("query", "key", "value"), tensor.chunk(3), strict=True))
            if kind == "bias":  # CTranslate2 gives keys a bias of zeros
                del parts["key"]
            weights |= {f"{prefix}attn.{part}.{kind}": each for part, each in parts.items()}
        else:
            weights[f"{prefix}{_CTRANSLATE2[module]}.{kind}"] = tensor
    return weights


def _variables(path: Path) -> Iterator[tuple[str, npt.NDArray[np.generic]]]:
    with path.open("rb") as file:
        _unpack(file, "I")  # the format's version
        _string(file)  # the model's kind
        _unpack(file, "I")  # its revision
        for _ in range(_unpack(file, "I")):
            name = _string(file)
            shape = [_unpack(file, "I") for _ in range(_unpack(file, "B"))]
            dtype = _CTRANSLATE2_TYPES[_unpack(file, "B")]
            data = file.read(_unpack(file, "I"))
            yield name, np.frombuffer(data, dtype).reshape(shape)


def _unpack(file: BinaryIO, code: str) -> int:
    value: int = struct.unpack(f"<{code}", file.read(struct.calcsize(f"<{code}")))[0]
    return value


def _string(file: BinaryIO) -> str:
    return file.read(_unpack(file, "H")).rstrip(b"\0").decode()


_READERS = {
    ".pt": _read_openai,
    ".safetensors": _read_safetensors,
    ".bin": _read_ctranslate2,
}
