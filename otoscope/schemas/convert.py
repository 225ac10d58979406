"""What a decoder read, as JSON: times to the millisecond, scores to four decimals."""

import math
from collections.abc import Sequence

from otoscope.decoding.beam_decoder import Hypothesis
from otoscope.decoding.decoder import DecodeResult
from otoscope.decoding.phrases import RankedPhrase
from otoscope.formats.cues import Cue, cues_of
from otoscope.posteriors import FrameClock
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
    decoded: DecodeResult,
    clock: FrameClock,
    model: ModelName,
    warnings: Sequence[str],
    *,
    characters: bool = True,
    segments: bool = True,
) -> TranscriptAnswer:
    """What was said, and which decoder and model heard it.

    Args:
        decoded: what was said.
        clock: of the recording's posteriors.
        model: that heard it.
        warnings: what there was to say about the recording.
        characters: whether words have theirs.
        segments: whether the text is divided into subtitles, too.
    """
    transcript = decoded.transcript
    letters = characters_by_word(transcript.characters)
    cues = cues_of(transcript.words, clock.duration_s) if segments else None
    return TranscriptAnswer(
        text=transcript.text,
        duration_s=round(clock.duration_s, 3),
        frame_s=clock.frame_s,
        confidence=None if transcript.confidence is None else round(transcript.confidence, 4),
        words=[
            _word(word, spelling if characters else None)
            for word, spelling in zip(transcript.words, letters, strict=True)
        ],
        segments=None if cues is None else [_segment(cue) for cue in cues],
        decoder=decoded.decoder,
        hypotheses=[_hypothesis(one) for one in decoded.hypotheses],
        phrases=[_phrase(one) for one in decoded.phrases],
        model=model,
        warnings=list(warnings),
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


def _word(word: Word, letters: Sequence[Character] | None) -> SpelledWordAnswer:
    return SpelledWordAnswer(
        word=word.word,
        start_s=round(word.start_s, 3),
        end_s=round(word.end_s, 3),
        confidence=round(word.confidence, 4),
        characters=None if letters is None else [_character(letter) for letter in letters],
    )


def _character(letter: Character) -> CharacterAnswer:
    return CharacterAnswer(
        character=letter.character,
        start_s=round(letter.start_s, 3),
        end_s=round(letter.end_s, 3),
        confidence=round(letter.confidence, 4),
    )


def _segment(cue: Cue) -> SegmentAnswer:
    return SegmentAnswer(
        start_s=cue.start_ms / 1000, end_s=cue.end_ms / 1000, text=" ".join(cue.lines)
    )
