"""What POST /transcribe answers in JSON: how a recognition becomes a document."""

import math
from collections.abc import Sequence
from typing import Any

from otoscope import Character, Word
from otoscope.decoding.beam import Hypothesis
from otoscope.decoding.phrases import RankedPhrase
from otoscope.transcript import spelled
from otoscope.writers.cues import Cue, cues_of
from service.decoding import Decoded
from service.options import Timestamps
from service.schemas import (
    CharacterAnswer,
    HypothesisAnswer,
    ModelName,
    PhraseAnswer,
    SegmentAnswer,
    SpelledWordAnswer,
    Transcription,
)
from service.transcriber import Recognition


def transcription(
    result_id: str,
    recognition: Recognition,
    decoded: Decoded,
    model: ModelName,
    *,
    timestamps: Timestamps,
    segments: bool,
) -> dict[str, Any]:
    """The fields of `Transcription`, without those that were not asked for, and without `probs`.

    Args:
        result_id: its id.
        recognition: of the recording.
        decoded: what was said.
        model: that heard it.
        timestamps: none leaves out the words, word their characters.
        segments: whether the text is divided into subtitles, too.
    """
    transcript, clock = decoded.transcript, recognition.posteriors.clock
    cues = cues_of(transcript.words, clock.duration_s) if segments else ()
    answer = Transcription(
        id=result_id,
        text=transcript.text,
        duration_s=round(clock.duration_s, 3),
        frame_s=clock.frame_s,
        confidence=None if transcript.confidence is None else round(transcript.confidence, 4),
        words=[]
        if timestamps == "none"
        else [
            _word(word, letters)
            for word, letters in zip(transcript.words, spelled(transcript.characters), strict=True)
        ],
        segments=[_segment(cue) for cue in cues],
        decoder=decoded.decoder,
        hypotheses=[_hypothesis(one) for one in decoded.hypotheses],
        phrases=[_phrase(one) for one in decoded.phrases],
        model=model,
        warnings=list(recognition.warnings),
    )
    left_out: dict[str, Any] = {"probs": True}
    if not segments:
        left_out["segments"] = True
    if timestamps == "word":
        left_out["words"] = {"__all__": {"characters"}}
    return answer.model_dump(exclude=left_out)


def _word(word: Word, letters: Sequence[Character]) -> SpelledWordAnswer:
    return SpelledWordAnswer(
        word=word.word,
        start_s=round(word.start_s, 3),
        end_s=round(word.end_s, 3),
        confidence=round(word.confidence, 4),
        characters=[
            CharacterAnswer(
                character=letter.character,
                start_s=round(letter.start_s, 3),
                end_s=round(letter.end_s, 3),
                confidence=round(letter.confidence, 4),
            )
            for letter in letters
        ],
    )


def _segment(cue: Cue) -> SegmentAnswer:
    return SegmentAnswer(
        start_s=cue.start_ms / 1000, end_s=cue.end_ms / 1000, text=" ".join(cue.lines)
    )


def _hypothesis(one: Hypothesis) -> HypothesisAnswer:
    return HypothesisAnswer(
        text=one.transcript.text,
        score=round(one.score, 4),
        acoustic=round(one.acoustic, 4),
        lm=round(one.lm, 4),
        bonus=round(one.bonus, 4),
    )


def _phrase(one: RankedPhrase) -> PhraseAnswer:
    log_prob = round(one.log_prob, 4) if math.isfinite(one.log_prob) else None
    return PhraseAnswer(phrase=one.phrase, probability=round(one.probability, 6), log_prob=log_prob)
