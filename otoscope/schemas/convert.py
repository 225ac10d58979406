"""Results -> JSON documents."""

import math
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, TypeVar

from otoscope.alignment import AlignedText
from otoscope.clock import FrameClock
from otoscope.decoding.decoder import DecodeResult
from otoscope.decoding.phrases import RankedPhrase
from otoscope.errors import AudioError
from otoscope.formats.cues import Cue, cues_of
from otoscope.recognizer import Recognizer
from otoscope.schemas.alignment import AlignedWordAnswer, AlignmentAnswer, LogProbAnswer
from otoscope.schemas.base import ModelName
from otoscope.schemas.transcription import (
    ChannelAnswer,
    HypothesisAnswer,
    PhraseAnswer,
    SegmentAnswer,
    SoundAnswer,
    SpelledWordAnswer,
    TrackAnswer,
    TranscriptAnswer,
    WrittenTokenAnswer,
)
from otoscope.transcript import Character, Word, characters_by_word
from otoscope.written.punctuator import Punctuator
from otoscope.written.text import WrittenText, WrittenToken
from otoscope.written.writer import Written

AnswerT = TypeVar("AnswerT", bound=TranscriptAnswer)


def transcript_answer(
    result: DecodeResult,
    written: Written,
    clock: FrameClock,
    model: ModelName,
    warnings: Sequence[str],
    *,
    characters: bool = True,
    segments: bool = True,
) -> TranscriptAnswer:
    """What was said, and which decoder and model recognized it.

    Args:
        result: what was said.
        written: the same as it is shown.
        clock: of the recording's posteriors.
        model: that they are of.
        warnings: about reading the recording.
        characters: whether words have theirs.
        segments: whether the text is divided into subtitles, too.
    """
    transcript = result.transcript
    spelled = zip(transcript.words, characters_by_word(transcript.characters), strict=True)
    cues = cues_of(written.words, clock.duration_s) if segments else None
    tokens = () if written.written is None else written.written.tokens
    return TranscriptAnswer(
        text=transcript.text,
        written=None if written.written is None else written.text,
        duration_s=clock.duration_s,
        frame_s=clock.frame_s,
        confidence=transcript.confidence,
        words=[_spelled_word(word, letters if characters else None) for word, letters in spelled],
        written_tokens=[WrittenTokenAnswer.model_validate(one) for one in tokens],
        segments=None if cues is None else [_segment(cue) for cue in cues],
        decoder=result.decoder,
        hypotheses=[HypothesisAnswer.model_validate(one) for one in result.hypotheses],
        phrases=[_phrase(one) for one in result.phrases],
        model=model,
        warnings=list(warnings),
    )


def by_channel(answers: Sequence[AnswerT]) -> AnswerT:
    """The channels of one recording, from the first, as one answer: each, and all by time.

    Args:
        answers: each channel's own, without segments.
    """
    channels = [
        ChannelAnswer(channel=number, **_sounds_own(one))
        for number, one in enumerate(answers, start=1)
    ]
    warnings = list(dict.fromkeys(chain.from_iterable(one.warnings for one in answers)))
    return _by_time(answers, channels=channels, warnings=warnings)


def by_track(answers: Mapping[int, AnswerT], left_out: Mapping[int, AudioError]) -> AnswerT:
    """The tracks of one recording as one answer: each, and all by time.

    Args:
        answers: each track's own by its number, without segments.
        left_out: why others could not be read.

    Raises:
        AudioError: the first of these, if no track could be read.
    """
    if not answers:
        raise next(iter(left_out.values()))
    tracks = [TrackAnswer(track=number, **_sounds_own(one)) for number, one in answers.items()]
    said = [(number, warning) for number, one in answers.items() for warning in one.warnings]
    said += [(number, f"left out: {error}") for number, error in left_out.items()]
    return _by_time(
        list(answers.values()),
        tracks=tracks,
        warnings=[f"track {number}: {warning}" for number, warning in sorted(said)],
        duration_s=max(one.duration_s for one in answers.values()),
    )


def _sounds_own(answer: TranscriptAnswer) -> dict[str, Any]:
    """What a channel or a track has of its own, in an answer about all."""
    return {name: getattr(answer, name, None) for name in SoundAnswer.model_fields}


def _by_time(answers: Sequence[AnswerT], **fields: object) -> AnswerT:
    """One answer with the words of all in order of their starts, and other `fields`."""
    words = sorted(chain.from_iterable(one.words for one in answers), key=lambda one: one.start_s)
    sums = [(one.confidence or 0.0) * len(one.words) for one in answers]
    merged: dict[str, Any] = {
        "text": " ".join(word.word for word in words),
        "words": words,
        "written": None,
        "written_tokens": [],
        "confidence": math.fsum(sums) / len(words) if words else None,
    }
    return type(answers[0])(**(dict(answers[0]) | merged | fields))


def written_words(answer: TranscriptAnswer, words: Sequence[Word]) -> tuple[Word, ...] | None:
    """What `formats.write` takes for written text; None if the answer has none.

    Args:
        answer: with words.
        words: the same, as heard.
    """
    if answer.written is None:
        return None
    tokens = (
        WrittenToken(one.text, one.start_word, one.end_word, one.mark)
        for one in answer.written_tokens
    )
    return WrittenText(tuple(tokens)).timed(words)


def alignment_answer(
    aligned: AlignedText,
    clock: FrameClock,
    frames: int,
    model: ModelName,
    warnings: Sequence[str],
) -> AlignmentAnswer:
    """Where a text is in a recording of so many frames; other arguments as `transcript_answer`."""
    return AlignmentAnswer(
        text=aligned.text,
        duration_s=clock.duration_s,
        frame_s=clock.frame_s,
        frames=frames,
        log_prob=LogProbAnswer(
            text=aligned.log_prob,
            path=aligned.path_log_prob,
            free_path=aligned.free_log_prob,
        ),
        words=[AlignedWordAnswer.model_validate(word) for word in aligned.words],
        model=model,
        warnings=list(warnings),
    )


def model_facts(recognizer: Recognizer, punctuator: Punctuator | None) -> dict[str, Any]:
    """The fields of `ModelAnswer` that the files of a model tell."""
    spec = recognizer.spec
    return {
        "name": spec.name,
        "sha256": recognizer.sha256,
        "exact_sha256": recognizer.exact_sha256,
        "parameters": spec.provenance.parameters,
        "training_hours": spec.provenance.audio_hours,
        "frame_s": spec.frame_s,
        "punctuation": punctuator and {"name": punctuator.spec.name, "sha256": punctuator.sha256},
        "spec": spec,
    }


def _spelled_word(word: Word, letters: Sequence[Character] | None) -> SpelledWordAnswer:
    return SpelledWordAnswer.model_validate({**vars(word), "characters": letters})


def _segment(cue: Cue) -> SegmentAnswer:
    return SegmentAnswer(
        start_s=cue.start_ms / 1000, end_s=cue.end_ms / 1000, text=" ".join(cue.lines)
    )


def _phrase(one: RankedPhrase) -> PhraseAnswer:
    log_prob = one.log_prob if math.isfinite(one.log_prob) else None
    return PhraseAnswer(phrase=one.phrase, probability=round(one.probability, 6), log_prob=log_prob)
