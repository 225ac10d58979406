"""Audio at a model's rate: a whole file as a waveform, or a long one block by block.

`otoscope.audio.decode` decodes and mixes to mono; here is the only resampler. A stream and a
waveform of the same file hold the same samples, bit for bit.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import soxr

from otoscope.audio.decode import AudioDecoder, open_source
from otoscope.audio.decode_processes import DecodeProcesses
from otoscope.audio.mixing import unheard
from otoscope.audio.parts import THE_USUAL, Block, Choice, Samples, Source
from otoscope.errors import AudioTooShortError, EmptyAudioError, NonFiniteAudioError
from otoscope.processes import Check, no_check

_NOTHING: Samples = np.zeros(0, dtype=np.float32)

DEFAULT_MAX_DURATION_S = 1200.0
"""Longest audio decoded unless the caller says otherwise: 20 minutes are 77 MB as a waveform."""


@dataclass(frozen=True)
class Waveform:
    """Mono audio and what there was to say about reading it."""

    samples: Samples  # (samples,) float32 in [-1, 1]
    sample_rate_hz: int
    warnings: tuple[str, ...] = ()

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.samples.size / self.sample_rate_hz


class AudioStream:
    """A file's mono audio at one rate, decoded as it is iterated over: once, to its end.

    Attributes:
        warnings: what there was to say about reading it; complete once it has ended.
        channels: of the file, before they were mixed or one was chosen, the most where they change;
            0 until it has ended.
    """

    def __init__(
        self,
        source: Source,
        sample_rate_hz: int,
        *,
        max_duration_s: float = DEFAULT_MAX_DURATION_S,
        min_samples: int = 1,
        processes: DecodeProcesses | None = None,
        check: Check = no_check,
        choice: Choice = THE_USUAL,
    ) -> None:
        """Read nothing yet; arguments as for `load` and `AudioDecoder`."""
        self.warnings: tuple[str, ...] = ()
        self.channels = 0
        self._source = source
        self._sample_rate_hz = sample_rate_hz
        self._max_duration_s = max_duration_s
        self._min_samples = min_samples
        self._processes, self._check, self._choice = processes, check, choice

    def __iter__(self) -> Iterator[Samples]:
        """Blocks (samples,) float32 in [-1, 1], of any lengths above 0.

        Raises:
            As `load`: AudioTooLongError and NonFiniteAudioError where the limit or the sample is
            reached, AudioTooShortError and EmptyAudioError at the end.
        """
        with open_source(self._source) as file:
            decoder = AudioDecoder(
                file, self._max_duration_s, self._processes, self._check, self._choice
            )
            samples = 0
            for block in _at_rate(_finite(decoder), self._sample_rate_hz):
                samples += block.size
                yield block
            if decoder.duration_s == 0:
                raise EmptyAudioError("expected audio, got a stream without samples")
            self._check_length(samples)
            self.warnings = tuple(decoder.remarks)
            self.channels = decoder.channels
            if decoder.truncated:
                self.warnings = (_truncation_warning(decoder), *self.warnings)

    def _check_length(self, samples: int) -> None:
        if samples < self._min_samples:
            rate_hz = self._sample_rate_hz
            raise AudioTooShortError(
                f"expected at least {self._min_samples} samples at {rate_hz} Hz "
                f"({1000 * self._min_samples / rate_hz:.0f} ms), got {samples} "
                f"({1000 * samples / rate_hz:.1f} ms)"
            )


def load(
    source: Source,
    sample_rate_hz: int,
    *,
    max_duration_s: float = DEFAULT_MAX_DURATION_S,
    min_samples: int = 1,
) -> Waveform:
    """Decode `source`, mix its channels to mono and resample it to `sample_rate_hz`.

    Args:
        source: the file's bytes, its path, or the open file.
        sample_rate_hz: the rate wanted, a model's `spec.features.sample_rate_hz`.
        max_duration_s: decoding stops with an error beyond this many seconds.
        min_samples: the fewest samples accepted at `sample_rate_hz`, a model's window length.

    Returns:
        float32 samples in [-1, 1], louder ones clipped. A file that breaks off is decoded as far as
        it goes, and `warnings` says so where the file can tell: wav, flac, ogg, mp3 with a Xing or
        Info header, mp4, m4a and webm with a length, aac cut within a frame. An mp3 without that
        header has no end to miss: cut, it is a shorter mp3. An mp4 or m4a whose index stands last
        can't be decoded once cut.

    Raises:
        EmptyAudioError, UnreadableAudioError, AudioRateError, AudioTooShortError,
        AudioTooLongError, NonFiniteAudioError: with what was expected and what came.
        FileNotFoundError: if a path does not exist.
    """
    stream = AudioStream(
        source, sample_rate_hz, max_duration_s=max_duration_s, min_samples=min_samples
    )
    samples = joined(stream)
    return Waveform(samples, sample_rate_hz, stream.warnings)


def resample(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """Change the rate of mono `samples` (samples,) float32 with soxr's high quality setting.

    What lies outside [-1, 1] before or after is clipped. The result may be `samples` itself.
    """
    return joined(_at_rate([Block(samples, from_hz)], to_hz))


@unheard
def check_finite(samples: Samples, before: int = 0) -> None:
    """Raise NonFiniteAudioError if any of `samples` is NaN or infinite.

    Args:
        samples: (samples,) float32.
        before: samples of the same recording that went before these.
    """
    if not np.isfinite(np.dot(samples, samples)):  # the quickest way to look at all of them
        finite = np.isfinite(samples)
        if finite.all():
            return
        first = int(np.argmin(finite))
        raise NonFiniteAudioError(
            f"expected finite samples, got {samples[first]}, the first at sample {before + first}"
        )


def joined(blocks: Iterable[Samples]) -> Samples:
    """All of them as one array, (samples,) float32; where only one is not empty, that one."""
    full = [block for block in blocks if block.size]
    return full[0] if len(full) == 1 else np.concatenate([_NOTHING, *full])


def _finite(blocks: Iterable[Block]) -> Iterator[Block]:
    """The same blocks, each looked through."""
    before = 0
    for block in blocks:
        check_finite(block.samples, before)
        before += block.samples.size
        yield block


def _at_rate(blocks: Iterable[Block], to_hz: int) -> Iterator[Samples]:
    """Blocks (samples,) float32 at `to_hz`, clipped to [-1, 1], none of them empty."""
    for from_hz, neighbours in groupby(blocks, key=lambda block: block.rate_hz):
        resampler = Resampler(from_hz, to_hz)
        for block in neighbours:
            if (samples := resampler.feed(block.samples)).size:
                yield samples
        if (samples := resampler.flush()).size:
            yield samples


class Resampler:
    """Changes the rate of a stream of mono samples. They are the same however it is divided."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._stream = None
        if from_hz != to_hz:
            self._stream = soxr.ResampleStream(
                from_hz, to_hz, num_channels=1, dtype="float32", quality="HQ"
            )

    def feed(self, samples: Samples) -> Samples:
        """What more (samples,) float32 give, clipped to [-1, 1]."""
        return self._clipped(samples, last=False)

    def flush(self) -> Samples:
        """What is still to come behind the last samples."""
        return self._clipped(_NOTHING, last=True)

    def _clipped(self, samples: Samples, *, last: bool) -> Samples:
        if self._stream is not None:
            samples = self._stream.resample_chunk(samples, last=last)
        if not samples.size or (samples.min() >= -1.0 and samples.max() <= 1.0):
            return samples
        return np.clip(samples, -1.0, 1.0)


def _truncation_warning(decoder: AudioDecoder) -> str:
    announced_s = decoder.announced_s
    more = announced_s is not None and announced_s > decoder.duration_s
    of = f" of {announced_s:.2f} s" if more else ""
    return f"the file is truncated or damaged: {decoder.duration_s:.2f} s{of} could be decoded"
