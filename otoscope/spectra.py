"""Short-time power spectra of a waveform, block by block, and the cosine transform."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from otoscope.arrays import Floats

_CHUNK_FRAMES = 256


def power_spectra(
    samples: npt.NDArray[np.float32],
    frames: int,
    window: Floats,
    *,
    hop: int,
    n_fft: int,
    preemphasis: float,
    reflect: bool,
) -> Iterator[tuple[int, npt.NDArray[np.float32]]]:
    """Blocks of |FFT|^2, (frames, n_fft // 2 + 1) float32, each with its first frame's number.

    All blocks lie in the same memory, one after the other: to ask the system for new memory would
    take longer than the FFT itself.

    Args:
        samples: (samples,) float32.
        frames: how many there are in all; frame t is centred on sample t * hop.
        window: (up to n_fft,) float64, in the FFT's middle.
        hop: samples between frames.
        n_fft: samples of the FFT.
        preemphasis: factor of the sample before, that is taken away.
        reflect: whether the first samples stand mirrored before the start, instead of zeros.
    """
    size, bins = window.size, n_fft // 2 + 1
    first = (n_fft - size) // 2
    begin = first - n_fft // 2
    if reflect:
        samples = np.concatenate([samples[n_fft // 2 : 0 : -1], samples])
        begin = first
    signal = np.empty((_CHUNK_FRAMES - 1) * hop + size)
    windowed = np.zeros((_CHUNK_FRAMES, n_fft))
    spectrum = np.empty((_CHUNK_FRAMES, bins), dtype=np.complex128)
    power = np.empty((_CHUNK_FRAMES, bins), dtype=np.float32)
    views = np.lib.stride_tricks.sliding_window_view(signal, size)[::hop]
    for start in range(0, frames, _CHUNK_FRAMES):
        count = min(_CHUNK_FRAMES, frames - start)
        _emphasize(samples, start * hop + begin, preemphasis, signal)
        # numpy.multiply takes half as long again for the same.
        np.einsum("tn,n->tn", views[:count], window, out=windowed[:count, first : first + size])
        np.fft.rfft(windowed[:count], axis=1, out=spectrum[:count])
        parts = spectrum.view(np.float64).reshape(_CHUNK_FRAMES, bins, 2)[:count]
        np.multiply(parts, parts, out=parts)
        np.add(parts[:, :, 0], parts[:, :, 1], out=power[:count], casting="same_kind")
        yield start, power[:count]


def _emphasize(samples: npt.NDArray[np.float32], first: int, factor: float, out: Floats) -> None:
    """Fill `out` with x(t) - factor x(t - 1) from t = `first` on; beyond the ends of x with 0."""
    begin, end = max(first, 0), min(first + out.size, samples.size)
    out[: begin - first] = 0.0
    out[max(end - first, 0) :] = 0.0
    inside = out[begin - first : max(end - first, 0)]
    inside[:1] = 0.0  # nothing is before the first sample
    after = max(begin, 1)
    before = samples[after - 1 : end - 1]
    np.multiply(before, -factor, out=inside[after - begin :], dtype=np.float64)
    inside += samples[begin:end]


@lru_cache(maxsize=8)
def cosines(size: int, count: int) -> Floats:
    """The first `count` columns of the orthonormal DCT-II of `size` numbers, (size, count) float64.

    Ahmed, Natarajan, Rao: Discrete cosine transform. IEEE Trans. Computers C-23, 1974.
    """
    points, orders = np.arange(size)[:, None] + 0.5, np.arange(count)
    dct: Floats = np.sqrt(2.0 / size) * np.cos(np.pi / size * points * orders)
    dct[:, 0] /= np.sqrt(2.0)
    dct.flags.writeable = False
    return dct
