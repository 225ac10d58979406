"""Channels -> one: their mean, unless they cancel out or one is asked for."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from otoscope.audio.parts import THE_USUAL, Choice
from otoscope.errors import ChannelError

CANCELLED = "the channels cancel each other out: the louder one was read alone"

_LEFT_BY_CANCELLING = 0.05
"""Power of the sum by the sum of the powers: 1 for sounds that have nothing in common."""

_SILENCE = 1e-10
"""Power of what is not looked at: -100 dB."""

MOST_SEPARATE = 8
"""Channels or tracks that are read one by one, each as a recording of its own."""


def check_separable(count: int, of: str = "channels") -> int:
    """So many, if each may be read alone; ChannelError if they are too many for that."""
    if count > MOST_SEPARATE:
        raise ChannelError(f"expected at most {MOST_SEPARATE} {of} to read one by one, got {count}")
    return count


_MOST_GATHERED = 2**21
"""Samples of all channels: 8 MB."""

unheard = np.errstate(over="ignore", invalid="ignore")
"""Samples that are no numbers, or too large ones, are told of by an error, not by numpy's lines."""


class Mixer:
    """Mixes one recording's blocks.

    Attributes:
        cancelled: whether a block was not mixed, because nothing would have been left of it.
    """

    def __init__(self, choice: Choice = THE_USUAL) -> None:
        """Of the channel in `choice`; 0 mixes all."""
        self.cancelled = False
        self._channel, self._most_channels = choice.channel, choice.channels
        self._louder: int | None = None

    @unheard
    def mix(self, block: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """(samples, channels) float32 -> (samples,) float32.

        Raises:
            ChannelError: if there is no such channel, and was none in a block before.
        """
        if self._channel:
            return self._chosen(block)
        channels = block.shape[1]
        if channels == 1:
            return np.ascontiguousarray(block[:, 0], dtype=np.float32)
        mono: npt.NDArray[np.float32] = block.mean(axis=1, dtype=np.float32)
        powers = np.einsum("sc,sc->c", block, block, dtype=np.float64)
        left = channels**2 * float(np.dot(mono, mono))
        if powers.sum() <= _SILENCE * block.shape[0] or left > _LEFT_BY_CANCELLING * powers.sum():
            return mono
        self.cancelled = True
        if self._louder is None or self._louder >= channels:
            self._louder = int(powers.argmax())
        return np.ascontiguousarray(block[:, self._louder], dtype=np.float32)

    def _chosen(self, block: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        samples, channels = block.shape
        self._most_channels = max(self._most_channels, channels)
        if self._channel <= channels:
            return np.ascontiguousarray(block[:, self._channel - 1], dtype=np.float32)
        if self._channel <= self._most_channels:
            return np.zeros(samples, dtype=np.float32)
        raise ChannelError(f"expected a channel up to {self._most_channels}, got {self._channel}")


class Gathering:
    """Short frames, put together to blocks of about a second.

    In a frame of a few milliseconds there may be nothing but a hum, whose channels cancel.
    """

    def __init__(self, longest_s: float = 1.0) -> None:
        """`longest_s`: of a block of several frames."""
        self._longest_s = longest_s
        self._frames: list[npt.NDArray[np.float32]] = []
        self._rate_hz = self._samples = 0

    def add(
        self, frame: npt.NDArray[np.float32], rate_hz: int
    ) -> Iterator[tuple[npt.NDArray[np.float32], int]]:
        """Take on a frame (samples, channels), and give, with their rate, blocks that are full."""
        samples, channels = frame.shape
        longest = min(self._longest_s * rate_hz, _MOST_GATHERED / channels)
        alike = rate_hz == self._rate_hz and all(each.shape[1] == channels for each in self._frames)
        if not alike or self._samples + samples > longest:
            yield from self.flush()
        self._frames.append(frame)
        self._samples += samples
        self._rate_hz = rate_hz
        if self._samples >= longest:
            yield from self.flush()

    def flush(self) -> Iterator[tuple[npt.NDArray[np.float32], int]]:
        """What has been gathered, if anything."""
        frames, self._frames, self._samples = self._frames, [], 0
        if frames:
            yield np.concatenate(frames), self._rate_hz
