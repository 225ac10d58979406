"""Forced alignment: which frames show each character of a text that is known.

The most probable CTC path that spells the text (otoscope.ctc.viterbi), read as times and scores. A
CTC model is free to show a symbol in one frame of the sound it stands for, or a little beside it,
and says blank in the rest: a character's frames are those in which the model showed it, not those
in which it sounded.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from otoscope import ctc
from otoscope.decoding.greedy import transcript_of
from otoscope.errors import EmptyTextError
from otoscope.posteriors import Posteriors
from otoscope.transcript import Character, Transcript, Word

FrameScores = npt.NDArray[np.float64]  # (frames T',) float64, natural log


@dataclass(frozen=True)
class AlignedCharacter(Character):
    """One symbol of the text and the frames that show it, a space included.

    Attributes:
        start_frame, end_frame: the first of its frames and the first after them.
        score: mean natural log posterior of the character in its frames, 0 at best.
    """

    start_frame: int
    end_frame: int
    score: float


@dataclass(frozen=True)
class AlignedWord(Word):
    """Characters between spaces, and how well the sound agrees with them.

    Attributes:
        start_frame, end_frame: its first character's first frame, and the first after its last
            character's.
        score: mean natural log posterior of the path in these frames, blanks included.
        gop: goodness of pronunciation (Witt and Young 2000), 0 at best: how much less probable the
            path that spells the text is than the free best path, in natural log a frame, over the
            frames gop_start_frame to gop_end_frame - 1. See `_scored`.
        characters: its own, in order.
    """

    start_frame: int
    end_frame: int
    score: float
    gop: float
    gop_start_frame: int
    gop_end_frame: int
    characters: tuple[AlignedCharacter, ...]


@dataclass(frozen=True)
class AlignedText:
    """A text laid over a recording.

    Attributes:
        text: what was aligned: the given text in the alphabet's symbols.
        characters: every symbol of the text once, in order, spaces included.
        log_prob: log P(text | X), summed over all paths that spell the text.
        path_log_prob: log of the best of them, the one that all frames and times are of.
        free_log_prob: log of the best path that may spell anything: greedy decoding's.
    """

    text: str
    characters: tuple[AlignedCharacter, ...]
    words: tuple[AlignedWord, ...]
    log_prob: float
    path_log_prob: float
    free_log_prob: float


def align(posteriors: Posteriors, text: str) -> AlignedText:
    """Lay `text` over the recording that `posteriors` are of.

    Time grows with frames times characters, memory with the square root of frames times characters.

    Raises:
        EmptyTextError: if no symbol is left of the text.
        UnsupportedTextError: naming what the alphabet can't express.
        UnalignableTextError: if the text needs more frames than there are, with both numbers.
    """
    alphabet, log_probs = posteriors.alphabet, posteriors.log_probs
    normalized = alphabet.normalize(text)
    if not normalized:
        raise EmptyTextError(
            f"expected text with at least one of {''.join(alphabet.symbols)!r}, got {text!r:.80}"
        )
    labels = alphabet.encode(normalized)
    best = ctc.viterbi(log_probs, labels, alphabet.blank_index)
    paths = _Paths.of(best.path, posteriors)
    transcript = transcript_of(best.path, posteriors)
    characters = tuple(_characters(transcript, paths))
    return AlignedText(
        text=normalized,
        characters=characters,
        words=tuple(_words(transcript, characters, paths)),
        log_prob=ctc.forward_log_prob(log_probs, labels, alphabet.blank_index),
        path_log_prob=best.log_prob,
        free_log_prob=float(paths.free_scores.sum()),
    )


@dataclass(frozen=True)
class _Paths:
    """The path that spells the text beside the free best path, frame by frame.

    Attributes:
        forced, free: (T',) int64, the class of each frame.
        forced_scores, free_scores: natural log posteriors of these classes.
        blank: the blank's class.
    """

    forced: ctc.Labels
    free: ctc.Labels
    forced_scores: FrameScores
    free_scores: FrameScores
    blank: int

    @classmethod
    def of(cls, forced: ctc.Labels, posteriors: Posteriors) -> "_Paths":
        log_probs = posteriors.log_probs
        free = log_probs.argmax(axis=1).astype(np.int64)
        frames = np.arange(forced.size)
        return cls(
            forced,
            free,
            log_probs[frames, forced].astype(np.float64),
            log_probs[frames, free].astype(np.float64),
            posteriors.alphabet.blank_index,
        )


def _characters(transcript: Transcript, paths: _Paths) -> Iterator[AlignedCharacter]:
    shown = [run for run in ctc.runs(paths.forced) if run.label != paths.blank]
    for character, run in zip(transcript.characters, shown, strict=True):
        yield AlignedCharacter(
            **vars(character),
            start_frame=run.start,
            end_frame=run.stop,
            score=float(paths.forced_scores[run.start : run.stop].mean()),
        )


def _words(
    transcript: Transcript, characters: Sequence[AlignedCharacter], paths: _Paths
) -> Iterator[AlignedWord]:
    """Words with their characters; one space stands between words, as `normalize` writes it."""
    at = 0
    for word in transcript.words:
        stop = at + len(word.word)
        after = characters[at - 1].end_frame if at else 0
        before = characters[stop].start_frame if stop < len(characters) else paths.forced.size
        yield _word(word, tuple(characters[at:stop]), _scored(paths, after, before), paths)
        at = stop + 1


def _word(
    word: Word, characters: tuple[AlignedCharacter, ...], scored: range, paths: _Paths
) -> AlignedWord:
    start, stop = characters[0].start_frame, characters[-1].end_frame
    frames = slice(scored.start, scored.stop)
    return AlignedWord(
        **vars(word),
        start_frame=start,
        end_frame=stop,
        score=float(paths.forced_scores[start:stop].mean()),
        gop=float((paths.forced_scores[frames] - paths.free_scores[frames]).mean()),
        gop_start_frame=scored.start,
        gop_end_frame=scored.stop,
        characters=characters,
    )


def _scored(paths: _Paths, after: int, before: int) -> range:
    """The frames by which a word is scored, out of those between the spaces around it.

    All that was said between the spaces counts, so that a sound which the text lacks lowers the
    score, also where it comes before the first character or after the last. Outer frames where
    both paths show the blank are left out: they add nothing to the difference of the two, and a
    pause would make any pronunciation look better.
    """
    said = (paths.forced[after:before] != paths.blank) | (paths.free[after:before] != paths.blank)
    frames = after + np.flatnonzero(said)
    return range(int(frames[0]), int(frames[-1]) + 1)
