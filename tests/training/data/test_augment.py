import numpy as np
import pytest
from scipy.signal import resample_poly

from otoscope import FeatureSpec, features
from training.config import AugmentConfig
from training.data.augment import (
    limit_band,
    mask,
    mix_noise,
    random_excerpt,
    reverberate,
    warp,
)

SPEC = FeatureSpec()


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 20.0])
def test_noise_is_mixed_at_the_ratio_asked_for(snr_db: float) -> None:
    rng = np.random.default_rng(0)
    speech = rng.normal(-3, 2, (200, 80)).astype(np.float32)
    noise = rng.normal(1, 1, (50, 80)).astype(np.float32)
    added = np.exp(mix_noise(speech, noise, snr_db)) - np.exp(speech)
    assert 10 * np.log10(np.exp(speech).mean() / added.mean()) == pytest.approx(snr_db, abs=0.05)


def test_mixing_adds_powers_as_adding_waveforms_does() -> None:
    rng = np.random.default_rng(1)
    speech, noise = 0.1 * rng.standard_normal((2, 160000)).astype(np.float32)
    spec = FeatureSpec()
    mixed = mix_noise(features.log_mel(speech, spec), features.log_mel(noise, spec), 6.0)
    waveform = speech + noise * np.sqrt(np.mean(speech**2) / np.mean(noise**2) / 10**0.6)
    real = features.log_mel(waveform.astype(np.float32), spec)
    in_the_mean = [np.log(np.exp(one).mean(axis=0)) for one in (mixed, real)]
    assert np.abs(in_the_mean[0] - in_the_mean[1]).max() < 0.1  # the noise alone adds 0.22


def test_an_excerpt_has_the_length_or_all_there_is() -> None:
    rng = np.random.default_rng(0)
    noise = np.arange(40, dtype=np.float32).reshape(20, 2)
    assert random_excerpt(noise, 5, rng).shape == (5, 2)
    assert random_excerpt(noise, 50, rng).shape == (20, 2)


def test_a_limited_band_is_that_of_a_resampled_recording() -> None:
    noise = np.random.default_rng(0).standard_normal(32000).astype(np.float32)
    narrow = resample_poly(resample_poly(noise, 1, 2), 2, 1)
    whole, real = (features.log_mel(one, SPEC) for one in (noise, narrow))
    limited = limit_band(whole, SPEC, 4000.0)
    lost = real.mean(axis=0) < whole.mean(axis=0) - 3
    assert 15 < lost.sum() < 30
    assert (np.abs((limited == whole.min()).mean(axis=0).round() - lost)).sum() <= 2
    np.testing.assert_array_equal(limited[:, ~lost][:, :-2], whole[:, ~lost][:, :-2])


def test_masks_stay_within_their_bounds() -> None:
    config = AugmentConfig(
        frequency_masks=1, max_frequency_mask_bins=7, time_masks_per_s=0.0, max_time_mask_frames=9
    )
    rng = np.random.default_rng(0)
    x = np.ones((300, 80), dtype=np.float32)
    widths = {int((mask(x, SPEC.hop_s, config, rng)[0] == 0).sum()) for _ in range(200)}
    assert widths == set(range(8))
    assert (x == 1).all()  # the original is left alone


def test_time_masks_grow_with_the_length() -> None:
    config = AugmentConfig(frequency_masks=0, time_masks_per_s=1.0, max_time_mask_frames=10)
    rng = np.random.default_rng(0)

    def share(frames: int, spec: FeatureSpec = SPEC) -> float:
        x = np.ones((frames, 4), dtype=np.float32)
        return float(
            np.mean([(mask(x, spec.hop_s, config, rng)[:, 0] == 0).mean() for _ in range(400)])
        )

    assert share(200) == pytest.approx(share(1000), abs=0.01)
    assert 0.03 < share(1000) < 0.06  # one mask of 5 frames on average in 100
    assert 0.07 < share(1000, FeatureSpec(hop_ms=20.0)) < 0.11  # twice the seconds, twice the masks


def test_short_utterances_survive_wide_masks() -> None:
    x = np.ones((3, 4), dtype=np.float32)
    out = mask(x, SPEC.hop_s, AugmentConfig(max_frequency_mask_bins=15), np.random.default_rng(0))
    assert out.shape == x.shape


@pytest.mark.parametrize("frequency_hz", [300.0, 700.0, 1500.0, 3000.0])
@pytest.mark.parametrize("factor", [1 / 1.1, 1.1])
def test_a_warp_moves_formants_as_another_vocal_tract_does(
    frequency_hz: float, factor: float
) -> None:
    spec = FeatureSpec()
    times_s = np.arange(8000) / spec.sample_rate_hz

    def loudest(hz: float, warped_by: float = 1.0) -> int:
        tone = (0.1 * np.sin(2 * np.pi * hz * times_s)).astype(np.float32)
        return int(warp(features.log_mel(tone, spec), spec, warped_by).mean(axis=0).argmax())

    assert loudest(frequency_hz, factor) == pytest.approx(loudest(frequency_hz / factor), abs=1)
    assert loudest(frequency_hz, factor) != loudest(frequency_hz)


def test_a_warp_by_one_changes_nothing() -> None:
    x = np.random.default_rng(0).normal(size=(20, 80)).astype(np.float32)
    warped = warp(x, FeatureSpec(), 1.0)
    assert warped.dtype == np.float32
    assert warped == pytest.approx(x, abs=1e-5)


def test_a_room_adds_the_power_asked_for() -> None:
    rng = np.random.default_rng(2)
    speech = rng.normal(-3, 2, (3000, 80)).astype(np.float32)
    heard = reverberate(speech, FeatureSpec(), reverberation_s=0.4, direct_db=3.0)
    late = np.exp(heard) - np.exp(speech)
    assert 10 * np.log10(np.exp(speech).sum() / late.sum()) == pytest.approx(3.0, abs=0.1)


def test_a_clap_in_a_room_falls_by_60_db_in_the_time_asked_for() -> None:
    clap = np.full((200, 80), -60.0, dtype=np.float32)
    clap[10] = 0.0
    heard = reverberate(clap, FeatureSpec(), reverberation_s=0.5, direct_db=0.0)
    assert heard[:10].max() < -59  # silence stays silence
    fall_db = 10 / np.log(10) * (heard[11] - heard[61])
    assert fall_db == pytest.approx(60.0, abs=0.01)
