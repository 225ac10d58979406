"""What training minimises: CTC losses of the characters and of the lower heads."""

from dataclasses import dataclass

from torch import Tensor, nn

from training.config import LossConfig
from training.dataset import Batch
from training.model import Heads


@dataclass(frozen=True)
class Losses:
    """CTC losses of one batch, in nats a target symbol.

    Attributes:
        total: their weighted sum, which is what is minimised.
        character: of the text.
        phoneme: of the phonemes, over the utterances that have a phoneme target; None without the
            head or without such an utterance.
        intermediate: of the text, from the lower layer; None without the head.
    """

    total: Tensor
    character: Tensor
    phoneme: Tensor | None = None
    intermediate: Tensor | None = None


def ctc_losses(heads: Heads, batch: Batch, weights: LossConfig) -> Losses:
    """Losses of `heads` on `batch`.

    An utterance without a phoneme target adds nothing to the phoneme loss, nor to its gradient.
    """
    character = _ctc(heads.log_probs, heads.lengths, batch.labels, batch.label_lengths)
    total = weights.character_weight * character
    phoneme = intermediate = None
    has_target = batch.phoneme_lengths > 0
    if heads.phonemes is not None and bool(has_target.any()):
        phoneme = _ctc(
            heads.phonemes[has_target],
            heads.lengths[has_target],
            batch.phonemes[has_target],
            batch.phoneme_lengths[has_target],
        )
        total = total + weights.phoneme_weight * phoneme
    if heads.intermediate is not None:
        intermediate = _ctc(heads.intermediate, heads.lengths, batch.labels, batch.label_lengths)
        total = total + weights.intermediate_weight * intermediate
    return Losses(total, character, phoneme, intermediate)


def _ctc(log_probs: Tensor, lengths: Tensor, labels: Tensor, label_lengths: Tensor) -> Tensor:
    """CTC loss a label, in nats.

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
    return loss / label_lengths.sum()
