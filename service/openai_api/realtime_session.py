"""Transcription sessions of OpenAI's Realtime API: what a client may set, and what it means here.

Fields that mean nothing to a CTC model (noise reduction, responses) are taken and passed over.
"""

import math
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from otoscope.audio import PcmEncoding
from otoscope.decoding.options import DecodingOptions
from otoscope.streaming import StreamingOptions
from otoscope.vocabulary import Alphabet
from service.openai_api.form import ALIASES, check_language, meant, prompt_hotwords
from service.served_models import ServedModel, ServedModels

REALTIME_ALIASES = ("gpt-realtime-whisper", "gpt-transcribe", "gpt-live-transcribe")
"""Further names that select a served model."""

_G711_RATE_HZ = 8000
_ENCODINGS: dict[str, PcmEncoding] = {
    "audio/pcm": "s16le",
    "audio/pcmu": "mulaw",
    "audio/pcma": "alaw",
}


class _Loose(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class AudioFormat(_Loose):
    """How samples are written."""

    type: Literal["audio/pcm", "audio/pcmu", "audio/pcma"] = "audio/pcm"
    rate: Annotated[int, Field(ge=8000, le=48_000)] | None = None


class Transcription(_Loose):
    """What to expect."""

    model: str | None = None
    language: str | None = None
    prompt: str | None = None
    keywords: list[str] | None = None


class TurnDetection(_Loose):
    """When an item ends."""

    type: Literal["server_vad", "semantic_vad"] = "server_vad"
    threshold: Annotated[float, Field(gt=0, lt=1)] | None = None
    silence_duration_ms: Annotated[int, Field(ge=200, le=10_000)] | None = None


class AudioInput(_Loose):
    """Of a session."""

    format: AudioFormat | None = None
    transcription: Transcription | None = None
    turn_detection: TurnDetection | None = None


class Audio(_Loose):
    """Of a session."""

    input: AudioInput = AudioInput()


class SessionFields(_Loose):
    """A session as a client describes it."""

    type: Literal["transcription"]
    audio: Audio = Audio()


class SessionUpdate(_Loose):
    """The event session.update."""

    session: SessionFields


@dataclass(frozen=True)
class Session:
    """A session as it is.

    Attributes:
        turns: how its items end; None where the client commits them.
    """

    format: AudioFormat = field(default_factory=AudioFormat)
    transcription: Transcription = field(default_factory=Transcription)
    turns: TurnDetection | None = field(default_factory=TurnDetection)

    @classmethod
    def of_model(cls, name: str | None, models: ServedModels) -> "Session":
        """A new one; UnknownModelError if there is no model of this name."""
        session = cls(transcription=Transcription(model=name))
        session.model_of(models)
        return session

    def updated(self, fields: SessionFields, models: ServedModels) -> "Session":
        """The session with what `fields` name.

        Raises:
            UnknownModelError, FormError: if there is no such model, or it can't do that.
        """
        given, session = fields.audio.input, self
        if given.format is not None:
            session = replace(session, format=given.format)
        if given.transcription is not None:
            wanted = given.transcription
            if wanted.model is None:
                wanted = wanted.model_copy(update={"model": self.transcription.model})
            session = replace(session, transcription=wanted)
            spec = session.model_of(models).recognizer.spec
            if wanted.language is not None:
                check_language(wanted.language, spec)
        if "turn_detection" in given.model_fields_set:
            session = replace(session, turns=given.turn_detection)
        return session

    def model_of(self, models: ServedModels) -> ServedModel:
        """The model of the session; UnknownModelError if there is none of this name."""
        name, language = self.transcription.model, self.transcription.language
        return meant(name or ALIASES[0], language, models, (*REALTIME_ALIASES, *ALIASES))

    @property
    def encoding(self) -> PcmEncoding:
        """Of its samples."""
        return _ENCODINGS[self.format.type]

    @property
    def rate_hz(self) -> int:
        """Of its samples: OpenAI's, unless the client says otherwise."""
        return 24_000 if self.encoding == "s16le" and not self.format.rate else self._rate_hz

    @property
    def _rate_hz(self) -> int:
        return self.format.rate or _G711_RATE_HZ

    def streaming(self) -> StreamingOptions:
        """How to hear it."""
        options = StreamingOptions()
        if self.turns is None:
            return replace(options, silence_s=math.inf)
        silence_ms, threshold = self.turns.silence_duration_ms, self.turns.threshold
        return replace(
            options,
            silence_s=options.silence_s if silence_ms is None else silence_ms / 1000,
            speech_probability=options.speech_probability if threshold is None else threshold,
        )

    def decoding(self, alphabet: Alphabet) -> DecodingOptions:
        """How to decode it: the words of prompt and keywords are expected a little more."""
        known = self.transcription
        words = " ".join([known.prompt or "", *(known.keywords or ())])
        return DecodingOptions(hotwords=prompt_hotwords(words, alphabet))

    def document(self) -> dict[str, Any]:
        """As OpenAI's events show it."""
        rated = {"type": self.format.type}
        if self.encoding == "s16le":
            rated |= {"rate": self.rate_hz}  # type: ignore[dict-item]
        return {
            "type": "transcription",
            "include": [],
            "audio": {
                "input": {
                    "format": rated,
                    "transcription": self.transcription.model_dump(exclude_none=True),
                    "turn_detection": self.turns and self.turns.model_dump(exclude_none=True),
                    "noise_reduction": None,
                }
            },
        }
