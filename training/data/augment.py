"""Changes to features while training: rooms, noise... on log-mel, masks on what is read."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from otoscope.features import Features, FeatureSpec
from training.config import AugmentConfig

_FORMANTS_BELOW_HZ = 4800.0


def mix_noise(speech: Features, noise: Features, snr_db: float) -> Features:
    """Add noise to raw log-mel as powers, log(exp(a) + g exp(b)).

    Exact in the mean: speech and noise are uncorrelated, so their powers add.

    Args:
        speech: (frames, n_mels) float32, natural log of mel power.
        noise: (noise frames, n_mels) float32; repeated or cut to the speech's length.
        snr_db: mean speech power over mean noise power.
    """
    frames = speech.shape[0]
    repeated = np.resize(np.arange(noise.shape[0]), frames)
    speech_power, noise_power = np.exp(speech), np.exp(noise[repeated])
    ratio = float(speech_power.mean()) / float(noise_power.mean())
    gain = np.float32(ratio / 10 ** (snr_db / 10))
    return np.log(speech_power + gain * noise_power)


def random_excerpt(noise: Features, frames: int, rng: np.random.Generator) -> Features:
    """`frames` frames from a random place, or all of a shorter recording."""
    room = noise.shape[0] - frames
    start = int(rng.integers(room + 1)) if room > 0 else 0
    return noise[start : start + frames]


def reverberate(
    log_mels: Features, spec: FeatureSpec, *, reverberation_s: float, direct_db: float
) -> Features:
    """The same speech in a room: each frame's power dies away over those after it.

    The room is a diffuse one whose late sound decays exponentially (Polack 1988), alike in every
    bin. Exact in the mean: such reverberation is uncorrelated with the direct sound, so powers add.

    Args:
        log_mels: (frames, n_mels) float32, raw.
        spec: defines the hop.
        reverberation_s: time in which the sound falls by 60 dB.
        direct_db: ratio of direct to reverberant power.
    """
    decay = 10 ** (-6 * spec.hop_s / reverberation_s)
    gain = (1 - decay) / decay / 10 ** (direct_db / 10)
    power = np.exp(log_mels)
    late = lfilter([0.0, gain * decay], [1.0, -decay], power, axis=0)
    reverberated: Features = np.log(power + late).astype(np.float32)
    return reverberated


def warp(log_mels: Features, spec: FeatureSpec, factor: float) -> Features:
    """Vocal tract length perturbation (Jaitly and Hinton 2013): the same words from another head.

    The frequency axis is stretched by `factor` up to the highest formants and squeezed above, so
    that its end stays where it is.

    Args:
        log_mels: (frames, n_mels) float32, raw.
        spec: defines the bins' frequencies.
        factor: above 1 moves formants down, below 1 up.
    """
    centers_hz = _centers_hz(spec)
    top_hz = spec.high_hz
    knee_hz = _FORMANTS_BELOW_HZ * min(factor, 1.0)
    read_hz = np.interp(centers_hz, [0.0, knee_hz / factor, top_hz], [0.0, knee_hz, top_hz])
    place = np.interp(read_hz, centers_hz, np.arange(spec.n_mels))
    below = np.minimum(place.astype(np.int64), spec.n_mels - 2)
    share = (place - below).astype(np.float32)
    warped: Features = log_mels[:, below] * (1 - share) + log_mels[:, below + 1] * share
    return warped


def limit_band(log_mels: Features, spec: FeatureSpec, limit_hz: float) -> Features:
    """The same speech through a telephone or a narrow codec: no power above `limit_hz`.

    Args:
        log_mels: (frames, n_mels) float32, raw.
        spec: defines the bins' frequencies.
        limit_hz: bins centred above it become silent.
    """
    limited: Features = np.where(_centers_hz(spec) > limit_hz, log_mels.min(), log_mels)
    return limited


@lru_cache(maxsize=4)
def _centers_hz(spec: FeatureSpec) -> npt.NDArray[np.float64]:
    """Centre frequency of each mel bin, (n_mels,)."""
    from librosa import mel_frequencies  # noqa: PLC0415  # takes seconds

    edges: npt.NDArray[np.float64] = mel_frequencies(
        spec.n_mels + 2, fmin=spec.low_hz, fmax=spec.high_hz
    )
    return edges[1:-1]


def mask(
    features: Features, row_s: float, config: AugmentConfig, rng: np.random.Generator
) -> Features:
    """SpecAugment without warping (Park et al. 2019): bands and periods of (rows, bins) set to 0.

    The number of time masks grows with the length, rows of `row_s` seconds each (Park et al. 2020),
    so short clips keep theirs.
    """
    out = features.copy()
    frames, bins = out.shape
    for _ in range(config.frequency_masks):
        width = int(rng.integers(config.max_frequency_mask_bins + 1))
        start = int(rng.integers(max(bins - width, 0) + 1))
        out[:, start : start + width] = 0.0
    for _ in range(int(rng.poisson(config.time_masks_per_s * frames * row_s))):
        width = int(rng.integers(config.max_time_mask_frames + 1))
        start = int(rng.integers(max(frames - width, 0) + 1))
        out[start : start + width] = 0.0
    return out
