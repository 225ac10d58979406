"""Results -> what the command writes."""

from otoscope.alignment import align
from otoscope.bulk.rendering import render
from otoscope.cli.backend import Output
from otoscope.plots import posteriorgram_png
from otoscope.recognizer import Recognition
from otoscope.schemas import AlignmentAnswer, TranscriptAnswer
from otoscope.spoken import spoken


def write(result: TranscriptAnswer | AlignmentAnswer, form: str, label: str | None) -> Output:
    """A transcription or an alignment, as `render` writes it."""
    return Output(render(result, form, label), result.duration_s, result.warnings)


def write_alignment_png(recognition: Recognition, text: str) -> Output:
    """A recording's posteriorgram with the boundaries of the words of a known text."""
    posteriors = recognition.posteriors
    said = spoken(text, posteriors.alphabet)
    words = align(posteriors, said.text or text).words
    png = posteriorgram_png(recognition.require_features(), posteriors, words=words)
    return Output(png, posteriors.clock.duration_s, (*recognition.warnings, *said.warnings))
