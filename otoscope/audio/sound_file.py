"""libsndfile, through soundfile: wav, flac, ogg and opus, block by block."""

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import soundfile

from otoscope.audio.mixing import unheard
from otoscope.audio.parts import Samples

BLOCK_SAMPLES = 2**17
"""Samples of all channels decoded at once, at most: 8 s of mono at 16 kHz, in 512 kB. Few blocks,
because threads that decode side by side wait for one another at each; small ones, because FFmpeg
decodes again the block in which libsndfile fails."""

_MIN_BLOCK_SAMPLES = 2**13
"""Asked for in the end, in case there are more than the header says."""

_LOUDEST = 4.0
"""Floats go up to 1, or a little beyond."""

_INTEGER_SCALES = (2.0**15, 2.0**23, 2.0**31)
_SURELY_INTEGERS = 64.0


class NamelessFile:
    """An open file without its name, whose suffix must not decide how it is read."""

    def __init__(self, file: BinaryIO) -> None:
        self.read, self.seek, self.tell = file.read, file.seek, file.tell


def open_sound(file: BinaryIO) -> soundfile.SoundFile:
    """A file to be read from start to end; soundfile.LibsndfileError if it is not known."""
    file.seek(0)
    return SequentialSoundFile(NamelessFile(file))


@unheard
def full_scale(sound_file: soundfile.SoundFile, file: BinaryIO) -> tuple[float, str]:
    """What samples have to be divided by, and what there is to say about it: 1 and "" as a rule.

    Programs forget to scale integers when they write floats.

    Args:
        sound_file: nothing of it has been read.
        file: that it was opened from, which is looked through if it holds floats.
    """
    if sound_file.subtype not in ("FLOAT", "DOUBLE"):
        return 1.0, ""
    at = file.tell()
    with open_sound(file) as other:
        peak = max((float(np.abs(one).max()) for one in read_blocks(other, 1.0)), default=0.0)
    file.seek(at)
    if not _LOUDEST < peak < np.inf:
        return 1.0, ""
    scales = [scale for scale in _INTEGER_SCALES if _SURELY_INTEGERS < peak <= scale]
    divisor = scales[0] if scales else peak
    return divisor, f"the samples go up to {peak:.6g} instead of 1: divided by {divisor:.10g}"


def goes_on_at(file: BinaryIO, frame: int) -> bool:
    """Whether there is a sample so far in, looked for without those before; others may read on."""
    at = file.tell()
    try:
        with open_sound(file) as other:
            return bool(other.seek(frame) == frame and other.read(1).size)
    except soundfile.LibsndfileError:  # there is less than the header says, or it can't be sought
        return False
    finally:
        file.seek(at)


class SequentialSoundFile(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """A file read from start to end: soundfile seeks after each read of others, at a price."""

    def seekable(self) -> bool:
        """What soundfile asks before it seeks."""
        return False


def read_blocks(sound_file: soundfile.SoundFile, divisor: float) -> Iterator[Samples]:
    """What is left of it, (samples, channels) float32 each, divided by `divisor`."""
    # Not SoundFile.blocks: where a stream ends early that yields memory nobody wrote to.
    left = sound_file.frames
    while True:
        samples = min(max(left * sound_file.channels, _MIN_BLOCK_SAMPLES), BLOCK_SAMPLES)
        frames = max(1, samples // sound_file.channels)
        block = sound_file.read(frames, dtype="float32", always_2d=True)
        if block.shape[0] == 0:
            return
        left -= block.shape[0]
        yield block if divisor == 1 else block / np.float32(divisor)
