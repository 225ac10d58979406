"""Division of long recordings into parts that are recognized separately; joining of texts.

A part is about twenty minutes. Neighbours are cut at the quietest place within a minute, usually a
pause, which is deterministic: every worker finds the same cuts.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise

from otoscope.audio import Samples
from otoscope.longform.windows import Window, WindowOptions, windows
from otoscope.schemas import TranscriptAnswer
from otoscope.schemas.transcription import (
    CharacterAnswer,
    SegmentAnswer,
    SpelledWordAnswer,
    WordAnswer,
)
from otoscope.spec import ModelSpec

PART_S = 1200.0
"""Longest part in seconds; the last one may be twice as long."""

CUTS = WindowOptions(shortest_s=PART_S - 60, longest_s=PART_S, overlap_s=1.0)
"""How parts are cut; the overlap is not used."""

LONG_S = CUTS.whole_s
"""Longer recordings are recognized in parts."""


def part_lengths_s(blocks: Iterable[Samples], spec: ModelSpec) -> tuple[float, ...]:
    """The length in seconds of each part of a recording; one part if it is not long.

    Args:
        blocks: (samples,) float32 at the model's rate.
        spec: of the model.
    """
    starts_s, end_s = [], 0.0
    for window in windows(blocks, spec, CUTS):
        starts_s.append(window.cut_frame * spec.frame_s)
        end_s = _end_s(window, spec)
    return tuple(stop - start for start, stop in pairwise([*starts_s, end_s]))


def samples_of_part(blocks: Iterable[Samples], spec: ModelSpec, part: int) -> tuple[Samples, float]:
    """One part of a recording.

    Args:
        blocks: of the whole recording, as above; read as far as needed.
        spec: of the model.
        part: from 0.

    Returns:
        (samples,) float32, and the second at which they begin.
    """
    cut: Iterator[Window] = windows(blocks, spec, CUTS)
    for _ in range(part):
        next(cut)
    own, following = next(cut), next(cut, None)
    stop = None if following is None else following.cut_frame - own.first_frame
    start = own.cut_frame - own.first_frame
    unit = spec.frame_samples
    samples = own.samples[start * unit : None if stop is None else stop * unit]
    return samples, own.cut_frame * spec.frame_s


def _end_s(window: Window, spec: ModelSpec) -> float:
    rate_hz = spec.features.sample_rate_hz
    return window.first_frame * spec.frame_s + window.samples.size / rate_hz


def moved(answer: TranscriptAnswer, by_s: float) -> TranscriptAnswer:
    """The same answer with times `by_s` seconds later."""
    return answer.model_copy(
        update={
            "words": [_moved_word(word, by_s) for word in answer.words],
            "segments": [
                SegmentAnswer(start_s=one.start_s + by_s, end_s=one.end_s + by_s, text=one.text)
                for one in answer.segments or ()
            ],
        }
    )


def joined(answers: Sequence[TranscriptAnswer]) -> TranscriptAnswer:
    """The answers of a recording's parts, each `moved` to its place, as one."""
    words = list(chain.from_iterable(one.words for one in answers))
    counts = [len(one.words) for one in answers]
    sure = sum((one.confidence or 0.0) * count for one, count in zip(answers, counts, strict=True))
    written = [one.written for one in answers]
    tokens = [
        token.model_copy(
            update={"start_word": token.start_word + before, "end_word": token.end_word + before}
        )
        for one, before in zip(answers, _running(counts), strict=True)
        for token in one.written_tokens
    ]
    return answers[0].model_copy(
        update={
            "text": _together([one.text for one in answers]),
            "written": None if None in written else _together([one or "" for one in written]),
            "duration_s": sum(one.duration_s for one in answers),
            "confidence": sure / len(words) if words else None,
            "words": words,
            "written_tokens": tokens,
            "segments": list(chain.from_iterable(one.segments or () for one in answers)),
            "warnings": list(dict.fromkeys(chain.from_iterable(one.warnings for one in answers))),
        }
    )


def _moved_word(word: SpelledWordAnswer, by_s: float) -> SpelledWordAnswer:
    letters = [_later(each, by_s) for each in word.characters or ()]
    return SpelledWordAnswer.model_validate({**_later(word, by_s), "characters": letters})


def _later(timed: WordAnswer | CharacterAnswer, by_s: float) -> dict[str, object]:
    return {**dict(timed), "start_s": timed.start_s + by_s, "end_s": timed.end_s + by_s}


def _together(texts: Sequence[str]) -> str:
    return " ".join(text for text in texts if text)


def _running(counts: Sequence[int]) -> list[int]:
    """For each count, the sum of those before it."""
    sums = [0]
    for count in counts[:-1]:
        sums.append(sums[-1] + count)
    return sums
