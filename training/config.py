"""A training run's choices, as frozen dataclasses; `training.config_file` reads them."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from otoscope.errors import SpecError
from otoscope.features import FeatureSpec
from otoscope.strict_json import Strict
from otoscope.vocabulary import ARPABET, ENGLISH, Alphabet, PhonemeSet


@dataclass(frozen=True)
class Source(Strict):
    """One manifest to learn from.

    Attributes:
        manifest: path below the corpus root.
        share: part of its utterances, others in each epoch.
        silence: texts may be empty: nobody speaks, and the model learns to write nothing. Without
            it such utterances are left out, as not transcribed.
    """

    manifest: str
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    silence: bool = False


@dataclass(frozen=True)
class CorpusConfig(Strict):
    """What is read.

    Attributes:
        train: manifests with texts.
        dev: manifests that choose the best checkpoint; their mean CER is weighted by characters.
            With none, the newest is the best.
        noise: manifest of noise recordings, or "" for none.
        pronunciations: pronouncing dictionary in the form of CMUdict's, or "" for CMUdict itself;
            read only for a phoneme head.
        speeds: factors of speed perturbation (Ko et al. 2015); pitch moves along.
        min_s, max_s: utterances shorter or longer than this many seconds are left out.
    """

    train: tuple[Source, ...]
    dev: tuple[str, ...]
    noise: str = ""
    pronunciations: str = ""
    speeds: tuple[float, ...] = (0.9, 1.0, 1.1)
    min_s: float = 0.2
    max_s: float = 24.0


@dataclass(frozen=True)
class ModelConfig(Strict):
    """The network's shape.

    Attributes:
        encoder: what the recurrent layers read: two convolutions, or the pretrained Transformer
            encoder of Whisper, which needs `features.kind = "whisper"`.
        conv_channels: of the two 3x3 convolutions.
        time_strides: of the two; their product is the frame stride, 2 or 4.
        encoder_size: of the Whisper encoder.
        encoder_layers: of its blocks that are used, from below; 0 for all.
        pool_after: its blocks below the averaging of neighbouring rows, which leaves half as many:
            output frames of 40 ms, at half the cost above. Left out: frames of 20 ms.
        frozen_layers: its blocks, from below and with the convolutions, that don't learn. What
            they give is computed once and cached. 0: all of it learns.
        rnn: the recurrent cell.
        hidden: cells a direction.
        dropout: before each recurrent layer and before the output.
        phoneme_layer: recurrent layers below the phoneme head; 0 for no such head.
        intermediate_layer: recurrent layers below a second character head, which helps training
            (intermediate CTC; Lee and Watanabe 2021) and is not exported; 0 for no such head.
    """

    encoder: Literal["convolutions", "whisper"] = "convolutions"
    encoder_size: Literal["tiny", "base", "small"] = "base"
    encoder_layers: int = 0
    pool_after: int | None = None
    frozen_layers: int = 0
    conv_channels: int = 32
    time_strides: tuple[int, int] = (2, 2)
    rnn: Literal["lstm", "gru"] = "lstm"
    bidirectional: bool = True
    hidden: int = 320
    layers: int = 3
    dropout: float = 0.2
    phoneme_layer: int = 0
    intermediate_layer: int = 0

    def __post_init__(self) -> None:
        """Refuse strides that lose characters, and heads on layers that are not there."""
        if self.frame_stride not in (2, 4):
            raise SpecError(
                f"model.time_strides: expected a stride of 2 or 4, got {self.time_strides}"
            )
        most = self.encoder_shape[2] if self.encoder == "whisper" else 0
        if not 0 <= self.frozen_layers <= most:
            raise SpecError(
                f"model.frozen_layers: expected 0 to {most} with encoder {self.encoder}, "
                f"got {self.frozen_layers}"
            )
        if self.pool_after is not None and not 1 <= self.pool_after <= most:
            raise SpecError(
                f"model.pool_after: expected 1 to {most} with encoder {self.encoder}, "
                f"got {self.pool_after}"
            )
        for name in ("phoneme_layer", "intermediate_layer"):
            if not 0 <= getattr(self, name) <= self.layers:
                raise SpecError(
                    f"model.{name}: expected 0 to {self.layers}, got {getattr(self, name)}"
                )

    @property
    def encoder_shape(self) -> tuple[int, int, int]:
        """Width, heads and used blocks of the Whisper encoder (Radford et al. 2023, table 1)."""
        width, heads, layers = {"tiny": (384, 6, 4), "base": (512, 8, 6), "small": (768, 12, 12)}[
            self.encoder_size
        ]
        return width, heads, self.encoder_layers or layers

    @property
    def encoded_stride(self) -> int:
        """Feature frames per row of what the frozen layers give; 1 if none are frozen."""
        if not self.frozen_layers:
            return 1
        return 2 if self.pool_after is None or self.frozen_layers < self.pool_after else 4

    @property
    def frame_stride(self) -> int:
        """Feature frames per output frame."""
        if self.encoder == "whisper":
            return 2 if self.pool_after is None else 4
        return self.time_strides[0] * self.time_strides[1]


@dataclass(frozen=True)
class AugmentConfig(Strict):
    """Changes to the features while training.

    Attributes:
        noise_probability: share of utterances that get noise.
        noise_snr_db: lowest and highest signal-to-noise ratio in dB.
        max_warp: of the frequency axis, as a share: other vocal tracts (Jaitly and Hinton 2013).
        frequency_masks, max_frequency_mask_bins: SpecAugment's F masks (Park et al. 2019).
        time_masks_per_s, max_time_mask_frames: its T masks, in number to the length.
        room_probability: share of utterances that get the reverberation of a room.
        room_reverberation_s: shortest and longest time in which it falls by 60 dB.
        room_direct_db: lowest and highest ratio of direct to reverberant power in dB.
        band_probability: share of utterances that lose what is above a frequency, as by telephone.
        band_limit_hz: lowest and highest such frequency.
        join_probability: share of utterances that are joined with others, of any speakers, as in a
            recording of several people.
        join_max_s: longest such item.
    """

    noise_probability: float = 0.3
    noise_snr_db: tuple[float, float] = (5.0, 25.0)
    max_warp: float = 0.0
    frequency_masks: int = 2
    max_frequency_mask_bins: int = 15
    time_masks_per_s: float = 0.33
    max_time_mask_frames: int = 25
    room_probability: float = 0.0
    room_reverberation_s: tuple[float, float] = (0.15, 0.8)
    room_direct_db: tuple[float, float] = (-3.0, 12.0)
    band_probability: float = 0.0
    band_limit_hz: tuple[float, float] = (3000.0, 6000.0)
    join_probability: float = 0.0
    join_max_s: float = 15.0


@dataclass(frozen=True)
class OptimiserConfig(Strict):
    """AdamW with warm-up and a cosine to zero.

    Attributes:
        encoder_share: learning rate of a pretrained encoder's topmost block, as a share of that of
            the layers above.
        encoder_decay: each block's share of the rate of the one above it (layer-wise decay; Howard
            and Ruder 2018).
        average_decay: of the exponential moving average of the weights; the average is what is
            evaluated and exported.
    """

    peak_learning_rate: float = 1.5e-3
    weight_decay: float = 0.01
    warmup_steps: int = 500
    clip_norm: float = 1.0
    encoder_share: Annotated[float, Field(gt=0, le=1)] = 0.2
    encoder_decay: Annotated[float, Field(gt=0, le=1)] = 0.9
    average_decay: float = 0.998


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
        batch_s: seconds of audio in a batch, padding included.
        sorted_epochs: first epochs in order of length, short before long (Amodei et al. 2016).
        precision: "bf16" is autocast; weights stay float32.
    """

    epochs: int = 20
    batch_s: float = 80.0
    sorted_epochs: int = 1
    precision: Literal["bf16", "fp32"] = "bf16"
    checkpoint_minutes: float = 5.0


@dataclass(frozen=True)
class TrainingConfig(Strict):
    """One training run."""

    corpus: CorpusConfig
    name: str = "english"
    seed: int = 1
    alphabet: Alphabet = ENGLISH
    phonemes: PhonemeSet = ARPABET
    features: FeatureSpec = FeatureSpec()
    model: ModelConfig = ModelConfig()
    augment: AugmentConfig = AugmentConfig()
    optimiser: OptimiserConfig = OptimiserConfig()
    loss: LossConfig = LossConfig()
    loop: LoopConfig = LoopConfig()

    def __post_init__(self) -> None:
        """Refuse a head without a loss, a loss without a head, and another encoder's features."""
        if (self.model.encoder == "whisper") != (self.features.kind == "whisper"):
            raise SpecError(
                "model.encoder and features.kind: expected whisper for both or neither, "
                f"got {self.model.encoder} and {self.features.kind}"
            )
        slowest_s = self.corpus.max_s * max(self.corpus.speeds) / min(self.corpus.speeds)
        if slowest_s > self.features.max_s:
            raise SpecError(
                f"corpus.max_s: expected at most {self.features.max_s:g} s at the slowest of the "
                f"speeds, which is what the encoder reads at once; got {slowest_s:.1f} s"
            )
        for head in ("phoneme", "intermediate"):
            layer = getattr(self.model, f"{head}_layer")
            weight = getattr(self.loss, f"{head}_weight")
            if (layer > 0) != (weight > 0):
                raise SpecError(
                    f"model.{head}_layer and loss.{head}_weight: expected both or neither above 0, "
                    f"got {layer} and {weight}"
                )

    @property
    def head_phonemes(self) -> PhonemeSet | None:
        """What the phoneme head's classes mean; None if there is no such head."""
        return self.phonemes if self.model.phoneme_layer else None
