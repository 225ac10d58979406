from dataclasses import replace

import numpy as np
import pytest
import torch

from otoscope import ctc
from otoscope.errors import SpecError
from training.config import LossConfig
from training.data.dataset import Batch, Item, collate
from training.model.loss import all_losses
from training.model.network import Heads

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
    losses = all_losses(heads, batch_of(), WEIGHTS)
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
    losses = all_losses(heads, batch_of(), WEIGHTS)
    assert losses.phoneme is not None
    (gradient,) = torch.autograd.grad(losses.phoneme, heads.phonemes, retain_graph=True)
    assert (gradient[1] == 0).all()
    assert (gradient[0] != 0).any()
    assert (gradient[2] != 0).any()
    changed = heads.phonemes.detach().clone()
    changed[1] = changed[1].roll(1, dims=-1)
    other = all_losses(heads._replace(phonemes=changed), batch_of(), WEIGHTS)
    assert other.phoneme is not None
    assert torch.equal(other.phoneme, losses.phoneme)
    # Its text counts as ever.
    (gradient,) = torch.autograd.grad(losses.total, heads.log_probs)
    assert (gradient[1] != 0).any()


def test_a_batch_without_phonemes_has_no_phoneme_loss() -> None:
    heads = random_heads()
    losses = all_losses(heads, batch_of(((), (), ())), WEIGHTS)
    assert losses.phoneme is None
    assert losses.intermediate is not None
    torch.testing.assert_close(losses.total, 0.6 * losses.character + 0.1 * losses.intermediate)
    losses.total.backward()  # type: ignore[no-untyped-call]
    assert heads.phonemes is not None
    assert heads.phonemes.grad is None


def test_without_further_heads_the_total_is_the_characters_bit_for_bit() -> None:
    heads = random_heads()._replace(phonemes=None, intermediate=None)
    losses = all_losses(heads, batch_of(), LossConfig())
    assert torch.equal(losses.total, losses.character)
    assert (losses.phoneme, losses.intermediate) == (None, None)
    weighted = all_losses(heads, batch_of(), replace(WEIGHTS, intermediate_weight=0.0))
    torch.testing.assert_close(weighted.total, 0.7 * losses.character)


def test_two_views_learn_from_each_other_as_they_stand() -> None:
    generator = torch.Generator().manual_seed(3)
    scores = torch.randn(4, 6, CLASSES, generator=generator)
    log_probs = scores.log_softmax(-1).requires_grad_()
    lengths = torch.tensor([6, 4, 6, 4])  # two utterances, seen twice
    x = [np.zeros((int(n), 2), dtype=np.float32) for n in lengths]
    batch = collate([Item(*one) for one in zip(x, targets((*TEXTS[1:],) * 2), strict=True)])
    heads = Heads(log_probs, lengths, None, None)
    losses = all_losses(heads, batch, LossConfig(consistency_weight=0.2))
    assert losses.inconsistency is not None
    by_hand, views = 0.0, log_probs.detach().exp().numpy()
    for one, other in ((0, 2), (2, 0), (1, 3), (3, 1)):
        for frame in range(int(lengths[one])):  # what lies in the padding has no say
            p, q = views[other, frame], views[one, frame]
            by_hand += float((p * np.log(p / q)).sum())
    labels = 2 * (len(TEXTS[1]) + len(TEXTS[2]))
    assert losses.inconsistency.item() == pytest.approx(by_hand / labels, rel=1e-4)
    torch.testing.assert_close(losses.total, losses.character + 0.2 * losses.inconsistency)
    (gradient,) = torch.autograd.grad(losses.inconsistency, log_probs)
    # d KL(p || q) / d log q = -p: no gradient flows into the view that is learned from.
    expected = -log_probs.detach().exp()[torch.tensor([2, 3, 0, 1])] / labels
    expected[torch.arange(6) >= lengths.unsqueeze(1)] = 0.0
    torch.testing.assert_close(gradient, expected)


def test_equal_views_are_consistent_and_one_view_has_no_such_loss() -> None:
    log_probs = torch.randn(2, 6, CLASSES).log_softmax(-1)
    heads = Heads(torch.cat([log_probs, log_probs]), torch.tensor([6, 4, 6, 4]), None, None)
    x = [np.zeros((n, 2), dtype=np.float32) for n in (6, 4, 6, 4)]
    batch = collate([Item(*one) for one in zip(x, targets((*TEXTS[1:],) * 2), strict=True)])
    losses = all_losses(heads, batch, LossConfig(consistency_weight=0.2))
    assert losses.inconsistency is not None
    assert losses.inconsistency.item() == pytest.approx(0.0, abs=1e-6)
    assert all_losses(heads, batch, LossConfig()).inconsistency is None


def test_a_negative_consistency_weight_is_refused() -> None:
    with pytest.raises(SpecError, match="consistency_weight"):
        LossConfig(consistency_weight=-0.1)
