"""Subtitle files: SubRip (.srt) and WebVTT (.vtt)."""

from collections.abc import Sequence

from otoscope.formats.cues import cues_of
from otoscope.transcript import Word


def srt(words: Sequence[Word], duration_s: float) -> str:
    """SubRip: numbered cues, a comma before the milliseconds. For the arguments see `cues_of`.

    The format is what players take; it has no standard, and no way to escape < and >.
    """
    return "".join(
        f"{number}\n{_clock(cue.start_ms, ',')} --> {_clock(cue.end_ms, ',')}\n{_block(cue.lines)}"
        for number, cue in enumerate(cues_of(words, duration_s), start=1)
    )


def vtt(words: Sequence[Word], duration_s: float) -> str:
    """WebVTT (W3C): a header, cues without names, &, < and > escaped. Arguments as `cues_of`."""
    return "WEBVTT\n\n" + "".join(
        f"{_clock(cue.start_ms, '.')} --> {_clock(cue.end_ms, '.')}\n"
        f"{_block([_escape(line) for line in cue.lines])}"
        for cue in cues_of(words, duration_s)
    )


def _block(lines: Sequence[str]) -> str:
    """Lines and the empty line that ends a cue."""
    return "\n".join(lines) + "\n\n"


def _clock(time_ms: int, separator: str) -> str:
    """Milliseconds as hh:mm:ss,mmm."""
    seconds, milliseconds = divmod(time_ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{separator}{milliseconds:03d}"


def _escape(line: str) -> str:
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
