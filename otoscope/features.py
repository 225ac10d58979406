"""Waveform -> features, one vector every 10 ms: log-mel, MFCC or Whisper's log-mel.

The default is the mel front end that NVIDIA NeMo's models use (AudioToMelSpectrogramPreprocessor),
so that runtimes which feed those can feed ours: pre-emphasis 0.97, a symmetric 25 ms Hann window
centred in 512 FFT points, zero padding at the ends, power, Slaney's mel filters,
log(power + 2^-24), each bin normalised over the utterance. T = samples // hop, and row t is centred
on sample t * hop.

librosa makes the filterbank and is the reference in the tests; frames are computed with numpy's
FFT, which is faster and needs no just-in-time compiler on the request path. Pre-emphasis and FFT
run in float64: in float32 the rounding of the loudest bin drowns the quietest ones and moves their
logarithms by up to 2e-4, in librosa as well. Blocks of frames that fit the processor's cache make
that cheaper than float32 in large blocks.

Whisper's log-mel (Radford et al. 2023) is what its pretrained encoders read: a periodic window as
long as the FFT, the start of the recording reflected and zeros after its end, log10 of the power,
at most 8 decades below the loudest, (x + 4) / 4. Equal to `openai-whisper` on padded audio, except
that recordings with no value of at least 1 are raised to it, by 40 dB at most: such quiet speech is
rare in what encoders have learned from.
"""

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from otoscope.arrays import Floats
from otoscope.clock import FrameClock
from otoscope.errors import AudioTooShortError, SpecError
from otoscope.spectra import cosines, power_spectra
from otoscope.strict_json import Strict

Features = npt.NDArray[np.float32]  # (frames T, bins) float32
Filterbank = npt.NDArray[np.float32]  # (n_mels, n_fft // 2 + 1) float32

_BAND_MELS = 16
"""Filters that are multiplied together: fewer take more calls, more take more zeros."""
_STD_FLOOR = 1e-5
_WHISPER = {"kind": "whisper", "n_fft": 400, "preemphasis": 0.0, "log_guard": 1e-10}
"""Where Whisper's front end is not as the defaults have it."""
_WHISPER_RANGE = 8.0
"""Decades of power below the loudest that are told apart."""
_WHISPER_MOST_RAISED = 4.0
"""Decades by which a recording is raised at most whose loudest value is below a power of 1."""


@dataclass(frozen=True)
class FeatureSpec(Strict):
    """Everything that defines the features. Facts of a model: they travel with its weights.

    Attributes:
        kind: "log_mel" (natural log of mel power), "mfcc" (its orthonormal DCT-II), or "whisper",
            which goes with n_fft 400, preemphasis 0 and log_guard 1e-10, the defaults for the rest
            but n_mels, and has a normalisation of its own.
        sample_rate_hz: recordings are resampled to it.
        window_ms, hop_ms: length of a window, and from one to the next.
        n_fft: points of the Fourier transform, from the window's samples on.
        n_mels: mel filters.
        n_mfcc: coefficients, for "mfcc" alone.
        low_hz, high_hz: where the filters begin and end.
        preemphasis: share of the sample before that is taken off each.
        log_guard: added to the powers, so that silence has a logarithm.
        normalisation: "utterance" makes each bin zero-mean and unit-variance over the utterance;
            "corpus" uses `corpus_mean` and `corpus_std`, one value a bin, as streaming needs.
        corpus_mean, corpus_std: one value a bin, for "corpus" alone.
    """

    kind: Literal["log_mel", "mfcc", "whisper"] = "log_mel"
    sample_rate_hz: int = 16000
    window_ms: float = 25.0
    hop_ms: float = 10.0
    n_fft: int = 512
    n_mels: int = 80
    n_mfcc: int = 40
    low_hz: float = 0.0
    high_hz: float = 8000.0
    preemphasis: float = 0.97
    log_guard: float = 2.0**-24
    normalisation: Literal["utterance", "corpus"] = "utterance"
    corpus_mean: tuple[float, ...] = ()
    corpus_std: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        self._check_kind()
        if self.normalisation not in ("utterance", "corpus"):
            raise SpecError(
                f"features.normalisation: expected utterance or corpus, got {self.normalisation!r}"
            )
        if not 0 < self.window_samples <= self.n_fft:
            raise SpecError(
                f"features: expected a window of 1 to n_fft={self.n_fft} samples, "
                f"got {self.window_samples}"
            )
        if self.hop_samples < 1:
            raise SpecError(f"features.hop_ms: expected at least one sample, got {self.hop_ms}")
        if not 0 <= self.low_hz < self.high_hz <= self.sample_rate_hz / 2:
            raise SpecError(
                f"features: expected 0 <= low_hz < high_hz <= {self.sample_rate_hz / 2:g}, "
                f"got {self.low_hz} and {self.high_hz}"
            )
        if self.kind == "mfcc" and not 0 < self.n_mfcc <= self.n_mels:
            raise SpecError(f"features.n_mfcc: expected 1 to {self.n_mels}, got {self.n_mfcc}")
        if self.normalisation == "corpus":
            got = (len(self.corpus_mean), len(self.corpus_std))
            if got != (self.bins, self.bins):
                raise SpecError(
                    f"features: corpus normalisation needs {self.bins} means and deviations, "
                    f"got {got[0]} and {got[1]}"
                )

    def _check_kind(self) -> None:
        if self.kind not in ("log_mel", "mfcc", "whisper"):
            raise SpecError(f"features.kind: expected log_mel, mfcc or whisper, got {self.kind!r}")
        if self.kind == "whisper":
            for one in fields(self):
                want, got = _WHISPER.get(one.name, one.default), getattr(self, one.name)
                if got != want and one.name not in ("n_mels", "n_mfcc"):
                    raise SpecError(f"features.{one.name}: expected {want} for whisper, got {got}")

    @property
    def bins(self) -> int:
        """Width of a feature vector."""
        return self.n_mels if self.has_mel_bins else self.n_mfcc

    @property
    def has_mel_bins(self) -> bool:
        """Whether a vector's values are those of mel filters, not of their cosines."""
        return self.kind != "mfcc"

    @property
    def window_samples(self) -> int:
        """Length of the analysis window in samples."""
        return round(self.sample_rate_hz * self.window_ms / 1000)

    @property
    def hop_samples(self) -> int:
        """Distance of neighbouring frames in samples."""
        return round(self.sample_rate_hz * self.hop_ms / 1000)

    @property
    def hop_s(self) -> float:
        """Distance of neighbouring frames in seconds."""
        return self.hop_samples / self.sample_rate_hz

    @property
    def max_s(self) -> float:
        """Longest recording that a model of them can read as a whole."""
        return 30.0 if self.kind == "whisper" else float("inf")

    def frames(self, samples: int) -> int:
        """T, the number of feature vectors for so many samples."""
        return samples // self.hop_samples


@dataclass(frozen=True)
class FeatureMatrix:
    """Features of one recording, with their meaning.

    Attributes:
        values: (frames T, bins) float32; row t is centred on t * spec.hop_s seconds.
        spec: how it was computed.
    """

    values: Features
    spec: FeatureSpec

    @property
    def clock(self) -> FrameClock:
        """When its rows were; the recording may last up to a hop longer."""
        return FrameClock(self.spec.hop_s, self.values.shape[0] * self.spec.hop_s)


@lru_cache(maxsize=8)
def mel_filterbank(spec: FeatureSpec) -> Filterbank:
    """Slaney's area-normalised triangular mel filters, (n_mels, n_fft // 2 + 1) float32.

    Made by librosa (imported here, since it takes seconds). An exported model carries the result,
    so that recognition needs no librosa.

    Raises:
        ModuleNotFoundError: if librosa, the extra `mel`, is not installed.
    """
    try:
        import librosa.filters  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "mel filters are made by librosa: pip install 'otoscope[mel]'"
        ) from error

    filters: Filterbank = librosa.filters.mel(
        sr=spec.sample_rate_hz,
        n_fft=spec.n_fft,
        n_mels=spec.n_mels,
        fmin=spec.low_hz,
        fmax=spec.high_hz,
        dtype=np.float32,
    )
    filters.flags.writeable = False
    return filters


def log_mel(
    samples: npt.NDArray[np.float32], spec: FeatureSpec, filterbank: Filterbank | None = None
) -> Features:
    """Log of mel power, not normalised.

    Args:
        samples: (samples,) float32 in [-1, 1] at `spec.sample_rate_hz`, one window long at least.
        spec: the definition; `kind` and `normalisation` play no part here.
        filterbank: (n_mels, n_fft // 2 + 1) float32; librosa's by default.

    Returns:
        (samples // hop, n_mels) float32, natural log.

    Raises:
        AudioTooShortError: if there are fewer samples than one window or hop.
    """
    needed = max(spec.window_samples, spec.hop_samples)
    if samples.ndim != 1 or samples.shape[0] < needed:
        raise AudioTooShortError(
            f"expected (samples,) with at least {needed} samples, got {samples.shape}"
        )
    bands = _bands(mel_filterbank(spec) if filterbank is None else filterbank)
    out = np.empty((spec.frames(samples.shape[0]), spec.n_mels), dtype=np.float32)
    for start, power in power_spectra(
        samples,
        out.shape[0],
        _window(spec),
        hop=spec.hop_samples,
        n_fft=spec.n_fft,
        preemphasis=spec.preemphasis,
        reflect=spec.kind == "whisper",
    ):
        rows = out[start : start + power.shape[0]]
        for mels, bins, weights in bands:
            np.matmul(power[:, bins], weights, out=rows[:, mels])
    if spec.kind == "whisper":
        np.maximum(out, np.float32(spec.log_guard), out=out)
    else:
        out += np.float32(spec.log_guard)
    np.log(out, out=out)
    return out


def _window(spec: FeatureSpec) -> Floats:
    """The Hann window (window_samples,) float64: symmetric, or periodic as Whisper's."""
    size = spec.window_samples
    return np.hanning(size + 1)[:-1] if spec.kind == "whisper" else np.hanning(size)


def _bands(filters: Filterbank) -> list[tuple[slice, slice, Filterbank]]:
    """All filters in bands of neighbours, for a fifth of the multiplications.

    Returns:
        Of each band, which filters they are, the FFT's bins outside of which they are 0, and their
        weights, (bins, filters) float32.
    """
    bands = []
    for first in range(0, filters.shape[0], _BAND_MELS):
        mels = slice(first, first + _BAND_MELS)
        inside = np.flatnonzero(filters[mels].any(axis=0))
        bins = slice(inside[0], inside[-1] + 1) if inside.size else slice(0, 0)
        bands.append((mels, bins, np.ascontiguousarray(filters[mels, bins].T)))
    return bands


def normalize(log_mels: Features, spec: FeatureSpec) -> Features:
    """Log-mel (frames, n_mels) float32 -> features (frames, bins): DCT if MFCC, normalisation."""
    features = log_mels
    if spec.kind == "whisper":
        decades = log_mels / np.float32(np.log(10.0))
        decades += np.clip(-decades.max(), 0.0, np.float32(_WHISPER_MOST_RAISED))
        np.maximum(decades, decades.max() - np.float32(_WHISPER_RANGE), out=decades)
        scaled: Features = (decades + np.float32(4.0)) / np.float32(4.0)
        return scaled
    if spec.kind == "mfcc":
        dct = cosines(spec.n_mels, spec.n_mfcc)
        features = (log_mels.astype(np.float64) @ dct).astype(np.float32)
    if spec.normalisation == "corpus":
        mean = np.array(spec.corpus_mean, dtype=np.float32)
        std = np.array(spec.corpus_std, dtype=np.float32)
        return (features - mean) / (std + np.float32(_STD_FLOOR))
    mean = features.mean(axis=0, dtype=np.float64).astype(np.float32)
    # NeMo divides by T - 1 (the unbiased estimate); one frame alone has no deviation.
    freedom = max(features.shape[0] - 1, 1)
    centered = features - mean
    variance = np.einsum("tb,tb->b", centered, centered, dtype=np.float64) / freedom
    std = np.sqrt(variance).astype(np.float32)
    normalized: Features = centered / (std + np.float32(_STD_FLOOR))
    return normalized


def extract(
    samples: npt.NDArray[np.float32], spec: FeatureSpec, filterbank: Filterbank | None = None
) -> Features:
    """Waveform (samples,) float32 -> features (frames, bins) float32, all that `spec` says."""
    return normalize(log_mel(samples, spec, filterbank), spec)
