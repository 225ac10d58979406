"""What POST /transcribe answers in JSON: a transcription, without what was not asked for."""

from typing import Any

from otoscope.answers import ModelName, Transcription
from otoscope.answers.transcribed import transcript_answer
from otoscope.decoding.reading import Decoded
from service.options import Timestamps
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
    answer = transcript_answer(decoded, recognition.posteriors.clock, model, recognition.warnings)
    left_out: dict[str, Any] = {"probs": True}
    if not segments:
        left_out["segments"] = True
    if timestamps == "word":
        left_out["words"] = {"__all__": {"characters"}}
    document = Transcription(id=result_id, **answer.model_dump()).model_dump(exclude=left_out)
    if timestamps == "none":
        document["words"] = []
    return document
