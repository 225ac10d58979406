"""An exported model's weights come back: the same function, ready to learn on."""

from dataclasses import replace
from pathlib import Path

import onnx
import pytest
import torch
from exportables import PHONEME_VARIANTS, VARIANTS, untrained

from onnx_export.export import export
from onnx_export.int8 import quantize
from otoscope.errors import ModelFileError
from training.config import TrainingConfig
from training.model.network import AcousticModel
from training.weights import from_onnx
from training.weights.batchnorm import settle


def brought_back(config: TrainingConfig, folder: Path) -> tuple[AcousticModel, AcousticModel]:
    exportable = untrained(config)
    export(exportable, folder / "model.onnx")
    torch.manual_seed(1)
    model = AcousticModel(
        config.model, config.features.bins, config.alphabet.size, config.phonemes.size
    )
    weights = from_onnx.weights_of(folder / "model.onnx")
    missing = model.load_state_dict(weights, strict=False).missing_keys
    assert [name for name in missing if not name.startswith("intermediate_head.")] == []
    return exportable.model, model


def speech(config: TrainingConfig) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(2)
    return torch.randn(3, 80, config.features.bins), torch.tensor([80, 60, 33])


@pytest.mark.parametrize("config", [*VARIANTS.values(), *PHONEME_VARIANTS.values()])
@torch.inference_mode()
def test_it_is_the_same_function(config: TrainingConfig, tmp_path: Path) -> None:
    trained, model = brought_back(config, tmp_path)
    batch = speech(config)
    for settled in (False, True, True):  # and what has settled can do so again
        if settled and config.model.encoder == "convolutions":
            settle(model, *batch)
        heads, expected = model.eval().heads(*batch), trained.heads(*batch)
        torch.testing.assert_close(heads.log_probs, expected.log_probs, atol=1e-5, rtol=1e-4)
        if expected.phonemes is not None:
            torch.testing.assert_close(heads.phonemes, expected.phonemes, atol=1e-5, rtol=1e-4)


@torch.inference_mode()
def test_settled_it_is_the_same_while_it_learns(tmp_path: Path) -> None:
    config = VARIANTS["lstm"]
    config = replace(config, model=replace(config.model, dropout=0.0))
    trained, model = brought_back(config, tmp_path)
    batch = torch.randn(8, 80, config.features.bins), torch.full((8,), 80)
    settle(model, *batch)
    learning, _ = model.train()(*batch)
    expected, _ = trained(*batch)
    torch.testing.assert_close(learning, expected, atol=1e-4, rtol=1e-3)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="does not exist"):
        from_onnx.weights_of(tmp_path / "none.onnx")
    noise = tmp_path / "noise.onnx"
    noise.write_bytes(b"\xff\xfe no model")
    with pytest.raises(ModelFileError, match="expected an ONNX model"):
        from_onnx.weights_of(noise)
    strange = tmp_path / "strange.onnx"
    graph = onnx.helper.make_graph([], "empty", [], [])
    onnx.save(onnx.helper.make_model(graph), strange)
    with pytest.raises(ModelFileError, match=r"strange\.onnx"):
        from_onnx.weights_of(strange)


@pytest.mark.parametrize("config", [VARIANTS["lstm"], VARIANTS["whisper"]])
def test_eight_bits_are_read_as_what_they_stand_for(config: TrainingConfig, tmp_path: Path) -> None:
    exact, rounded = tmp_path / "model.onnx", tmp_path / "model.int8.onnx"
    export(untrained(config), exact)
    quantize(exact, rounded)
    expected, got = from_onnx.weights_of(exact), from_onnx.weights_of(rounded)
    assert got.keys() == expected.keys()
    differing = 0
    for name, weights in expected.items():
        step = weights.abs().max() / 64  # 7 of the 8 bits, with a sign
        assert (got[name] - weights).abs().max() <= 0.51 * step, name
        differing += not torch.equal(got[name], weights)
    assert differing >= 4  # a recurrent layer has so many matrices


def test_a_model_knows_what_it_learned_by(tmp_path: Path) -> None:
    path, config = tmp_path / "model.onnx", VARIANTS["whisper"]
    exportable = untrained(config)
    export(replace(exportable, config=replace(exportable.config, start="/home/me/base.pt")), path)
    assert from_onnx.config_of(path) == exportable.config  # the path is nobody else's business
    model = onnx.load(path)
    [entry] = [one for one in model.metadata_props if one.key == from_onnx.TRAINING_KEY]
    model.metadata_props.remove(entry)
    onnx.save(model, path)
    with pytest.raises(ModelFileError, match=r"export its best\.pt again"):
        from_onnx.config_of(path)
