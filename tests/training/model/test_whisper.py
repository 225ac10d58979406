"""Whisper's encoder: masked by length, divided at any block, and read from the files of others."""

import os
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from otoscope.errors import ModelFileError
from training.model.whisper import WhisperEncoder, WhisperShape
from training.weights.pretrained import load_encoder

SHAPE = WhisperShape(mels=8, width=128, heads=2, layers=3)


@pytest.fixture
def encoder():
    return _random(SHAPE)


def _random(shape: WhisperShape) -> WhisperEncoder:
    torch.manual_seed(0)
    encoder = WhisperEncoder(shape).eval()
    with torch.no_grad():
        encoder.positional_embedding.normal_(std=0.1)
    return encoder


@pytest.mark.parametrize(
    ("pool_after", "rows"), [(None, [51, 32, 4]), (1, [26, 16, 2]), (3, [26, 16, 2])]
)
@torch.inference_mode()
def test_padding_and_neighbours_change_nothing(pool_after, rows):
    encoder = _random(replace(SHAPE, pool_after=pool_after))
    features = torch.randn(3, 101, SHAPE.mels)
    lengths = torch.tensor([101, 64, 7])
    together, out_lengths = encoder(features, lengths)
    assert out_lengths.tolist() == rows
    for row, length in enumerate(lengths.tolist()):
        alone, _ = encoder(features[row : row + 1, :length], lengths[row : row + 1])
        frames = int(out_lengths[row])
        torch.testing.assert_close(together[row, :frames], alone[0], rtol=0, atol=1e-5)


@torch.inference_mode()
def test_every_second_row_is_averaged_with_its_neighbours(encoder):
    pooled = _random(replace(SHAPE, pool_after=3))
    features, lengths = torch.randn(2, 42, SHAPE.mels), torch.tensor([42, 34])
    whole, _ = encoder.lower(features, lengths, 3)
    rows, _ = pooled.lower(features, lengths, 3)
    one, other = whole
    torch.testing.assert_close(rows[0, 4], (one[7] + 2 * one[8] + one[9]) / 4)
    torch.testing.assert_close(rows[0, 0], (2 * one[0] + one[1]) / 3)
    torch.testing.assert_close(rows[0, 10], (one[19] + 2 * one[20]) / 3)  # 21 of them
    torch.testing.assert_close(rows[1, 8], (other[15] + 2 * other[16]) / 3)  # 17, padding behind


@pytest.mark.parametrize("layers", [0, 1, 2, 3])
@pytest.mark.parametrize("pool_after", [None, 2])
@torch.inference_mode()
def test_lower_and_upper_blocks_are_the_whole(pool_after, layers):
    encoder = _random(replace(SHAPE, pool_after=pool_after))
    features, lengths = torch.randn(2, 40, SHAPE.mels), torch.tensor([40, 33])
    whole, _ = encoder(features, lengths)
    rows, rows_lengths = encoder.lower(features, lengths, layers)
    torch.testing.assert_close(encoder.upper(rows, rows_lengths, layers)[0], whole)


def _openai(encoder: WhisperEncoder, folder: Path) -> Path:
    weights = {f"encoder.{name}": value.half() for name, value in encoder.state_dict().items()}
    weights["decoder.ln.weight"] = torch.ones(3)
    torch.save({"dims": {}, "model_state_dict": weights}, folder / "tiny.pt")
    return folder / "tiny.pt"


def _hugging_face(encoder: WhisperEncoder, folder: Path) -> Path:
    names = {
        "blocks.": "layers.",
        "attn_ln": "self_attn_layer_norm",
        "attn.query": "self_attn.q_proj",
        "attn.key": "self_attn.k_proj",
        "attn.value": "self_attn.v_proj",
        "attn.out": "self_attn.out_proj",
        "mlp_ln": "final_layer_norm",
        "mlp.0": "fc1",
        "mlp.2": "fc2",
        "positional_embedding": "embed_positions.weight",
        "ln_post": "layer_norm",
    }
    weights = {"model.decoder.layers.0.encoder_attn.k_proj.weight": torch.ones(3)}
    for name, value in encoder.state_dict().items():
        key = f"model.encoder.{name}"
        for ours, theirs in names.items():
            key = key.replace(ours, theirs)
        weights[key] = value.half()
    save_file(weights, folder / "model.safetensors")
    return folder


def _ctranslate2(encoder: WhisperEncoder, folder: Path) -> Path:
    state = encoder.state_dict()
    values = {"encoder/num_heads": np.array(SHAPE.heads, np.int16)}
    norms = {"gamma": "weight", "beta": "bias"}

    def put(theirs: str, ours: str, names: dict[str, str] | None = None) -> None:
        for kind, our_kind in (names or {"weight": "weight", "bias": "bias"}).items():
            values[f"encoder/{theirs}/{kind}"] = state[f"{ours}.{our_kind}"].half().numpy()

    for name in ("conv1", "conv2"):
        put(name, name)
    put("layer_norm", "ln_post", norms)
    values["encoder/position_encodings/encodings"] = state["positional_embedding"].half().numpy()
    for n in range(SHAPE.layers):
        theirs, ours = f"layer_{n}", f"blocks.{n}"
        put(f"{theirs}/self_attention/layer_norm", f"{ours}.attn_ln", norms)
        put(f"{theirs}/self_attention/linear_1", f"{ours}.attn.out")
        put(f"{theirs}/ffn/layer_norm", f"{ours}.mlp_ln", norms)
        put(f"{theirs}/ffn/linear_0", f"{ours}.mlp.0")
        put(f"{theirs}/ffn/linear_1", f"{ours}.mlp.2")
        parts = [state[f"{ours}.attn.{part}.weight"] for part in ("query", "key", "value")]
        biases = [state[f"{ours}.attn.query.bias"], torch.zeros(SHAPE.width)]
        biases.append(state[f"{ours}.attn.value.bias"])
        stem = f"encoder/{theirs}/self_attention/linear_0"
        values[f"{stem}/weight"] = torch.cat(parts).half().numpy()
        values[f"{stem}/bias"] = torch.cat(biases).half().numpy()
    values["decoder/scale_embeddings"] = np.array(1, np.int8)
    codes = {"float16": 4, "int16": 2, "int8": 1}
    with (folder / "model.bin").open("wb") as file:

        def string(text: str) -> None:
            file.write(struct.pack("<H", len(text) + 1) + text.encode() + b"\0")

        file.write(struct.pack("<I", 6))
        string("WhisperSpec")
        file.write(struct.pack("<II", 3, len(values)))
        for name, value in values.items():
            string(name)
            file.write(struct.pack(f"<B{value.ndim}I", value.ndim, *value.shape))
            file.write(struct.pack("<BI", codes[value.dtype.name], value.nbytes) + value.tobytes())
    return folder / "model.bin"


@pytest.mark.parametrize("write", [_openai, _hugging_face, _ctranslate2])
def test_weights_are_read_from_what_users_have(encoder, write, tmp_path):
    path = write(encoder, tmp_path)
    read = WhisperEncoder(SHAPE)
    load_encoder(path, read)
    for name, value in encoder.state_dict().items():
        torch.testing.assert_close(read.state_dict()[name], value.half().float(), msg=name)


def test_fewer_blocks_may_be_used(encoder, tmp_path):
    lower = WhisperEncoder(WhisperShape(SHAPE.mels, SHAPE.width, SHAPE.heads, layers=2))
    load_encoder(_openai(encoder, tmp_path), lower)
    assert len(lower.blocks) == 2


def test_other_sizes_and_files_are_refused(encoder, tmp_path):
    path = _openai(encoder, tmp_path)
    with pytest.raises(ModelFileError, match="expected a Whisper encoder of"):
        load_encoder(path, WhisperEncoder(WhisperShape(mels=8, width=64, heads=1, layers=3)))
    (tmp_path / "model.bin").write_bytes(b"no model")
    with pytest.raises(ModelFileError, match="expected a Whisper encoder of"):
        load_encoder(tmp_path, WhisperEncoder(SHAPE))
    with pytest.raises(ModelFileError, match=r"got .*nothing\.pt"):
        load_encoder(tmp_path / "nothing.pt", WhisperEncoder(SHAPE))


@pytest.mark.skipif(
    "OTOSCOPE_WHISPER" not in os.environ,
    reason="OTOSCOPE_WHISPER names no folder with tiny.en's model.bin of faster-whisper",
)
@torch.inference_mode()
def test_it_equals_faster_whisper():
    faster_whisper = pytest.importorskip("faster_whisper")
    folder = os.environ["OTOSCOPE_WHISPER"]
    encoder = WhisperEncoder(WhisperShape(mels=80, width=384, heads=6, layers=4)).eval()
    load_encoder(Path(folder), encoder)
    features = np.random.default_rng(0).normal(size=(80, 3000)).astype(np.float32)
    model = faster_whisper.WhisperModel(folder, compute_type="float32")
    theirs = np.array(model.encode(features))
    ours, _ = encoder(torch.from_numpy(features.T.copy())[None], torch.tensor([3000]))
    np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-3)
