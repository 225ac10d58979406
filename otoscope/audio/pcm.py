"""Samples that come without a file around them, piece by piece -> mono at a model's rate."""

from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from otoscope.audio.parts import Samples
from otoscope.audio.stream import Resampler
from otoscope.errors import AudioRateError

PcmEncoding: TypeAlias = Literal["s16le", "f32le", "mulaw", "alaw"]
"""16-bit integers or 32-bit floats, little-endian; ITU-T G.711 (1988), 8 bits a sample."""

PCM_ENCODINGS: tuple[PcmEncoding, ...] = get_args(PcmEncoding)

LEAST_RATE_HZ, MOST_RATE_HZ = 1000, 192_000

_BYTES: dict[PcmEncoding, int] = {"s16le": 2, "f32le": 4, "mulaw": 1, "alaw": 1}
_FULL_SCALE = np.float32(2**15)


class PcmStream:
    """One stream of mono samples, in pieces of any number of bytes."""

    def __init__(self, encoding: PcmEncoding, from_hz: int, to_hz: int) -> None:
        """Begin.

        Raises:
            AudioRateError: if `from_hz` is no rate of recordings.
        """
        if not LEAST_RATE_HZ <= from_hz <= MOST_RATE_HZ:
            raise AudioRateError(
                f"expected a sample rate of {LEAST_RATE_HZ} to {MOST_RATE_HZ} Hz, got {from_hz} Hz"
            )
        self._encoding = encoding
        self._resampler = Resampler(from_hz, to_hz)
        self._rest = b""

    @property
    def sample_bytes(self) -> int:
        """Of one sample."""
        return _BYTES[self._encoding]

    def feed(self, data: bytes) -> Samples:
        """What more bytes give, (samples,) float32 clipped to [-1, 1]; NaN stays NaN."""
        data = self._rest + data
        whole = len(data) // _BYTES[self._encoding] * _BYTES[self._encoding]
        self._rest = data[whole:]
        return self._resampler.feed(_samples(data[:whole], self._encoding))

    def flush(self) -> Samples:
        """What the resampler still holds; the stream has ended then."""
        return self._resampler.flush()


def _samples(data: bytes, encoding: PcmEncoding) -> Samples:
    samples: Samples
    match encoding:
        case "s16le":
            samples = _scaled(np.frombuffer(data, dtype="<i2"))
        case "f32le":
            samples = np.frombuffer(data, dtype="<f4").astype(np.float32)
        case "mulaw":
            samples = _MULAW.take(np.frombuffer(data, dtype=np.uint8))
        case "alaw":
            samples = _ALAW.take(np.frombuffer(data, dtype=np.uint8))
    return samples


def _scaled(integers: npt.NDArray[np.integer]) -> Samples:
    samples: Samples = integers.astype(np.float32) / _FULL_SCALE
    return samples


def _mulaw() -> npt.NDArray[np.float32]:
    """The 256 values of G.711's mu-law."""
    codes = ~np.arange(256, dtype=np.uint8)
    exponents, mantissas = (codes >> 4 & 7).astype(int), (codes & 15).astype(int)
    magnitudes = ((2 * mantissas + 33) << (exponents + 2)) - 132
    return _scaled(np.where(codes & 128, -magnitudes, magnitudes))


def _alaw() -> npt.NDArray[np.float32]:
    """The 256 values of G.711's A-law."""
    codes = np.arange(256, dtype=np.uint8) ^ 0x55
    exponents, mantissas = (codes >> 4 & 7).astype(int), (codes & 15).astype(int)
    linear = (2 * mantissas + 1) << 3
    segments = (2 * mantissas + 33) << (np.maximum(exponents, 1) + 2)
    magnitudes = np.where(exponents == 0, linear, segments)
    return _scaled(np.where(codes & 128, magnitudes, -magnitudes))


_MULAW, _ALAW = _mulaw(), _alaw()
