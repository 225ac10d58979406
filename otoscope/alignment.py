"""Forced alignment: which frames show each character of a text that is known.

The most probable CTC path that spells the text (otoscope.ctc.viterbi), read as times and scores. A
CTC model is free to show a symbol in one frame of the sound it stands for, or a little beside it,
and says blank in the rest: a character's frames are those in which the model showed it, not those
in which it sounded.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from otoscope import ctc
from otoscope.arrays import Bools, Floats
from otoscope.decoding.greedy import transcript_of
from otoscope.errors import EmptyTextError
from otoscope.posteriors import Posteriors
from otoscope.transcript import Character, Word


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
            frames gop_start_frame to gop_end_frame - 1. See `_words`.
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
    free = log_probs.argmax(axis=1).astype(np.int64)
    frames = np.arange(free.size)
    free_scores = log_probs[frames, free].astype(np.float64)
    scores = log_probs[frames, best.path].astype(np.float64)
    transcript = transcript_of(best.path, posteriors)
    runs = [run for run in ctc.runs(best.path) if run.label != alphabet.blank_index]
    characters = tuple(
        AlignedCharacter(
            **vars(character),
            start_frame=run.start,
            end_frame=run.stop,
            score=float(scores[run.start : run.stop].mean()),
        )
        for character, run in zip(transcript.characters, runs, strict=True)
    )
    said = (best.path != alphabet.blank_index) | (free != alphabet.blank_index)
    path = _Path(scores, scores - free_scores, said)
    return AlignedText(
        text=normalized,
        characters=characters,
        words=tuple(_words(transcript.words, characters, path)),
        log_prob=ctc.forward_log_prob(log_probs, labels, alphabet.blank_index),
        path_log_prob=best.log_prob,
        free_log_prob=float(free_scores.sum()),
    )


class _Path(NamedTuple):
    """The path that spells the text beside the free best path, (T',) each.

    Attributes:
        scores: natural log posterior of its class in each frame.
        differences: how far these are behind the free best path's.
        said: bool, whether one of the two shows a symbol.
    """

    scores: Floats
    differences: Floats
    said: Bools


def _words(
    words: Sequence[Word], characters: Sequence[AlignedCharacter], path: _Path
) -> Iterator[AlignedWord]:
    """Words with their characters; one space stands between words, as `normalize` writes it.

    For goodness of pronunciation all that was said between the spaces counts, so that a sound which
    the text lacks lowers it, also where it comes before the first character or after the last.
    Outer frames where both paths show the blank are left out: they add nothing to the difference of
    the two, and a pause would make any pronunciation look better.
    """
    first = 0
    for word in words:
        last = first + len(word.word)
        own = tuple(characters[first:last])
        start, stop = own[0].start_frame, own[-1].end_frame
        after = characters[first - 1].end_frame if first else 0
        before = characters[last].start_frame if last < len(characters) else path.said.size
        said = after + np.flatnonzero(path.said[after:before])
        gop_start, gop_stop = int(said[0]), int(said[-1]) + 1
        yield AlignedWord(
            **vars(word),
            start_frame=start,
            end_frame=stop,
            score=float(path.scores[start:stop].mean()),
            gop=float(path.differences[gop_start:gop_stop].mean()),
            gop_start_frame=gop_start,
            gop_end_frame=gop_stop,
            characters=own,
        )
        first = last + 1
