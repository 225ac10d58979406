"""Results -> JSON documents: times to the millisecond, scores to four decimals."""

import math
from collections.abc import Sequence
from typing import Any

from otoscope.alignment import AlignedCharacter, AlignedText, AlignedWord
from otoscope.clock import FrameClock
from otoscope.decoding.beam_decoder import Hypothesis
from otoscope.decoding.decoder import DecodeResult
from otoscope.decoding.phrases import RankedPhrase
from otoscope.formats.cues import Cue, cues_of
from otoscope.schemas.alignment import (
    AlignedCharacterAnswer,
    AlignedWordAnswer,
    AlignmentAnswer,
    LogProbAnswer,
)
from otoscope.schemas.transcription import (
    CharacterAnswer,
    HypothesisAnswer,
    ModelName,
    PhraseAnswer,
    SegmentAnswer,
    SpelledWordAnswer,
    TranscriptAnswer,
)
from otoscope.transcript import Character, Word, characters_by_word


def transcript_answer(
    result: DecodeResult,
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
        clock: of the recording's posteriors.
        model: that they are of.
        warnings: about reading the recording.
        characters: whether words have theirs.
        segments: whether the text is divided into subtitles, too.
    """
    transcript = result.transcript
    spelled = zip(transcript.words, characters_by_word(transcript.characters), strict=True)
    cues = cues_of(transcript.words, clock.duration_s) if segments else None
    return TranscriptAnswer(
        text=transcript.text,
        duration_s=round(clock.duration_s, 3),
        frame_s=clock.frame_s,
        confidence=None if transcript.confidence is None else round(transcript.confidence, 4),
        words=[_spelled_word(word, letters if characters else None) for word, letters in spelled],
        segments=None if cues is None else [_segment(cue) for cue in cues],
        decoder=result.decoder,
        hypotheses=[_hypothesis(one) for one in result.hypotheses],
        phrases=[_phrase(one) for one in result.phrases],
        model=model,
        warnings=list(warnings),
    )


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
        duration_s=round(clock.duration_s, 3),
        frame_s=clock.frame_s,
        frames=frames,
        log_prob=LogProbAnswer(
            text=round(aligned.log_prob, 4),
            path=round(aligned.path_log_prob, 4),
            free_path=round(aligned.free_log_prob, 4),
        ),
        words=[_aligned_word(word) for word in aligned.words],
        model=model,
        warnings=list(warnings),
    )


def _spelled_word(word: Word, letters: Sequence[Character] | None) -> SpelledWordAnswer:
    characters = None
    if letters is not None:
        characters = [CharacterAnswer(character=one.character, **_times(one)) for one in letters]
    return SpelledWordAnswer(word=word.word, **_times(word), characters=characters)


def _aligned_word(word: AlignedWord) -> AlignedWordAnswer:
    characters = [
        AlignedCharacterAnswer(character=one.character, **_times(one), **_frames(one))
        for one in word.characters
    ]
    return AlignedWordAnswer(
        word=word.word,
        **_times(word),
        **_frames(word),
        gop=round(word.gop, 4),
        gop_start_frame=word.gop_start_frame,
        gop_end_frame=word.gop_end_frame,
        characters=characters,
    )


def _times(part: Word | Character) -> dict[str, Any]:
    return {
        "start_s": round(part.start_s, 3),
        "end_s": round(part.end_s, 3),
        "confidence": round(part.confidence, 4),
    }


def _frames(part: AlignedWord | AlignedCharacter) -> dict[str, Any]:
    return {
        "start_frame": part.start_frame,
        "end_frame": part.end_frame,
        "score": round(part.score, 4),
    }


def _segment(cue: Cue) -> SegmentAnswer:
    return SegmentAnswer(
        start_s=cue.start_ms / 1000, end_s=cue.end_ms / 1000, text=" ".join(cue.lines)
    )


def _hypothesis(one: Hypothesis) -> HypothesisAnswer:
    return HypothesisAnswer(
        text=one.text,
        score=round(one.score, 4),
        acoustic=round(one.acoustic, 4),
        lm=round(one.lm, 4),
        bonus=round(one.bonus, 4),
    )


def _phrase(one: RankedPhrase) -> PhraseAnswer:
    log_prob = round(one.log_prob, 4) if math.isfinite(one.log_prob) else None
    return PhraseAnswer(phrase=one.phrase, probability=round(one.probability, 6), log_prob=log_prob)
