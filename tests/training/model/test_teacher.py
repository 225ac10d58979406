"""Learning from another model's posteriors."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from exportables import PHONEMES, VARIANTS, untrained

from onnx_export.export import export
from otoscope import PhonemeSet
from otoscope.errors import ModelFileError, SpecError
from training.config import LossConfig, TrainingConfig, read_config
from training.data.dataset import Batch, Item, collate
from training.data.prepare import prepare
from training.model.loss import all_losses
from training.model.network import Heads
from training.model.teacher import Teacher
from training.run.trainer import Trainer

LENGTHS = (90, 61, 40)


def batch_of(config: TrainingConfig) -> Batch:
    rng = np.random.default_rng(0)
    items = []
    for frames in LENGTHS:
        x = rng.standard_normal((frames, config.features.bins)).astype(np.float32)
        text, spoken = np.array([1, 2, 0]), np.array([0, 2])
        items.append(Item(x, text, spoken, x))
    return collate(items)


def exported(config: TrainingConfig, folder: Path) -> Path:
    path = folder / "teacher.onnx"
    export(untrained(config), path)
    return path


def distance(heads: Heads, batch: Batch, teacher: Heads) -> torch.Tensor:
    losses = all_losses(heads, batch, LossConfig(0.3, teacher_weight=0.4), teacher)
    assert losses.distance is not None
    return losses.distance


@torch.inference_mode()
def test_its_posteriors_are_those_of_the_model(tmp_path: Path) -> None:
    batch = batch_of(PHONEMES)
    got = Teacher(exported(PHONEMES, tmp_path), PHONEMES, threads=1).heads(batch)
    expected = untrained(PHONEMES).model.heads(batch.features, batch.lengths)
    assert torch.equal(got.lengths, expected.lengths)
    own = torch.arange(got.log_probs.shape[1]) < got.lengths.unsqueeze(1)
    assert got.phonemes is not None
    assert expected.phonemes is not None
    torch.testing.assert_close(got.log_probs[own], expected.log_probs[own], atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(got.phonemes[own], expected.phonemes[own], atol=1e-4, rtol=1e-3)


def test_a_pupil_that_agrees_has_no_distance_and_one_that_does_not_has(tmp_path: Path) -> None:
    batch = batch_of(PHONEMES)
    teacher = Teacher(exported(PHONEMES, tmp_path), PHONEMES, threads=1).heads(batch)
    assert distance(teacher, batch, teacher).item() == pytest.approx(0, abs=1e-6)
    pupil = untrained(PHONEMES).model
    torch.nn.init.normal_(pupil.output.weight)
    heads = pupil.heads(batch.features, batch.lengths)
    far = distance(heads, batch, teacher)
    assert far.item() > 0.1
    far.backward()  # type: ignore[no-untyped-call]
    assert pupil.output.weight.grad is not None
    assert pupil.output.weight.grad.norm() > 0


def test_distance_is_what_the_formula_says() -> None:
    generator = torch.Generator().manual_seed(0)

    def random(classes: int) -> torch.Tensor:
        return torch.randn(2, 4, classes, generator=generator).log_softmax(-1)

    lengths = torch.tensor([4, 2])
    ours, theirs = (Heads(random(3), lengths, random(5), None) for _ in range(2))
    items = [Item(np.zeros((n, 1), dtype=np.float32), np.array([0]), np.array([1])) for n in (4, 2)]
    batch = collate(items)
    weights = LossConfig(0.25, teacher_weight=0.6)
    losses = all_losses(ours, batch, weights, theirs)
    expected = 0.0
    for share, q, p in (
        (0.75, ours.log_probs, theirs.log_probs),
        (0.25, ours.phonemes, theirs.phonemes),
    ):
        for item, frames in enumerate((4, 2)):
            inside = p[item, :frames].exp() * (p[item, :frames] - q[item, :frames])
            expected += share * inside.sum().item() / 2  # two characters in all
    assert losses.distance is not None
    assert losses.distance.item() == pytest.approx(expected, rel=1e-5)
    alone = all_losses(ours, batch, replace(weights, teacher_weight=0.0))
    total = 0.4 * alone.total.item() + 0.6 * expected
    assert losses.total.item() == pytest.approx(total, rel=1e-5)


@pytest.mark.parametrize(
    ("config", "what"),
    [
        (replace(PHONEMES, phonemes=PhonemeSet(("x", "y"))), "phonemes"),
        (VARIANTS["lstm"], "phonemes"),
        (replace(PHONEMES, model=replace(PHONEMES.model, time_strides=(2, 1))), "frame stride"),
        (replace(PHONEMES, features=replace(PHONEMES.features, n_mels=40)), "features"),
    ],
)
def test_one_of_another_kind_is_refused(config: TrainingConfig, what: str, tmp_path: Path) -> None:
    path = exported(PHONEMES, tmp_path)
    with pytest.raises(ModelFileError, match=f"expected a teacher with the {what} of the run"):
        Teacher(path, config, threads=1)


def test_a_weight_and_a_teacher_go_together(config_path: Path, tones: Path, tmp_path: Path) -> None:
    config = read_config(config_path)
    prepared = prepare(config, tones, tmp_path / "cache")
    teacher = Teacher(exported(config, tmp_path), config, threads=1)
    with pytest.raises(SpecError, match=r"got 0\.0 with one"):
        Trainer(config, prepared, tmp_path / "run", teacher=teacher)
    weighted = replace(config, loss=LossConfig(teacher_weight=0.5))
    with pytest.raises(SpecError, match=r"got 0\.5 without one"):
        Trainer(weighted, prepared, tmp_path / "run")
    with pytest.raises(SpecError, match="expected 0 to 1"):
        LossConfig(teacher_weight=1.5)


def test_an_item_keeps_what_masks_hide_where_it_is_asked_for(
    config_path: Path, tones: Path, tmp_path: Path
) -> None:
    config = read_config(config_path)
    prepared = prepare(config, tones, tmp_path / "cache")
    weighted = replace(config, loss=LossConfig(teacher_weight=0.5))
    teacher = Teacher(exported(config, tmp_path), config, threads=1)
    with_one = Trainer(weighted, prepared, tmp_path / "run", teacher=teacher)
    batch = next(iter(with_one.first_batches()))
    assert [len(x) for x in batch.unmasked] == batch.lengths.tolist()
    masked = [
        x[: len(whole)].numpy() for x, whole in zip(batch.features, batch.unmasked, strict=True)
    ]
    assert any((x != whole).any() for x, whole in zip(masked, batch.unmasked, strict=True))
    assert all((x == whole).mean() > 0.5 for x, whole in zip(masked, batch.unmasked, strict=True))
    plain = Trainer(config, prepared, tmp_path / "other")
    assert next(iter(plain.first_batches())).unmasked == ()
