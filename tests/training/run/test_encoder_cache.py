"""What frozen layers give is computed once, and a run learns above it."""

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from otoscope.errors import SpecError
from otoscope.features import FeatureSpec, normalize
from training.config import OptimiserConfig, TrainingConfig
from training.config_file import read_config
from training.data.dataset import Examples, epoch_batches, row_s
from training.data.prepare import Prepared, prepare
from training.model.network import AcousticModel, parameter_groups, untrained
from training.run import encoder_cache
from training.run.encoder_cache import encode
from training.run.trainer import Trainer

WHISPER = FeatureSpec(kind="whisper", n_fft=400, preemphasis=0.0, log_guard=1e-10)


@pytest.fixture(scope="module")
def config(config_path: Path) -> TrainingConfig:
    tones = read_config(config_path)
    return replace(
        tones,
        features=WHISPER,
        corpus=replace(tones.corpus, noise="", speeds=(1.0,)),
        model=replace(
            tones.model, encoder="whisper", encoder_size="tiny", encoder_layers=1, frozen_layers=1
        ),
        augment=replace(tones.augment, noise_probability=0.0, frequency_masks=0),
        loop=replace(tones.loop, epochs=1),
    )


@pytest.fixture(scope="module")
def prepared(config: TrainingConfig, tones: Path, tmp_path_factory: pytest.TempPathFactory):
    prepared = prepare(config, tones, tmp_path_factory.mktemp("features"))
    return replace(prepared, examples=prepared.examples[:12])


@pytest.fixture(scope="module")
def model(config: TrainingConfig) -> AcousticModel:
    torch.manual_seed(0)
    return untrained(config).eval()


@torch.inference_mode()
def test_heads_above_the_cache_are_those_of_the_whole_model(
    config: TrainingConfig, prepared: Prepared, model: AcousticModel, tmp_path: Path
) -> None:
    encoded = encode(prepared, model, config, tmp_path)
    [pack] = {one.packs[0].name: one.packs[0] for one in encoded.examples}.values()
    assert pack.encoded
    for place in (0, 5):
        rows = torch.from_numpy(pack[place])[None]
        raw = prepared.examples[0].packs[0][place]
        whole = torch.from_numpy(normalize(raw, config.features))[None]
        above = model.heads(rows, torch.tensor([rows.shape[1]]), encoded=True)
        through = model.heads(whole, torch.tensor([whole.shape[1]]))
        torch.testing.assert_close(above.log_probs, through.log_probs, rtol=0, atol=1e-2)


def test_a_cache_broken_off_is_gone_on_with(
    config: TrainingConfig,
    prepared: Prepared,
    model: AcousticModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(encoder_cache, "_BATCH_FRAMES", 500)
    whole = encode(prepared, model, config, tmp_path / "whole").dev[0].pack
    run, calls = encoder_cache._run, []

    def breaks_off(model: AcousticModel, matrices: list[np.ndarray]) -> list[np.ndarray]:
        if len(calls) == 3:
            raise KeyboardInterrupt
        calls.append(len(matrices))
        return run(model, matrices)

    monkeypatch.setattr(encoder_cache, "_run", breaks_off)
    with pytest.raises(KeyboardInterrupt):
        encode(prepared, model, config, tmp_path / "other")
    monkeypatch.setattr(encoder_cache, "_run", run)
    again = encode(prepared, model, config, tmp_path / "other").dev[0].pack
    np.testing.assert_array_equal(again.rows, whole.rows)


def test_the_sign_of_zero_makes_no_other_cache(
    config: TrainingConfig, prepared: Prepared, model: AcousticModel, tmp_path: Path
) -> None:
    names = set()
    for zero in (0.0, -0.0):  # the average of weights that are -0 is 0
        other = copy.deepcopy(model)
        other.encoder.conv1.weight.data[0] = zero
        names.add(encode(prepared, other, config, tmp_path).dev[0].pack.name)
    assert len(names) == 1


def test_a_run_begins_with_whispers_weights_and_leaves_them(
    config: TrainingConfig, prepared: Prepared, model: AcousticModel, tmp_path: Path
) -> None:
    weights = {f"encoder.{name}": one for name, one in model.encoder.state_dict().items()}
    torch.save({"dims": {}, "model_state_dict": weights}, tmp_path / "tiny.pt")
    trainer = Trainer(config, prepared, tmp_path / "run", tmp_path / "tiny.pt")
    before = trainer.model.project.weight.clone()
    assert trainer.fit()
    assert not torch.equal(trainer.model.project.weight, before)
    for name, one in model.frozen_weights().items():
        torch.testing.assert_close(trainer.model.get_parameter(name), one, rtol=0, atol=0)


def test_frozen_layers_need_weights(
    config: TrainingConfig, prepared: Prepared, tmp_path: Path
) -> None:
    with pytest.raises(SpecError, match="expected a start with weights"):
        Trainer(config, prepared, tmp_path).fit()


def test_masks_are_counted_by_seconds_whatever_the_rows(
    config: TrainingConfig, prepared: Prepared, model: AcousticModel, tmp_path: Path
) -> None:
    encoded = encode(prepared, model, config, tmp_path)
    assert row_s(prepared.examples, config) == pytest.approx(0.01)
    assert row_s(encoded.examples, config) == pytest.approx(0.02)


def test_columns_of_encoded_rows_are_not_masked(
    config: TrainingConfig, prepared: Prepared, model: AcousticModel, tmp_path: Path
) -> None:
    augment = replace(config.augment, frequency_masks=9, time_masks_per_s=0.0)
    masking = replace(config, augment=augment)
    encoded = encode(prepared, model, masking, tmp_path)
    [draw, *_], *_ = epoch_batches(encoded.examples, masking, 0)
    item = Examples(encoded.examples, masking)[draw]
    example = encoded.examples[draw.parts[0].example]
    assert np.array_equal(item.features, example.packs[draw.parts[0].speed][example.index])


@torch.inference_mode()
def test_rows_are_counted_after_pooling_and_too_long_ones_left_out(
    config: TrainingConfig, prepared: Prepared, tmp_path: Path
) -> None:
    pooled = replace(config, model=replace(config.model, pool_after=1))
    torch.manual_seed(0)
    model = untrained(pooled).eval()
    frames = prepared.examples[0].packs[0].frames
    model.encoder.shape = replace(model.encoder.shape, positions=int(np.median(frames)) // 2)
    encoded = encode(prepared, model, pooled, tmp_path)
    assert row_s(encoded.examples, pooled) == pytest.approx(0.04)
    rows = encoded.examples[0].packs[0].frames
    read = frames <= 2 * model.encoder.shape.positions
    assert 0 < read.sum() < frames.size
    np.testing.assert_array_equal(rows, np.where(read, -(-frames // 4), 0))


def test_upper_blocks_learn_more_slowly_than_what_is_above_them(config: TrainingConfig) -> None:
    model = untrained(replace(config, model=replace(config.model, encoder_layers=3)))
    groups = parameter_groups(model, OptimiserConfig(encoder_share=0.4, encoder_decay=0.5))
    shares = {id(weights): group["share"] for group in groups for weights in group["params"]}
    names = ("output", "encoder.ln_post", "encoder.blocks.2.attn_ln", "encoder.blocks.0.mlp_ln")
    got = [shares[id(model.get_parameter(f"{name}.weight"))] for name in names]
    assert got == pytest.approx([1.0, 0.4, 0.4, 0.1])
    assert shares[id(model.encoder.conv1.weight)] == pytest.approx(0.05)
    assert len(shares) == len(list(model.parameters()))
