"""How a training run learns, and for how long."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from otoscope.errors import SpecError
from otoscope.strict_json import Strict
from training.config.bounds import AtLeastOne, Count, Natural, Positive


@dataclass(frozen=True)
class OptimiserConfig(Strict):
    """AdamW with warm-up and a cosine to zero.

    Attributes:
        peak_learning_rate: of the layers that are new, at the end of the warm-up.
        weight_decay: AdamW's, the same for all weights.
        warmup_steps: over which the rate rises linearly; a fifth of all steps at most.
        clip_norm: the gradient's largest norm; a longer one is shortened to it.
        encoder_share: learning rate of a pretrained encoder's topmost block, as a share of that of
            the layers above.
        encoder_decay: each block's share of the rate of the one above it (layer-wise decay; Howard
            and Ruder 2018).
        average_decay: of the exponential moving average of the weights, which is what is evaluated
            and exported; less in the first steps, (1 + steps) / (10 + steps).
    """

    peak_learning_rate: Positive = 1.5e-3
    weight_decay: Natural = 0.01
    warmup_steps: Count = 500
    clip_norm: Positive = 1.0
    encoder_share: Annotated[float, Field(gt=0, le=1)] = 0.2
    encoder_decay: Annotated[float, Field(gt=0, le=1)] = 0.9
    average_decay: Annotated[float, Field(ge=0, lt=1)] = 0.998


@dataclass(frozen=True)
class LossConfig(Strict):
    """Shares of the further heads in the loss; the characters have the rest.

    Attributes:
        phoneme_weight, intermediate_weight: above 0 where `model` has the head, 0 where not.
        consistency_weight: above 0, each utterance is read twice under different masks, and this
            times the divergence of the characters' posteriors is added (CR-CTC; Yao et al. 2025,
            who take 0.2 and mask two and a half times as much time). 0: read once.
    """

    phoneme_weight: float = 0.0
    intermediate_weight: float = 0.0
    consistency_weight: float = 0.0

    def __post_init__(self) -> None:
        """Refuse weights that leave the characters nothing, or reward inconsistency."""
        if self.consistency_weight < 0:
            raise SpecError(
                f"loss.consistency_weight: expected 0 or more, got {self.consistency_weight}"
            )
        weights = (self.phoneme_weight, self.intermediate_weight)
        if min(weights) < 0 or not sum(weights) < 1:
            raise SpecError(f"loss: expected weights from 0 on, below 1 in sum, got {weights}")

    @property
    def character_weight(self) -> float:
        """Share of the characters."""
        return 1.0 - self.phoneme_weight - self.intermediate_weight

    @property
    def views(self) -> int:
        """How often an utterance is in its batch."""
        return 2 if self.consistency_weight else 1


@dataclass(frozen=True)
class LoopConfig(Strict):
    """How long, how fast, how often.

    Attributes:
        epochs: passes over the data; may be changed when a run is continued.
        batch_s: seconds of audio in a batch, padding included.
        sorted_epochs: first epochs in order of length, short before long (Amodei et al. 2016).
        precision: "bf16" is autocast; weights stay float32. It pays on processors with
            bfloat16 arithmetic alone.
        checkpoint_minutes: between two checkpoints; there is one after each epoch anyway.
    """

    epochs: AtLeastOne = 20
    batch_s: Positive = 80.0
    sorted_epochs: Count = 1
    precision: Literal["bf16", "fp32"] = "bf16"
    checkpoint_minutes: Natural = 5.0
