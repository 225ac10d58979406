"""What is done to features while training: noise in the power domain, masks on the finished X."""

import numpy as np

from otoscope.features import Features
from training.config import AugmentConfig


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
    """A random stretch of `frames` frames, or all of a shorter recording."""
    room = noise.shape[0] - frames
    start = int(rng.integers(room + 1)) if room > 0 else 0
    return noise[start : start + frames]


def mask(features: Features, config: AugmentConfig, rng: np.random.Generator) -> Features:
    """SpecAugment without warping (Park et al. 2019): bands and stretches set to 0, the mean.

    The number of time masks grows with the length (Park et al. 2020), so short clips keep theirs.
    """
    out = features.copy()
    frames, bins = out.shape
    for _ in range(config.frequency_masks):
        width = int(rng.integers(config.max_frequency_mask_bins + 1))
        start = int(rng.integers(max(bins - width, 0) + 1))
        out[:, start : start + width] = 0.0
    for _ in range(int(rng.poisson(config.time_masks_per_s * frames / 100))):
        width = int(rng.integers(config.max_time_mask_frames + 1))
        start = int(rng.integers(max(frames - width, 0) + 1))
        out[start : start + width] = 0.0
    return out
