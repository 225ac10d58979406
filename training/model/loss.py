"""What training minimises: CTC losses of characters and lower heads, and disagreement."""

from dataclasses import dataclass

from torch import Tensor, nn

from training.config import LossConfig
from training.data.dataset import Batch
from training.model.masks import own_frames
from training.model.network import Heads


@dataclass(frozen=True)
class Losses:
    """CTC losses of one batch, in nats a target symbol.

    Attributes:
        total: their weighted sum, which is what is minimised.
        character: of the text.
        phoneme: of the phonemes, over the utterances that have a phoneme target; None without the
            head or without such an utterance.
        intermediate: of the text, from the lower layer; None without the head.
        inconsistency: divergence between the two views of each utterance, a character; None if
            utterances are read once.
    """

    total: Tensor
    character: Tensor
    phoneme: Tensor | None = None
    intermediate: Tensor | None = None
    inconsistency: Tensor | None = None


@dataclass(frozen=True)
class Counts:
    """Numbers of target symbols, by which losses are divided.

    Attributes:
        labels, phonemes: of all utterances, () int64.
    """

    labels: Tensor
    phonemes: Tensor


def all_losses(
    heads: Heads, batch: Batch, weights: LossConfig, counts: Counts | None = None
) -> Losses:
    """Losses of `heads` on `batch`.

    An utterance without a phoneme target adds nothing to the phoneme loss, nor to its gradient.

    Args:
        heads: what the model makes of `batch`.
        batch: has the targets.
        weights: of the losses in the total.
        counts: of the whole batch that `batch` is a part of; its own by default.
    """
    counts = counts or Counts(batch.label_lengths.sum(), batch.phoneme_lengths.sum())
    labels = (batch.labels, batch.label_lengths)
    character = _ctc(heads.log_probs, heads.lengths, *labels) / counts.labels
    total = weights.character_weight * character
    phoneme = intermediate = inconsistency = None
    has_target = batch.phoneme_lengths > 0
    if heads.phonemes is not None and bool(has_target.any()):
        phoneme = _ctc(
            heads.phonemes[has_target],
            heads.lengths[has_target],
            batch.phonemes[has_target],
            batch.phoneme_lengths[has_target],
        )
        phoneme = phoneme / counts.phonemes
        total = total + weights.phoneme_weight * phoneme
    if heads.intermediate is not None:
        intermediate = _ctc(heads.intermediate, heads.lengths, *labels) / counts.labels
        total = total + weights.intermediate_weight * intermediate
    if weights.consistency_weight:
        # Each view learns from the other as it stands: divergences whose target has no gradient
        # (Yao et al., "CR-CTC: Consistency regularization on CTC", ICLR 2025).
        others = heads.log_probs.roll(heads.log_probs.shape[0] // 2, dims=0).detach()
        inconsistency = _divergence(heads.log_probs, others, heads.lengths) / counts.labels
        total = total + weights.consistency_weight * inconsistency
    return Losses(total, character, phoneme, intermediate, inconsistency)


def _divergence(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    """Kullback and Leibler's from `targets`, summed over frames of all items, in nats.

    Args:
        log_probs: (batch, T', classes) float32.
        targets: as `log_probs`.
        lengths: (batch,) int64, output frames.
    """
    divergence = nn.functional.kl_div(log_probs, targets, reduction="none", log_target=True).sum(-1)
    return (divergence * own_frames(lengths, log_probs.shape[1])).sum()


def _ctc(log_probs: Tensor, lengths: Tensor, labels: Tensor, label_lengths: Tensor) -> Tensor:
    """CTC loss of all items, in nats.

    Args:
        log_probs: (batch, T', classes) float32, the blank last.
        lengths: (batch,) int64, output frames.
        labels: (batch, longest N) int64.
        label_lengths: (batch,) int64.
    """
    loss: Tensor = nn.functional.ctc_loss(
        log_probs.transpose(0, 1),
        labels,
        lengths,
        label_lengths,
        blank=log_probs.shape[-1] - 1,
        reduction="sum",
    )
    return loss
