"""How well case and punctuation are told of what a recognizer heard, with its errors and pauses."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import jiwer
import numpy as np

from otoscope.arrays import Ints
from otoscope.audio import Samples
from otoscope.transcript import Transcript
from otoscope.written.punctuator import Punctuation, Punctuator
from otoscope.written.text import pauses_after
from training.data.utterances import Utterance, load_clips
from training.punctuation.scores import F1, score
from training.punctuation.text import LabelledText, cases_of, labelled_lines, marks_of
from training.punctuation.tokens import LOWER, NOTHING, UNKNOWN_CASE

Transcribe = Callable[[Samples], Transcript]

_ENDS = (".", "?", "!")
_MOST_UTTERANCES = 8


class SpeechScores(NamedTuple):
    """Of the same passages.

    Attributes:
        reference: of what was said, without pauses.
        transcripts: of what was heard, with its pauses.
        word_error_rate: of what was heard, as a fraction.
    """

    reference: list[F1]
    transcripts: list[F1]
    word_error_rate: float


def score_speech(
    utterances: Sequence[Utterance], transcribe: Transcribe, punctuator: Punctuator, rate_hz: int
) -> SpeechScores:
    """Score recordings whose texts have case and punctuation.

    Utterances that end within a sentence are joined with those after them. Heard words are aligned
    with those that were said: what stands at a word that was not heard is missed, and what is given
    to one that was not said is wrong.

    Args:
        utterances: in the order in which they were said.
        transcribe: (samples,) float32 at `rate_hz` -> what is heard.
        punctuator: what is scored.
        rate_hz: of the samples.
    """
    due, told, paired = [], [], []
    errors = words = 0
    for passage in _passages(utterances):
        text = labelled_lines([" ".join(each.text for each in passage)])
        if not text.words:
            continue
        said = [text.types[number] for number in text.numbers.tolist()]
        transcript = transcribe(
            np.concatenate(list(load_clips([p.clip for p in passage], rate_hz)))
        )
        heard = [word.word for word in transcript.words]
        given = punctuator.punctuate(heard, pauses_after(transcript.words))
        due.append(_labels(text))
        told.append(punctuator.punctuate(said))
        pairs = jiwer.process_words(" ".join(said), " ".join(heard))
        paired.append(_aligned(due[-1], given, pairs))
        errors += pairs.substitutions + pairs.deletions + pairs.insertions
        words += len(said)
    return SpeechScores(
        score(_joined(due), _joined(told)),
        score(_joined([one for one, _ in paired]), _joined([other for _, other in paired])),
        errors / max(1, words),
    )


def _passages(utterances: Sequence[Utterance]) -> Iterator[list[Utterance]]:
    """Utterances up to the end of a sentence, all of one speaker."""
    passage: list[Utterance] = []
    for each in utterances:
        if passage and (each.speaker != passage[0].speaker or len(passage) == _MOST_UTTERANCES):
            passage = []  # its sentence has no end
        passage.append(each)
        if each.text.rstrip("\"' ").endswith(_ENDS):
            yield passage
            passage = []


def _labels(text: LabelledText) -> Punctuation:
    labels = np.asarray(text.labels)
    return Punctuation(cases_of(labels), marks_of(labels))


def _aligned(
    due: Punctuation, given: Punctuation, pairs: jiwer.WordOutput
) -> tuple[Punctuation, Punctuation]:
    """Both, word for word: said and heard, said alone, heard alone."""
    said: list[int] = []
    heard: list[int] = []
    for chunk in pairs.alignments[0]:
        ours = range(chunk.ref_start_idx, chunk.ref_end_idx)
        theirs = range(chunk.hyp_start_idx, chunk.hyp_end_idx)
        for one, other in itertools.zip_longest(ours, theirs, fillvalue=-1):
            said.append(one)
            heard.append(other)
    return _at(due, said, UNKNOWN_CASE), _at(given, heard, LOWER)


def _at(words: Punctuation, places: Sequence[int], other_case: int) -> Punctuation:
    """Those at the places; where that is -1, no punctuation and another case."""
    cases = np.append(words.cases, other_case)
    marks = np.append(words.marks, NOTHING)
    return Punctuation(cases[list(places)], marks[list(places)])


def _joined(parts: Sequence[Punctuation]) -> Punctuation:
    none: Ints = np.zeros(0, dtype=np.int64)
    return Punctuation(
        np.concatenate([none, *(part.cases for part in parts)]),
        np.concatenate([none, *(part.marks for part in parts)]),
    )
