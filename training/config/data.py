"""What a training run reads, and what becomes of it while training."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from otoscope.strict_json import Strict


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
