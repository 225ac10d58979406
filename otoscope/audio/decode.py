"""An audio file -> mono blocks at its own rate: the only decoder.

libsndfile (through soundfile) reads wav, flac, ogg, opus and mp3; what it does not know goes to
FFmpeg's libraries in another process (`otoscope.audio.decode_processes`), which read m4a, mp4, aac,
webm and more. Both ship inside their wheels. Decoding runs block by block, so a small file that
claims or holds many hours stops at the limit instead of filling the memory.
"""

import io
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO

import soundfile

from otoscope.audio.decode_processes import DecodeProcesses, DecoderFailureError, shared
from otoscope.audio.parts import Block, Format, Opened, Samples, Source, to_mono
from otoscope.audio.truncation import breaks_off
from otoscope.errors import (
    AudioRateError,
    AudioTooLongError,
    EmptyAudioError,
    UnreadableAudioError,
)
from otoscope.processes import Check, no_check

BLOCK_SAMPLES = 2**17
"""Samples of all channels decoded at once, at most: 8 s of mono at 16 kHz, in 512 kB. Few blocks,
because threads that decode side by side wait for one another at each; small ones, because FFmpeg
decodes again the block in which libsndfile fails."""

_MIN_BLOCK_SAMPLES = 2**13
"""Asked for in the end, in case there are more than the header says."""

MIN_RATE_HZ = 1000
"""No recorder is slower. A few bytes at 1 Hz would become gigabytes at a model's rate."""

_HEADER_SLACK_S = 0.1
"""A stream shorter than its header says by more than this is truncated. An mp3 frame is 72 ms."""

_FRAMES_UNKNOWN = 2**62
"""libsndfile announces at least so many frames where it can't know the length."""


class NamelessFile:
    """An open file without its name, whose suffix must not decide how it is read."""

    def __init__(self, file: BinaryIO) -> None:
        self.read, self.seek, self.tell = file.read, file.seek, file.tell


class AudioDecoder:
    """The blocks of one file, to be iterated over once.

    Attributes:
        format: as the first decoder that knows the file calls it; empty before.
        duration_s: seconds decoded so far.
        announced_s: how long the header says they are; None if it doesn't.
        failure: why decoding stopped before the end; None if it didn't.
    """

    def __init__(
        self,
        file: BinaryIO,
        max_duration_s: float,
        processes: DecodeProcesses | None = None,
        check: Check = no_check,
    ) -> None:
        """Decode nothing yet.

        Args:
            file: open for reading and seeking.
            max_duration_s: where decoding stops with an error.
            processes: for what FFmpeg decodes; those of this process by default.
            check: called now and then; what it raises ends the decoding.
        """
        self.format = Format("", "", 0, 0)
        self.duration_s = 0.0
        self.announced_s: float | None = None
        self.failure: str | None = None
        self._file, self._nameless = file, NamelessFile(file)
        self._max_duration_s = max_duration_s
        self._processes, self._check = processes, check

    @property
    def truncated(self) -> bool:
        """Whether less came, by the end of the iteration, than the file promised."""
        announced_s = self.announced_s or 0.0
        short = self.duration_s < announced_s - _HEADER_SLACK_S
        return self.failure is not None or short or breaks_off(self._file)

    def __iter__(self) -> Iterator[Block]:
        """Decode.

        Raises:
            UnreadableAudioError: if no decoder knows the file, or none can decode any of it.
            AudioRateError: if its sample rate is below MIN_RATE_HZ.
            AudioTooLongError: beyond the limit.
        """
        self._file.seek(0)
        try:
            sound_file = SequentialSoundFile(self._nameless)
        except soundfile.LibsndfileError:
            yield from self._ffmpeg()
        else:
            with sound_file:
                yield from self._libsndfile(sound_file)
            if self.failure is not None:
                yield from self._ffmpeg_after_failure()
        if self.duration_s == 0 and self.failure is not None:
            raise UnreadableAudioError(f"the audio can't be decoded: {self.failure}")

    def _libsndfile(self, file: soundfile.SoundFile) -> Iterator[Block]:
        self.format = Format(file.format, file.subtype, file.samplerate, file.channels)
        known = file.frames < _FRAMES_UNKNOWN and file.samplerate > 0
        self.announced_s = file.frames / file.samplerate if known else None
        yield from self._take(_sndfile_blocks(file), file.samplerate)

    def _ffmpeg_after_failure(self) -> Iterator[Block]:
        """FFmpeg's blocks of what follows.

        libsndfile gives up on some whole Opus files, and at the first damage.
        """
        first, failure, reached_s = (self.format, self.announced_s), self.failure, self.duration_s
        try:
            yield from self._ffmpeg()
        except UnreadableAudioError:
            self.failure = failure
        if self.duration_s <= reached_s:
            self.failure = failure
        self.format, self.announced_s = first

    def _ffmpeg(self) -> Iterator[Block]:
        """FFmpeg's blocks from `duration_s` on."""
        processes = self._processes or shared()
        with closing(processes.decode(self._file, self._check)) as parts:
            try:
                opened = next(parts)
            except DecoderFailureError as error:
                self.failure = str(error)
                return
            assert isinstance(opened, Opened)  # noqa: S101 - it comes first
            self.format, self.announced_s = opened.format, opened.announced_s
            blocks = (part.samples for part in parts if isinstance(part, Block))
            yield from self._take(blocks, opened.format.sample_rate_hz)

    def _take(self, source: Iterator[Samples], rate_hz: int) -> Iterator[Block]:
        """Blocks from `duration_s` on until the stream ends, its decoder fails or the limit."""
        if rate_hz < MIN_RATE_HZ:
            raise AudioRateError(
                f"expected a sample rate of at least {MIN_RATE_HZ} Hz, got {rate_hz} Hz"
            )
        self.failure = None
        skip, taken = round(self.duration_s * rate_hz), 0
        try:
            for samples in source:
                self._check()
                fresh = samples[max(0, skip - taken) :]
                taken += samples.shape[0]
                if taken > self._max_duration_s * rate_hz:
                    raise AudioTooLongError(
                        f"expected at most {self._max_duration_s:g} s of audio, got more"
                    )
                if fresh.size:
                    self.duration_s = taken / rate_hz
                    yield Block(fresh, rate_hz)
        except (soundfile.LibsndfileError, DecoderFailureError) as error:
            self.failure = str(error)


@contextmanager
def open_source(source: Source) -> Iterator[BinaryIO]:
    """`source` as a file; one that was open stays open. EmptyAudioError if it holds no bytes."""
    if isinstance(source, str | Path):
        with Path(source).open("rb") as opened, open_source(opened) as file:
            yield file
        return
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    if file.seek(0, os.SEEK_END) == 0:
        raise EmptyAudioError("expected an audio file, got 0 bytes")
    yield file


class SequentialSoundFile(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """A file read from start to end: soundfile seeks after each read of others, at a price."""

    def seekable(self) -> bool:
        """What soundfile asks before it seeks."""
        return False


def _sndfile_blocks(sound_file: soundfile.SoundFile) -> Iterator[Samples]:
    # Not SoundFile.blocks: where a stream ends early that yields memory nobody wrote to.
    left = sound_file.frames
    while True:
        samples = min(max(left * sound_file.channels, _MIN_BLOCK_SAMPLES), BLOCK_SAMPLES)
        frames = max(1, samples // sound_file.channels)
        block = sound_file.read(frames, dtype="float32", always_2d=True)
        if block.shape[0] == 0:
            return
        left -= block.shape[0]
        yield to_mono(block)
