"""Words -> subtitle cues: what stands on the screen together, and when.

The limits are customary in subtitling: two lines of 42 characters, seven seconds, 17 characters a
second to read. Written text is divided where its sentences and clauses end, as far as these limits
allow. Times are whole milliseconds, as the formats write them, so that rounding can't make cues
overlap.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from otoscope.transcript import Word, segments_of
from otoscope.written.spec import SENTENCE_ENDS

LINE_CHARACTERS = 42
LINES = 2
MAX_CUE_MS = 7000
MIN_CUE_MS = 1000
CHARACTERS_PER_S = 17
GAP_MS = 500
"""A shorter gap between two cues would flicker: the first stays until the second comes."""

PAUSE_MS = 700
"""So long a silence between two words always ends a cue."""


@dataclass(frozen=True)
class Cue:
    """A subtitle.

    Attributes:
        start_ms, end_ms: when it is shown, from the start of the recording; end after start.
        lines: one or two, of at most 42 characters unless a single word is longer.
    """

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]


def cues_of(words: Sequence[Word], duration_s: float) -> list[Cue]:
    """Divide `words` into cues that follow the limits above.

    A cue begins with its first word and ends with its last. It stays for a second at least, and
    until it can be read, if the next one and the end of the recording leave room; one word of more
    than seven seconds is shown for seven. Words are never
    broken: one of more than 42 characters has a line of its own.

    Args:
        words: in order, without overlaps, of a millisecond or more each, within the recording.
        duration_s: length of the recording.
    """
    phrases = segments_of(
        words, lambda _, last, word: _ms(word.start_s) - _ms(last.end_s) >= PAUSE_MS
    )
    groups = [group for phrase in phrases for group in _divided(phrase)]
    starts_ms = [_start_ms(group) for group in groups]
    cues = [
        _cue(group, next_ms, GAP_MS) for group, next_ms in zip(groups, starts_ms[1:], strict=False)
    ]
    return cues + [_cue(group, _ms(duration_s), 0) for group in groups[-1:]]


def _cue(words: Sequence[Word], limit_ms: int, gap_ms: int) -> Cue:
    """Show `words` together, not beyond `limit_ms`; until then if less than `gap_ms` is left."""
    start_ms = _start_ms(words)
    read_ms = -(-1000 * len(_joined(words)) // CHARACTERS_PER_S)
    end_ms = max(_ms(words[-1].end_s), start_ms + max(MIN_CUE_MS, read_ms))
    if limit_ms - end_ms < gap_ms:
        end_ms = limit_ms
    return Cue(start_ms, min(end_ms, start_ms + MAX_CUE_MS, limit_ms), _lines(words))


def _divided(words: Sequence[Word]) -> list[Sequence[Word]]:
    """Cut a phrase in two until each part makes a cue."""
    if _fits(words):
        return [words]
    cut = _best_cut(words)
    return [*_divided(words[:cut]), *_divided(words[cut:])]


def _fits(words: Sequence[Word]) -> bool:
    if len(words) == 1:
        return True
    if _ms(words[-1].end_s) - _start_ms(words) > MAX_CUE_MS:
        return False
    if len(_joined(words)) > LINES * (LINE_CHARACTERS + 1):
        return False
    return all(len(line) <= LINE_CHARACTERS for line in _lines(words))


def _best_cut(words: Sequence[Word]) -> int:
    """How many words come before the cut.

    It is at the end of a sentence, or else of a clause, in the middle half; without one, at the
    longest silence in the middle third. Where no word ends there, it is the cut that comes nearest
    to the middle.
    """
    ends = list(accumulate(len(word.word) + 1 for word in words))
    off_middle = {cut: abs(2 * ends[cut - 1] - ends[-1]) for cut in range(1, len(words))}
    marked = [cut for cut in off_middle if words[cut - 1].mark and 2 * off_middle[cut] <= ends[-1]]
    central = [cut for cut, off in off_middle.items() if 3 * off <= ends[-1]]
    candidates = marked or central or [min(off_middle, key=off_middle.__getitem__)]
    return max(
        candidates,
        key=lambda cut: (
            words[cut - 1].mark in SENTENCE_ENDS,
            _silence_ms(words, cut),
            -off_middle[cut],
        ),
    )


def _lines(words: Sequence[Word]) -> tuple[str, ...]:
    """One line if it fits, or else two: at the end of a clause, or as even as can be."""
    whole = _joined(words)
    if len(whole) <= LINE_CHARACTERS or len(words) == 1:
        return (whole,)
    pairs = {cut: (_joined(words[:cut]), _joined(words[cut:])) for cut in range(1, len(words))}
    marked = [
        lines
        for cut, lines in pairs.items()
        if words[cut - 1].mark and max(map(len, lines)) <= LINE_CHARACTERS
    ]
    return min(marked or pairs.values(), key=lambda lines: max(map(len, lines)))


def _joined(words: Sequence[Word]) -> str:
    return " ".join(word.word for word in words)


def _silence_ms(words: Sequence[Word], cut: int) -> int:
    return _ms(words[cut].start_s) - _ms(words[cut - 1].end_s)


def _start_ms(words: Sequence[Word]) -> int:
    return _ms(words[0].start_s)


def _ms(time_s: float) -> int:
    return round(1000 * time_s)
