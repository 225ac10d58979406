"""An audio file -> mono blocks at its own rate: the only decoder.

libsndfile (through soundfile) reads wav, flac, ogg and opus; mp3, and what it does not know, goes
to FFmpeg's libraries in another process (`otoscope.audio.decode_processes`), which read m4a, mp4,
aac, webm and more. Both ship inside their wheels. Decoding runs block by block, so a small file
that claims or holds many hours stops at the limit instead of filling the memory.
"""

import io
import math
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import soundfile

from otoscope.audio import file_ends
from otoscope.audio.decode_processes import DecodeProcesses, shared
from otoscope.audio.decoder_ends import DecoderFailureError
from otoscope.audio.mixing import CANCELLED, Mixer
from otoscope.audio.mp3 import begins_as_mpeg, mp3_length
from otoscope.audio.ogg import OggFacts, Slice, ogg_facts
from otoscope.audio.parts import (
    MIN_RATE_HZ,
    THE_USUAL,
    Block,
    Choice,
    Format,
    Opened,
    Remark,
    Source,
    check_rate,
    too_long,
)
from otoscope.audio.riff import WavFacts, wav_facts
from otoscope.audio.sound_file import full_scale, goes_on_at, open_sound, read_blocks
from otoscope.errors import ChannelError, EmptyAudioError, UnreadableAudioError
from otoscope.processes import Check, no_check

_HEADER_SLACK_S = 0.1
"""A stream shorter than its header says by more than this is truncated. An mp3 frame is 72 ms."""

_WAV_SLACK_S = 0.05
"""Headers of wav files are off by a few bytes often, and by more if something is missing."""

_FRAMES_UNKNOWN = 2**62
"""libsndfile announces at least so many frames where it can't know the length."""


class AudioDecoder:
    """The blocks of one file, to be iterated over once.

    Attributes:
        format: as the first decoder that knows the file calls it; empty before.
        duration_s: seconds decoded so far.
        announced_s: how long the header says they are; None if it doesn't.
        tracks: with audio, the most of any link; 0 before the first decoder has opened the file.
        channels: of what was decoded so far, the most.
        failure: why decoding stopped before the end; None if it didn't.
        remarks: what else there is to say about the reading, by the end of the iteration.
    """

    def __init__(
        self,
        file: BinaryIO,
        max_duration_s: float,
        processes: DecodeProcesses | None = None,
        check: Check = no_check,
        choice: Choice = THE_USUAL,
    ) -> None:
        """Decode nothing yet.

        Args:
            file: open for reading and seeking.
            max_duration_s: where decoding stops with an error.
            processes: for what FFmpeg decodes; those of this process by default.
            check: called now and then; what it raises ends the decoding.
            choice: of the file's sounds.
        """
        self.format = Format("", "", 0, 0)
        self.duration_s = 0.0
        self.announced_s: float | None = None
        self.tracks = self.channels = 0
        self.failure: str | None = None
        self.remarks: dict[str, None] = {}
        self._file = file
        self._max_duration_s = max_duration_s
        self._processes, self._check, self._choice = processes, check, choice
        self._breaks_off = False
        self._part_s = 0.0

    @property
    def truncated(self) -> bool:
        """Whether less came, by the end of the iteration, than the file promised."""
        return self.failure is not None or self._breaks_off or self._short

    @property
    def _left_s(self) -> float:
        """Of this part at most."""
        return self._max_duration_s - self._part_s

    @property
    def _short(self) -> bool:
        return self.duration_s < (self.announced_s or 0.0) - _HEADER_SLACK_S

    def __iter__(self) -> Iterator[Block]:
        """Decode.

        Raises:
            UnreadableAudioError: if no decoder knows the file, or none can decode any of it.
            AudioRateError: if its sample rate is below MIN_RATE_HZ.
            AudioTooLongError: beyond the limit.
            ChannelError: if it lacks the track or channel that was chosen.
        """
        wav, ogg = wav_facts(self._file), ogg_facts(self._file)
        if ogg is not None and len(ogg.links) > 1:
            yield from self._chain(ogg)
        else:
            yield from self._part(self._file, ogg.links[0].streams if ogg else 1)
        if ogg is not None:
            self._breaks_off = not ogg.whole
            if ogg.whole and not ogg.ended:
                self.remarks[file_ends.NO_END_MARK] = None
        if wav is not None:
            yield from self._end_of_wav(wav)
        elif ogg is None:
            self._end_of_others()
        if self.duration_s == 0 and self.failure is not None:
            raise UnreadableAudioError(f"the audio can't be decoded: {self.failure}")

    def _chain(self, ogg: OggFacts) -> Iterator[Block]:
        """Links one after the other; one that can't be decoded does not end the rest."""
        failures: list[str] = []
        self._choice = self._choice._replace(channels=max(link.channels for link in ogg.links))
        for link in ogg.links:
            self._check()
            self._part_s, self.failure = self.duration_s, None
            file = cast("BinaryIO", Slice(self._file, link.start, link.end))
            try:
                yield from self._part(file, link.streams)
            except UnreadableAudioError as error:
                self.failure = str(error)
            if self.failure is not None:
                failures.append(self.failure)
        self.failure = failures[0] if failures else None
        self.announced_s = None

    def _end_of_wav(self, wav: WavFacts) -> Iterator[Block]:
        """What libsndfile leaves of a wav whose header is unfinished; how much is missing of it."""
        self._breaks_off = wav.missing_s > _WAV_SLACK_S
        if wav.behind_s > _WAV_SLACK_S:
            self.remarks[file_ends.GOES_ON] = None
        if wav.unknown or wav.unfinished:
            self.announced_s = None
        if wav.unfinished and self.duration_s == 0 and self.failure is None:
            yield from self._ffmpeg(self._file)
            self.remarks[file_ends.UNFINISHED] = None

    def _end_of_others(self) -> None:
        """How much is missing of what is neither wav nor Ogg, and whether it goes on."""
        missing_s = file_ends.missing_share(self._file) * self.duration_s
        self._breaks_off = missing_s > _WAV_SLACK_S
        if missing_s < -_WAV_SLACK_S or file_ends.mp4_goes_on(self._file):
            self.remarks[file_ends.GOES_ON] = None

    def _part(self, file: BinaryIO, streams: int) -> Iterator[Block]:
        """A file, or a link of a chain, in which so many streams of an Ogg lie side by side."""
        flac = file_ends.flac_facts(file)
        if flac and not flac.rate_hz:
            check_rate(0)
        if begins_as_mpeg(file):
            yield from self._mpeg(file)
            if flac and flac.samples:
                self.announced_s = flac.samples / flac.rate_hz
            return
        if streams > 1:  # libsndfile reads the first one alone
            yield from self._ffmpeg(file)
            return
        file.seek(0)
        try:
            sound_file = open_sound(file)
        except soundfile.LibsndfileError:
            yield from self._ffmpeg(file)
            return
        with sound_file:
            yield from self._libsndfile(sound_file, file)
        if self.failure is not None:
            yield from self._ffmpeg_after_failure(file)

    def _mpeg(self, file: BinaryIO) -> Iterator[Block]:
        """FFmpeg reads mp3: it goes on where files were joined, and not in this process."""
        stated = mp3_length(file)
        if stated and stated.whole and stated.length_s > self._left_s:
            raise too_long(self._max_duration_s)
        yield from self._ffmpeg(file)
        self.announced_s = stated.length_s if stated else self.announced_s

    def _libsndfile(self, file: soundfile.SoundFile, source: BinaryIO) -> Iterator[Block]:
        if self._choice.track > 1:
            raise ChannelError(f"expected track 1, the only one, got {self._choice.track}")
        self.tracks = max(self.tracks, 1)
        self.format = Format(file.format, file.subtype, file.samplerate, file.channels)
        known = file.frames < _FRAMES_UNKNOWN and file.samplerate > 0
        self.announced_s = file.frames / file.samplerate if known else None
        if self._choice.opened_only:
            return
        too_many = file.samplerate >= MIN_RATE_HZ and self._left_s < (self.announced_s or 0.0)
        if too_many and goes_on_at(source, math.floor(self._left_s * file.samplerate) + 1):
            raise too_long(self._max_duration_s)
        mixer = Mixer(self._choice)
        divisor, said = full_scale(file, source)
        if said:
            self.remarks[said] = None
        blocks = (
            Block(mixer.mix(one), file.samplerate, file.channels)
            for one in read_blocks(file, divisor)
        )
        yield from self._take(blocks, file.samplerate)
        if mixer.cancelled:
            self.remarks[CANCELLED] = None
        if file.format == "FLAC" and self.failure is None and file_ends.flac_goes_on(source):
            self.remarks[file_ends.GOES_ON] = None

    def _ffmpeg_after_failure(self, file: BinaryIO) -> Iterator[Block]:
        """FFmpeg's blocks of what follows.

        libsndfile gives up on some whole Opus files, and at the first damage.
        """
        first, failure, reached_s = (self.format, self.announced_s), self.failure, self.duration_s
        try:
            yield from self._ffmpeg(file)
        except UnreadableAudioError:
            self.failure = failure
        if self.duration_s <= reached_s:
            self.failure = failure
        self.format, self.announced_s = first

    def _ffmpeg(self, file: BinaryIO) -> Iterator[Block]:
        """FFmpeg's blocks from `duration_s` on."""
        processes = self._processes or shared()
        with closing(processes.decode(file, self._check, self._choice)) as parts:
            try:
                opened = next(parts)
            except DecoderFailureError as error:
                self.failure = str(error)
                return
            assert isinstance(opened, Opened)  # noqa: S101 - it comes first
            self.format, self.announced_s = opened.format, opened.announced_s
            self.tracks = max(self.tracks, opened.tracks)
            yield from self._take(self._blocks(parts), opened.format.sample_rate_hz)

    def _blocks(self, parts: Iterator[Opened | Block | Remark]) -> Iterator[Block]:
        for part in parts:
            if isinstance(part, Block):
                yield part
            elif isinstance(part, Remark):
                self.remarks[part.text] = None

    def _take(self, source: Iterator[Block], rate_hz: int) -> Iterator[Block]:
        """Blocks from `duration_s` on until the stream ends, its decoder fails or the limit."""
        check_rate(rate_hz)
        self.failure = None
        before_s, taken = self._part_s, 0
        try:
            for block in source:
                self._check()
                self.channels = max(self.channels, block.channels)
                if block.rate_hz != rate_hz:
                    before_s, taken, rate_hz = before_s + taken / rate_hz, 0, block.rate_hz
                    check_rate(rate_hz)
                skip = round((self.duration_s - before_s) * rate_hz) - taken
                fresh = block.samples[max(0, skip) :]
                taken += block.samples.shape[0]
                if before_s + taken / rate_hz > self._max_duration_s:
                    raise too_long(self._max_duration_s)
                if fresh.size:
                    self.duration_s = before_s + taken / rate_hz
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
