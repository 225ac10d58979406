"""What an audio file is, without recognizing it."""

import math
from dataclasses import dataclass

from otoscope.audio.decode import AudioDecoder, open_source
from otoscope.audio.decode_processes import DecodeProcesses
from otoscope.audio.parts import Choice, Format, Source
from otoscope.processes import Check, no_check


@dataclass(frozen=True)
class AudioFacts(Format):
    """A file's audio.

    Attributes:
        duration_s: of what can be decoded.
        whole: whether that is all that the file promises.
    """

    duration_s: float
    whole: bool


def probe(source: Source) -> AudioFacts:
    """Decode a file once, to know how long it is as well.

    Raises:
        EmptyAudioError, UnreadableAudioError: if there is no audio in it.
        FileNotFoundError: if a path does not exist.
    """
    with open_source(source) as file:
        decoder = AudioDecoder(file, math.inf)
        for _ in decoder:
            pass  # it counts
        return AudioFacts(
            **vars(decoder.format), duration_s=decoder.duration_s, whole=not decoder.truncated
        )


def count_tracks(
    source: Source, processes: DecodeProcesses | None = None, check: Check = no_check
) -> int:
    """How many tracks with audio a file has, also such as can't be decoded; none is decoded.

    Args:
        source: the file's bytes, its path, or the open file.
        processes: for what FFmpeg opens; those of this process by default.
        check: called now and then; what it raises ends the wait.

    Raises:
        EmptyAudioError, UnreadableAudioError: if there is no audio in it.
        FileNotFoundError: if a path does not exist.
    """
    with open_source(source) as file:
        decoder = AudioDecoder(file, math.inf, processes, check, Choice(opened_only=True))
        for _ in decoder:
            pass  # nothing comes
        return decoder.tracks
