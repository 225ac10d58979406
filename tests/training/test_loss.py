from dataclasses import replace

import numpy as np
import pytest
import torch

from otoscope import ctc
from training.config import LossConfig
from training.dataset import Batch, Item, collate
from training.loss import ctc_losses
from training.model import Heads

CLASSES, PHONEME_CLASSES, FRAMES = 5, 4, (12, 9, 7)
WEIGHTS = LossConfig(phoneme_weight=0.3, intermediate_weight=0.1)
TEXTS = ((0, 1, 1, 3), (2, 0), (3,))
PHONEMES = ((0, 2, 2), (), (1, 2, 1))
"""The second utterance has no phoneme target."""


def targets(rows: tuple[tuple[int, ...], ...]) -> list[np.ndarray]:
    return [np.array(row, dtype=np.int64) for row in rows]


def batch_of(phonemes: tuple[tuple[int, ...], ...] = PHONEMES) -> Batch:
    x = [np.zeros((n, 2), dtype=np.float32) for n in FRAMES]
    return collate([Item(*one) for one in zip(x, targets(TEXTS), targets(phonemes), strict=True)])


def random_heads(seed: int = 0) -> Heads:
    generator = torch.Generator().manual_seed(seed)

    def head(classes: int) -> torch.Tensor:
        scores = torch.randn(len(FRAMES), max(FRAMES), classes, generator=generator)
        return scores.log_softmax(-1).requires_grad_()

    return Heads(head(CLASSES), torch.tensor(FRAMES), head(PHONEME_CLASSES), head(CLASSES))


def by_hand(log_probs: torch.Tensor, rows: tuple[tuple[int, ...], ...]) -> float:
    """The library's forward algorithm, over the utterances that have a target."""
    arrays = log_probs.detach().numpy()
    total = sum(
        ctc.forward_log_prob(one[:n], labels, log_probs.shape[-1] - 1)
        for one, n, labels in zip(arrays, FRAMES, targets(rows), strict=True)
        if labels.size
    )
    return -total / sum(len(row) for row in rows)


def test_each_loss_is_nats_a_symbol_and_the_total_is_weighted() -> None:
    heads = random_heads()
    losses = ctc_losses(heads, batch_of(), WEIGHTS)
    assert losses.phoneme is not None
    assert losses.intermediate is not None
    assert heads.phonemes is not None
    assert heads.intermediate is not None
    assert losses.character.item() == pytest.approx(by_hand(heads.log_probs, TEXTS), rel=1e-5)
    assert losses.phoneme.item() == pytest.approx(by_hand(heads.phonemes, PHONEMES), rel=1e-5)
    assert losses.intermediate.item() == pytest.approx(by_hand(heads.intermediate, TEXTS), rel=1e-5)
    expected = 0.6 * losses.character + 0.3 * losses.phoneme + 0.1 * losses.intermediate
    torch.testing.assert_close(losses.total, expected)


def test_an_utterance_without_phonemes_adds_neither_loss_nor_gradient() -> None:
    heads = random_heads()
    assert heads.phonemes is not None
    losses = ctc_losses(heads, batch_of(), WEIGHTS)
    assert losses.phoneme is not None
    (gradient,) = torch.autograd.grad(losses.phoneme, heads.phonemes, retain_graph=True)
    assert (gradient[1] == 0).all()
    assert (gradient[0] != 0).any()
    assert (gradient[2] != 0).any()
    changed = heads.phonemes.detach().clone()
    changed[1] = changed[1].roll(1, dims=-1)
    other = ctc_losses(heads._replace(phonemes=changed), batch_of(), WEIGHTS)
    assert other.phoneme is not None
    assert torch.equal(other.phoneme, losses.phoneme)
    # Its text counts as ever.
    (gradient,) = torch.autograd.grad(losses.total, heads.log_probs)
    assert (gradient[1] != 0).any()


def test_a_batch_without_phonemes_has_no_phoneme_loss() -> None:
    heads = random_heads()
    losses = ctc_losses(heads, batch_of(((), (), ())), WEIGHTS)
    assert losses.phoneme is None
    assert losses.intermediate is not None
    torch.testing.assert_close(losses.total, 0.6 * losses.character + 0.1 * losses.intermediate)
    losses.total.backward()  # type: ignore[no-untyped-call]
    assert heads.phonemes is not None
    assert heads.phonemes.grad is None


def test_without_further_heads_the_total_is_the_characters_bit_for_bit() -> None:
    heads = random_heads()._replace(phonemes=None, intermediate=None)
    losses = ctc_losses(heads, batch_of(), LossConfig())
    assert torch.equal(losses.total, losses.character)
    assert (losses.phoneme, losses.intermediate) == (None, None)
    weighted = ctc_losses(heads, batch_of(), replace(WEIGHTS, intermediate_weight=0.0))
    torch.testing.assert_close(weighted.total, 0.7 * losses.character)
