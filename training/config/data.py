"""What a training run reads, and what becomes of it while training."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from otoscope.errors import SpecError
from otoscope.strict_json import Strict
from training.config.bounds import Ascending, Count, Natural, Positive, Share


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
    speeds: Annotated[tuple[Positive, ...], Field(min_length=1)] = (0.9, 1.0, 1.1)
    min_s: Natural = 0.2
    max_s: Positive = 24.0

    def __post_init__(self) -> None:
        """Refuse bounds between which there is nothing."""
        if self.min_s > self.max_s:
            raise SpecError(f"corpus: expected min_s <= max_s, got {self.min_s} and {self.max_s}")


@dataclass(frozen=True)
class AugmentConfig(Strict):
    """Changes to the features while training.

    Attributes:
        noise_probability: share of utterances that get noise.
        noise_snr_db: lowest and highest signal-to-noise ratio in dB.
        max_warp: of the frequency axis, as a share: other vocal tracts (Jaitly and Hinton 2013).
        frequency_masks, max_frequency_mask_bins: SpecAugment's F masks (Park et al. 2019); none on
            what frozen layers give.
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

    noise_probability: Share = 0.3
    noise_snr_db: Ascending = (5.0, 25.0)
    max_warp: Annotated[float, Field(ge=0, lt=1)] = 0.0
    frequency_masks: Count = 2
    max_frequency_mask_bins: Count = 15
    time_masks_per_s: Natural = 0.33
    max_time_mask_frames: Count = 25
    room_probability: Share = 0.0
    room_reverberation_s: Ascending = (0.15, 0.8)
    room_direct_db: Ascending = (-3.0, 12.0)
    band_probability: Share = 0.0
    band_limit_hz: Ascending = (3000.0, 6000.0)
    join_probability: Share = 0.0
    join_max_s: Positive = 15.0
