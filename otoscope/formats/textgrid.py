"""Praat's TextGrid: the long text format, as Praat itself writes it (Boersma and Weenink).

Praat wants the intervals of a tier to touch and to fill it from end to end, so what lies between
labels becomes intervals with an empty label. Times are whole microseconds until they are written,
so that neighbours meet exactly.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from otoscope.transcript import Character, Word


class _Interval(NamedTuple):
    start_us: int
    end_us: int
    label: str


def textgrid(
    words: Sequence[Word], characters: Sequence[Character] | None, duration_s: float
) -> str:
    """A tier "words" and a tier "characters"; spaces are gaps in both.

    Args:
        words: in order, without overlaps, within the recording.
        characters: likewise; None for a file without their tier.
        duration_s: length of the recording, more than 0.
    """
    end_us = _us(duration_s)
    tiers = {"words": [_Interval(_us(w.start_s), _us(w.end_s), w.word) for w in words]}
    if characters is not None:
        tiers["characters"] = [
            _Interval(_us(c.start_s), _us(c.end_s), c.character)
            for c in characters
            if c.character != " "
        ]
    lines = [
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        *_bounds(0, end_us),
        "tiers? <exists> ",
        f"size = {len(tiers)} ",
        "item []: ",
    ]
    for number, (name, labelled) in enumerate(tiers.items(), start=1):
        intervals = list(_filled(labelled, end_us))
        lines.append(f"    item [{number}]:")
        lines.extend(f"        {line}" for line in _tier(name, intervals, end_us))
    return "\n".join(lines) + "\n"


def _tier(name: str, intervals: Sequence[_Interval], end_us: int) -> Iterator[str]:
    yield 'class = "IntervalTier" '
    yield f"name = {_quoted(name)} "
    yield from _bounds(0, end_us)
    yield f"intervals: size = {len(intervals)} "
    for number, interval in enumerate(intervals, start=1):
        yield f"intervals [{number}]:"
        for line in (*_bounds(*interval[:2]), f"text = {_quoted(interval.label)} "):
            yield f"    {line}"


def _filled(intervals: Iterable[_Interval], end_us: int) -> Iterator[_Interval]:
    """The intervals, and empty ones wherever there is none."""
    reached_us = 0
    for interval in intervals:
        if interval.start_us > reached_us:
            yield _Interval(reached_us, interval.start_us, "")
        yield interval
        reached_us = interval.end_us
    if reached_us < end_us:
        yield _Interval(reached_us, end_us, "")


def _bounds(start_us: int, end_us: int) -> tuple[str, str]:
    return f"xmin = {_seconds(start_us)} ", f"xmax = {_seconds(end_us)} "


def _quoted(label: str) -> str:
    return '"' + label.replace('"', '""') + '"'


def _us(time_s: float) -> int:
    return round(1_000_000 * time_s)


def _seconds(time_us: int) -> str:
    """Microseconds as seconds without needless zeros: 3395000 -> 3.395."""
    return f"{time_us / 1_000_000:.6f}".rstrip("0").rstrip(".")
