"""What is answered about a transcription: without what was not asked for, in any format."""

from collections.abc import Mapping, Sequence
from typing import Any

from otoscope import FrameClock
from otoscope.decoding.decoder import DecodeResult
from otoscope.formats import Timestamps, TranscriptFormat, write
from otoscope.formats.tables import to_json
from otoscope.schemas import ModelName, Transcription
from otoscope.schemas.convert import transcript_answer

ID_HEADER = "Otoscope-Transcription-ID"
"""The transcription's id, for formats that have no place for it."""


def transcription(
    result_id: str,
    decoded: DecodeResult,
    clock: FrameClock,
    model: ModelName,
    *,
    warnings: Sequence[str],
    timestamps: Timestamps,
    segments: bool,
) -> dict[str, Any]:
    """The fields of `Transcription`, without those that were not asked for, and without `probs`.

    Args:
        result_id: its id.
        decoded: what was said.
        clock: of the recording's posteriors.
        model: that heard it.
        warnings: what there was to say about the recording.
        timestamps: none leaves out the words, word their characters.
        segments: whether the text is divided into subtitles, too.
    """
    spelled = timestamps == "char"
    answer = transcript_answer(
        decoded, clock, model, warnings, characters=spelled, segments=segments
    )
    left_out: dict[str, Any] = {"probs": True}
    if not segments:
        left_out["segments"] = True
    if not spelled:
        left_out["words"] = {"__all__": {"characters"}}
    document = Transcription(id=result_id, **dict(answer)).model_dump(exclude=left_out)
    if timestamps == "none":
        document["words"] = []
    return document


def render(
    document: Mapping[str, Any],
    decoded: DecodeResult,
    clock: FrameClock,
    form: TranscriptFormat,
    timestamps: Timestamps,
) -> bytes:
    """The answer's body.

    Args:
        document: the answer if it is JSON.
        decoded: what was said.
        clock: of the recording's posteriors.
        form: the answer's format.
        timestamps: char puts the characters in a TextGrid.
    """
    if form in ("json", "verbose_json"):
        return to_json(dict(document))
    said = decoded.transcript
    characters = said.characters if timestamps == "char" else None
    return write(form, said.words, characters, clock.duration_s)
