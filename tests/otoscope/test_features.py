"""otoscope.features against librosa and against NeMo's definition."""

from dataclasses import replace

import librosa
import numpy as np
import pytest
import scipy.fft
from audio_files import encode
from signals import RATE_HZ, babble, noise, tone

from otoscope.audio import load
from otoscope.errors import AudioTooShortError, SpecError
from otoscope.features import FeatureSpec, extract, log_mel, mel_filterbank, normalize

SPEC = FeatureSpec()
WHISPER = {"kind": "whisper", "n_fft": 400, "preemphasis": 0.0, "log_guard": 1e-10}
SIGNALS = {
    "babble": babble(3.0),
    "babble through mp3": load(encode(babble(3.0, seed=1), RATE_HZ, "mp3"), RATE_HZ).samples,
    "noise": noise(3.0),
    "quiet noise": noise(1.0, amplitude=1e-4),
    "loud noise": np.clip(noise(1.0, amplitude=1.0), -1, 1),
    "tone": tone(440, 3.0),
    "high tone": tone(7900, 1.0),
    "silence": np.zeros(RATE_HZ, dtype=np.float32),
    "click": np.eye(1, RATE_HZ, 5000, dtype=np.float32)[0],
    "one window": noise(0.025),
    "no multiple of the hop": noise(1.00731),
}


def librosa_log_mel(samples, spec, dtype=np.float64):
    """The same features from librosa's own parts."""
    emphasised = librosa.effects.preemphasis(samples.astype(dtype), coef=spec.preemphasis, zi=[0])
    window = np.hanning(spec.window_samples).astype(dtype)
    spectrogram = librosa.stft(
        emphasised,
        n_fft=spec.n_fft,
        hop_length=spec.hop_samples,
        window=librosa.util.pad_center(window, size=spec.n_fft),
        pad_mode="constant",
    )
    mel = librosa.feature.melspectrogram(
        S=np.abs(spectrogram) ** 2,
        sr=spec.sample_rate_hz,
        n_mels=spec.n_mels,
        fmin=spec.low_hz,
        fmax=spec.high_hz,
    )
    return np.log(mel + spec.log_guard).T[: samples.size // spec.hop_samples]


@pytest.mark.filterwarnings("ignore:n_fft=512 is too large:UserWarning")
@pytest.mark.parametrize("name", SIGNALS)
def test_log_mel_equals_librosa(name):
    ours = log_mel(SIGNALS[name], SPEC)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, librosa_log_mel(SIGNALS[name], SPEC), rtol=0, atol=1e-5)


@pytest.mark.filterwarnings("ignore:n_fft=512 is too large:UserWarning")
@pytest.mark.parametrize("name", SIGNALS)
def test_mfcc_equals_librosa(name):
    spec = replace(
        SPEC,
        kind="mfcc",
        normalisation="corpus",
        corpus_mean=(0.0,) * 40,
        corpus_std=(1.0 - 1e-5,) * 40,
    )
    reference = librosa.feature.mfcc(S=librosa_log_mel(SIGNALS[name], SPEC).T, n_mfcc=40).T
    np.testing.assert_allclose(extract(SIGNALS[name], spec), reference, rtol=0, atol=1e-4)


def test_other_definitions_equal_librosa():
    spec = FeatureSpec(
        sample_rate_hz=8000,
        window_ms=20,
        hop_ms=12.5,
        n_fft=256,
        n_mels=40,
        low_hz=60,
        high_hz=3800,
        preemphasis=0.0,
        log_guard=1e-6,
    )
    samples = noise(2.0)
    assert spec.frames(samples.size) == samples.size // 100
    np.testing.assert_allclose(
        log_mel(samples, spec), librosa_log_mel(samples, spec), rtol=0, atol=1e-5
    )


def test_single_precision_is_the_less_exact_side():
    """Against librosa in float64 we stay at float32's last digit; librosa in float32 does not."""
    samples = SIGNALS["babble through mp3"]
    exact = librosa_log_mel(samples, SPEC)
    ours = np.abs(log_mel(samples, SPEC) - exact).max()
    theirs = np.abs(librosa_log_mel(samples, SPEC, np.float32) - exact).max()
    assert ours < 3e-6
    assert ours < theirs


@pytest.mark.parametrize("samples", [400, 401, 479, 480, 481, 1600, 16000, 16159])
def test_one_frame_a_hop(samples):
    assert log_mel(noise(1.1)[:samples], SPEC).shape == (samples // 160, 80)
    assert SPEC.frames(samples) == samples // 160


def test_a_frame_by_its_definition():
    """Row t: 400 samples around sample 160 t, symmetric Hann, in the middle of 512 points."""
    samples = babble(1.0).astype(np.float64)
    emphasised = samples.copy()
    emphasised[1:] -= 0.97 * samples[:-1]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 399)
    assert hann[0] == hann[-1] == pytest.approx(0, abs=1e-12)
    for t in (0, 1, 50, 99):
        points = np.zeros(512)
        for index in range(400):
            at = 160 * t - 200 + index
            if 0 <= at < samples.size:  # zeros beyond the ends, no reflection
                points[56 + index] = hann[index] * emphasised[at]
        power = np.abs(np.fft.rfft(points)) ** 2
        expected = np.log(mel_filterbank(SPEC).astype(np.float64) @ power + 2.0**-24)
        row = log_mel(samples.astype(np.float32), SPEC)[t]
        np.testing.assert_allclose(row, expected, rtol=0, atol=1e-5)


def test_row_t_is_centred_on_sample_t_hops():
    click = np.zeros(RATE_HZ, dtype=np.float32)
    click[160 * 37] = 1.0
    assert log_mel(click, SPEC).sum(axis=1).argmax() == 37


def test_silence_is_the_guards_logarithm():
    silence = log_mel(np.zeros(800, dtype=np.float32), SPEC)
    np.testing.assert_allclose(silence, -24 * np.log(2), rtol=1e-6)


def test_frames_do_not_depend_on_the_block_they_are_computed_in():
    long = noise(12.0)
    whole = log_mel(long, SPEC)
    later = log_mel(long[160 * 600 :], SPEC)
    np.testing.assert_allclose(whole[610:1190], later[10:590], rtol=0, atol=2e-6)


def test_each_bin_of_an_utterance_has_zero_mean_and_unit_deviation():
    features = extract(babble(3.0), SPEC)
    np.testing.assert_allclose(features.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(features.std(axis=0, ddof=1), 1, atol=1e-4)


def test_the_deviation_is_the_unbiased_one_plus_a_floor():
    log_mels = noise(1.0)[:160].reshape(2, 80)
    expected = (log_mels - log_mels.mean(axis=0)) / (log_mels.std(axis=0, ddof=1) + 1e-5)
    np.testing.assert_allclose(normalize(log_mels, SPEC), expected, atol=1e-4)


@pytest.mark.parametrize("name", ["silence", "one window"])
def test_normalisation_without_deviation_stays_finite(name):
    features = extract(SIGNALS[name], SPEC)
    assert np.isfinite(features).all()


def test_a_single_frame_becomes_zero():
    np.testing.assert_array_equal(normalize(np.full((1, 80), -3.0, dtype=np.float32), SPEC), 0)


def test_corpus_normalisation_by_hand():
    mean = tuple(float(value) for value in range(80))
    std = tuple(0.5 + value / 80 for value in range(80))
    spec = replace(SPEC, normalisation="corpus", corpus_mean=mean, corpus_std=std)
    log_mels = log_mel(babble(1.0), SPEC)
    expected = (log_mels.astype(np.float64) - mean) / (np.array(std) + 1e-5)
    np.testing.assert_allclose(normalize(log_mels, spec), expected, rtol=1e-5)


def test_corpus_normalisation_does_not_look_at_the_utterance():
    spec = replace(SPEC, normalisation="corpus", corpus_mean=(-5.0,) * 80, corpus_std=(2.0,) * 80)
    log_mels = log_mel(babble(2.0), SPEC)
    np.testing.assert_array_equal(normalize(log_mels, spec)[:50], normalize(log_mels[:50], spec))


def test_mfcc_is_the_orthonormal_cosine_transform_then_normalised():
    spec = replace(SPEC, kind="mfcc", n_mfcc=13)
    log_mels = log_mel(babble(1.0), SPEC)
    cepstra = scipy.fft.dct(log_mels.astype(np.float64), norm="ortho", axis=1)[:, :13]
    expected = (cepstra - cepstra.mean(axis=0)) / cepstra.std(axis=0, ddof=1)
    np.testing.assert_allclose(extract(babble(1.0), spec), expected, atol=1e-3)
    assert spec.bins == 13


def test_a_filterbank_that_is_handed_in_is_used():
    half = mel_filterbank(SPEC) / 2
    samples = noise(0.5)
    difference = log_mel(samples, SPEC) - log_mel(samples, SPEC, half)
    np.testing.assert_allclose(difference, np.log(2), atol=0.05)


def test_the_input_is_left_alone():
    samples = noise(0.5)
    before = samples.copy()
    extract(samples, SPEC)
    np.testing.assert_array_equal(samples, before)


def test_whisper_raises_quiet_recordings():
    spec = FeatureSpec(**WHISPER)
    speech = babble(2.0)
    loud = extract(speech * (0.9 / np.abs(speech).max()), spec)
    quiet = extract(speech * (0.01 / np.abs(speech).max()), spec)
    hardly = extract(speech * (0.0001 / np.abs(speech).max()), spec)
    assert loud.max() > 1.0
    assert quiet.max() == pytest.approx(1.0)  # a power of 1
    assert np.ptp((loud - quiet)[loud > loud.max() - 1]) < 1e-4
    assert hardly.max() == pytest.approx(
        loud.max() + np.log10(0.0001 / 0.9) / 2 + 1
    )  # 40 dB, no more
    assert np.isfinite(extract(np.zeros(16000, dtype=np.float32), spec)).all()


@pytest.mark.parametrize("shape", [(0,), (399,), (1, 16000), (16000, 1)])
def test_too_short_or_not_mono(shape):
    with pytest.raises(AudioTooShortError, match="at least 400 samples, got"):
        log_mel(np.zeros(shape, dtype=np.float32), SPEC)


def test_shorter_than_a_hop_that_is_longer_than_the_window():
    with pytest.raises(AudioTooShortError, match="at least 800 samples"):
        log_mel(noise(0.04), replace(SPEC, hop_ms=50))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "whisper"}, "features.n_fft: expected 400 for whisper, got 512"),
        (WHISPER | {"hop_ms": 20.0}, "features.hop_ms: expected 10.0 for whisper, got 20.0"),
        (WHISPER | {"normalisation": "corpus"}, "normalisation: expected utterance for whisper"),
        ({"kind": "chroma"}, "expected log_mel, mfcc or whisper, got 'chroma'"),
        ({"normalisation": "none"}, "expected utterance or corpus, got 'none'"),
        ({"window_ms": 40.0}, "1 to n_fft=512 samples, got 640"),
        ({"window_ms": 0.0}, "got 0"),
        ({"hop_ms": 0.0}, "at least one sample"),
        ({"hop_ms": -10.0}, "at least one sample"),
        ({"high_hz": 9000.0}, "<= 8000"),
        ({"low_hz": 8000.0}, "low_hz < high_hz"),
        ({"low_hz": -1.0}, "0 <= low_hz"),
        ({"kind": "mfcc", "n_mfcc": 81}, "expected 1 to 80, got 81"),
        ({"kind": "mfcc", "n_mfcc": 0}, "expected 1 to 80, got 0"),
        ({"normalisation": "corpus"}, "needs 80 means and deviations, got 0 and 0"),
        (
            {
                "kind": "mfcc",
                "normalisation": "corpus",
                "corpus_mean": (0.0,) * 80,
                "corpus_std": (1.0,) * 80,
            },
            "needs 40 means",
        ),
    ],
)
def test_definitions_that_cannot_be(changes, message):
    with pytest.raises(SpecError, match=message):
        replace(SPEC, **changes)
