"""A transcription in the forms of OpenAI's API reference.

Where Whisper's numbers have no counterpart in a CTC model, the field's description says what it has
instead.
"""

import math
import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from statistics import fmean
from typing import Literal

from pydantic import Field

from otoscope import Character, ModelSpec, Posteriors, Word
from otoscope.schemas import Answer
from otoscope.transcript import characters_by_word, segments_of
from otoscope.written.spec import SENTENCE_ENDS
from otoscope.written.writer import Written
from service.openai_api.languages import language_of

_PAUSE_S = 1.0
"""A pause of so long between words begins a segment of a text without punctuation."""

_SEGMENT_S = 30.0
"""No segment is longer, as in Whisper, unless it is a single word."""

_TIME_DECIMALS = 3
_LOGPROB_DECIMALS = 6


class Usage(Answer):
    """What OpenAI would bill."""

    type: Literal["duration"] = "duration"
    seconds: int = Field(description="Length of the recording, rounded up.", examples=[2])


class Logprob(Answer):
    """One character of the text."""

    token: str = Field(examples=["h"])
    bytes: list[int] = Field(description="The token in UTF-8.", examples=[[104]])
    logprob: float = Field(description="Natural log of its highest posterior.", examples=[-0.02])


class WordTime(Answer):
    """A word and when it was said, in seconds."""

    word: str = Field(
        description='As the text has it, with its punctuation. A number, "10:30 a.m." say, is '
        "one word, with the times of all that it was heard as."
    )
    start: float
    end: float


class Segment(Answer):
    """A sentence; with style=verbatim, words without a long pause between them."""

    id: int = Field(description="Counts from 0.")
    seek: int = Field(default=0, description="Always 0: times count from the recording's start.")
    start: float = Field(description="In seconds.", examples=[0.34])
    end: float = Field(description="In seconds.", examples=[0.7])
    text: str = Field(
        description="Begins with a space, as Whisper's do.", examples=[" hello world"]
    )
    tokens: list[int] = Field(
        description="Classes of its characters, as heard, in the model's alphabet."
    )
    temperature: float = Field(default=0.0, description="Always 0: nothing is sampled.")
    avg_logprob: float = Field(
        description="Mean over its characters, without spaces, of the natural log of each one's "
        "highest posterior. Characters, not Whisper's tokens: thresholds do not carry over."
    )
    compression_ratio: float = Field(description="Bytes of the text by bytes once deflated.")
    no_speech_prob: float = Field(
        description="CTC's probability of no character at all in the segment's frames: the product "
        "of their blanks. Whisper has a token for silence; here this is close to 0 where there is "
        "text, and segments without text do not exist."
    )


class JsonAnswer(Answer):
    """response_format json."""

    text: str = Field(examples=["hello world"])
    logprobs: list[Logprob] | None = Field(
        default=None,
        description="There if asked for with include[]=logprobs: of the text as heard.",
    )
    usage: Usage


class VerboseAnswer(Answer):
    """response_format verbose_json."""

    task: Literal["transcribe"] = "transcribe"
    language: str = Field(description="The model's; unknown if its name does not tell.")
    duration: float = Field(description="Length of the recording in seconds.")
    text: str = Field(examples=["hello world"])
    segments: list[Segment] | None = Field(
        default=None, description="There unless timestamp_granularities[] asks for words only."
    )
    words: list[WordTime] | None = Field(
        default=None, description="There if asked for with timestamp_granularities[]=word."
    )
    usage: Usage


class ModelCard(Answer):
    """The model that is served."""

    id: str = Field(examples=["english"])
    object: Literal["model"] = "model"
    created: int = Field(
        description="When it was trained, Unix time; 0 if its file does not say.",
        examples=[1795305600],
    )
    owned_by: Literal["otoscope"] = "otoscope"


class ModelList(Answer):
    """The models that are served: one."""

    object: Literal["list"] = "list"
    data: list[ModelCard]


def json_answer(said: Written, duration_s: float, *, logprobs: bool) -> JsonAnswer:
    """The text, and if wanted the log-probability of each character as heard."""
    return JsonAnswer(
        text=said.text,
        logprobs=logprobs_of(said) if logprobs else None,
        usage=Usage(seconds=math.ceil(duration_s)),
    )


def verbose_answer(
    said: Written, posteriors: Posteriors, spec: ModelSpec, granularities: Sequence[str]
) -> VerboseAnswer:
    """The text with times.

    Args:
        said: what was said.
        posteriors: that it was decoded from.
        spec: of the model that gave them.
        granularities: "word", "segment" or both; nothing means "segment".
    """
    language = language_of(spec)
    words, duration_s = said.words, posteriors.clock.duration_s
    return VerboseAnswer(
        language="unknown" if language is None else language.name,
        duration=_time(duration_s),
        text=said.text,
        segments=None
        if granularities and "segment" not in granularities
        else _segments(said, posteriors),
        words=[WordTime(word=w.word, start=_time(w.start_s), end=_time(w.end_s)) for w in words]
        if "word" in granularities
        else None,
        usage=Usage(seconds=math.ceil(duration_s)),
    )


def model_card(spec: ModelSpec, name: str) -> ModelCard:
    """The model as GET /v1/models lists it, by that name; created at 0 if its spec has no date."""
    return ModelCard(id=name, created=_unix_time(spec.provenance.created))


def logprobs_of(said: Written) -> list[Logprob]:
    """Of each character as heard."""
    return list(_logprobs(said.heard.characters))


def _logprobs(characters: Sequence[Character]) -> Iterator[Logprob]:
    """Of the characters that make the text: spaces stand between words only, one at a time."""
    space: Character | None = None
    started = False
    for character in characters:
        if character.character == " ":
            space = space or character
            continue
        if space is not None and started:
            yield _logprob(space)
        yield _logprob(character)
        space, started = None, True


def _logprob(character: Character) -> Logprob:
    return Logprob(
        token=character.character,
        bytes=list(character.character.encode()),
        logprob=round(_log(character.confidence), _LOGPROB_DECIMALS),
    )


def _begins_sentence(first: Word, last: Word, word: Word) -> bool:
    return last.mark in SENTENCE_ENDS or word.end_s - first.start_s > _SEGMENT_S


def _begins_segment(first: Word, last: Word, word: Word) -> bool:
    return word.start_s - last.end_s >= _PAUSE_S or word.end_s - first.start_s > _SEGMENT_S


def _segments(said: Written, posteriors: Posteriors) -> list[Segment]:
    words, heard = said.words, said.heard
    begins = _begins_segment if said.written is None else _begins_sentence
    tokens = said.written.tokens if said.written is not None else ()
    ends = [token.end_word for token in tokens] or range(1, len(words) + 1)
    # Words may have calibrated confidences; their characters keep their posteriors.
    spellings = list(characters_by_word(heard.characters))
    segments: list[Segment] = []
    place = start = 0
    for segment in segments_of(words, begins):
        place += len(segment)
        end = ends[place - 1]
        inside = chain.from_iterable(spellings[start:end])
        avg_logprob = fmean(_log(each.confidence) for each in inside)
        text = " ".join(word.word for word in heard.words[start:end])
        segments.append(_segment(len(segments), segment, text, avg_logprob, posteriors))
        start = end
    return segments


def _segment(
    index: int, words: Sequence[Word], heard: str, avg_logprob: float, posteriors: Posteriors
) -> Segment:
    text = " ".join(word.word for word in words)
    start_s, end_s = words[0].start_s, words[-1].end_s
    written = text.encode()
    return Segment(
        id=index,
        start=_time(start_s),
        end=_time(end_s),
        text=f" {text}",
        tokens=posteriors.alphabet.encode(heard).tolist(),
        avg_logprob=round(avg_logprob, _LOGPROB_DECIMALS),
        compression_ratio=round(len(written) / len(zlib.compress(written)), 4),
        no_speech_prob=_probability_of_nothing(posteriors, start_s, end_s),
    )


def _probability_of_nothing(posteriors: Posteriors, start_s: float, end_s: float) -> float:
    """CTC's probability that the frames from `start_s` to `end_s`, edges of frames, are blank."""
    inside_s = posteriors.clock.frame_s / 4  # away from the edges, where rounding would decide
    start = posteriors.clock.frame_at(start_s + inside_s)
    stop = posteriors.clock.frame_at(end_s - inside_s) + 1
    blanks = posteriors.log_probs[start:stop, posteriors.alphabet.blank_index]
    return math.exp(min(0.0, float(blanks.sum(dtype=float))))


def _log(confidence: float) -> float:
    return math.log(max(confidence, 1e-30))


def _time(seconds: float) -> float:
    return round(seconds, _TIME_DECIMALS)


def _unix_time(created: str) -> int:
    """Midnight, UTC, of an ISO 8601 date; 0 if there is none."""
    try:
        return int(datetime.fromisoformat(created).replace(tzinfo=UTC).timestamp())
    except ValueError:
        return 0
