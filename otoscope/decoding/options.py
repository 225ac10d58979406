"""How posteriors are decoded: what a caller may choose, and what suits a model."""

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from otoscope.errors import OptionsError, SpecError
from otoscope.strict_json import Strict

DecoderName: TypeAlias = Literal["greedy", "beam", "beam + LM", "phrases"]
"""What decoded a recording, as results call it."""

DEFAULT_BOOST = 5.0
MOST_BOOST = 100.0
"""No model is as sure of anything: what is boosted so is in the text whatever was said."""
MOST_HOTWORDS = 1000
MOST_PHRASES = 1000
MOST_CHARACTERS = 1000
"""Of one phrase or hot word."""
MOST_HOTWORD_CHARACTERS = 50_000
"""Of all hot words together: to look for them takes half a second of preparation."""


def _hotwords(value: object) -> object:
    """'new york:8, otoscope' -> {"new york": 8.0, "otoscope": DEFAULT_BOOST}."""
    if not isinstance(value, str):
        return value
    boosts: dict[str, float] = {}
    for item in _items(value):
        phrase, colon, boost = item.rpartition(":")
        try:
            boosts[phrase.strip() if colon else item] = float(boost) if colon else DEFAULT_BOOST
        except ValueError:
            raise ValueError(f"expected word or word:boost, got {item!r:.200}") from None
    return boosts


def _check_characters(boosts: dict[str, float]) -> dict[str, float]:
    characters = sum(map(len, boosts))
    if characters > MOST_HOTWORD_CHARACTERS:
        raise ValueError(
            f"expected at most {MOST_HOTWORD_CHARACTERS} characters together, got {characters}"
        )
    return boosts


def _phrases(value: object) -> object:
    return tuple(_items(value)) if isinstance(value, str) else value


def _items(value: str) -> list[str]:
    """Parts of a list with commas or line breaks between."""
    return [part for item in value.replace("\n", ",").split(",") if (part := item.strip())]


_Phrase = Annotated[str, Field(max_length=MOST_CHARACTERS)]
_Boost = Annotated[float, Field(gt=0, le=MOST_BOOST)]

BEAM_FIELDS = ("beam_width", "lm_weight", "word_bonus", "n_best", "hotwords")
"""What a beam search alone can heed."""


class DecodingOptions(BaseModel):
    """What a caller may choose. None is what suits the model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    decoder: Literal["greedy", "beam"] | None = Field(
        default=None,
        description="greedy reads the best path; beam searches for the best text, with a language "
        "model if there is one. By default beam if there is one, or something asked for that "
        "greedy can't heed, else greedy.",
    )
    language_model: bool = Field(
        default=True,
        description="Whether a beam search asks the language model, if there is one; false ranks "
        "texts by their characters alone.",
    )
    beam_width: int | None = Field(
        default=None, ge=1, le=2000, description="Texts that a beam search keeps at every frame."
    )
    lm_weight: float | None = Field(
        default=None, ge=0, le=10, description="Weight of the language model in a beam search."
    )
    word_bonus: float | None = Field(
        default=None, ge=-20, le=20, description="Added to a text's score for each of its words."
    )
    n_best: int | None = Field(
        default=None, ge=1, le=100, description="Hypotheses of a beam search to answer with."
    )
    hotwords: Annotated[
        dict[_Phrase, _Boost], BeforeValidator(_hotwords), AfterValidator(_check_characters)
    ] = Field(
        default={},
        max_length=MOST_HOTWORDS,
        description=f"At most {MOST_HOTWORDS} words and phrases that are expected, of at most "
        f"{MOST_CHARACTERS} characters each and {MOST_HOTWORD_CHARACTERS} together, with commas or "
        "line breaks between, each with an "
        f"optional boost after a colon: natural log, by default {DEFAULT_BOOST:g}, at most "
        f"{MOST_BOOST:g}.",
        json_schema_extra={
            "type": "string",
            "examples": ["otoscope:8, new york"],
            "additionalProperties": None,
        },
    )
    phrases: Annotated[tuple[_Phrase, ...], BeforeValidator(_phrases)] = Field(
        default=(),
        max_length=MOST_PHRASES,
        description=f"A closed list of at most {MOST_PHRASES} phrases of at most {MOST_CHARACTERS} "
        "characters each, with commas or line breaks between: the answer is the phrase that was "
        "most probably said, with a probability for each, whatever `decoder` says.",
        json_schema_extra={"type": "string", "examples": ["yes, no, stop"], "items": None},
    )

    none_of_these: bool = Field(
        default=False,
        description="Whether none of `phrases` may be the answer: an empty text, and an empty "
        "phrase in the ranking, where something else explains the sound better.",
    )

    @property
    def of_beam(self) -> list[str]:
        """Those of BEAM_FIELDS that ask for something."""
        return [name for name in BEAM_FIELDS if getattr(self, name)]

    def refuse_beam_fields(self, instead: str) -> None:
        """Raise OptionsError if there is one of BEAM_FIELDS, naming what reads `instead`."""
        for name in self.of_beam:
            raise OptionsError(f"{name}: expected decoder=beam, which heeds it, got {instead}")


@dataclass(frozen=True)
class BeamOptions(Strict):
    """How a beam search weighs and prunes.

    The defaults are neutral: characters, phonemes and language model count by their probability
    alone. What suits a model better is found on development sets, and lies beside it.

    Attributes:
        beam_width: texts kept after each frame.
        lm_weight: of the language model's natural log probability.
        word_bonus: added for each word, against the model's love of few words.
        unknown_penalty: taken off for each word outside the vocabulary, besides its P(<unk>).
        acoustic_scale: of the log posteriors; below 1 flattens them.
        prior_scale: of the symbols' log priors, where they are known, which are taken off.
        n_best: hypotheses returned.
        min_log_prob: symbols less probable than this in a frame are not tried there.
        beam_threshold: texts this much behind the best are dropped; both natural logs.
        phoneme_weight: share of the phonemes in what is acoustic, where there is a rescorer.
        n_rescored: so many of the best texts are rescored by their phonemes.
    """

    beam_width: int = 200
    lm_weight: float = 1.0
    word_bonus: float = 0.0
    unknown_penalty: float = 0.0
    acoustic_scale: float = 1.0
    prior_scale: float = 0.0
    n_best: int = 1
    min_log_prob: float = -5.0
    beam_threshold: float = 11.0
    phoneme_weight: float = 0.5
    n_rescored: int = 100

    def __post_init__(self) -> None:
        if not (self.acoustic_scale > 0 and self.prior_scale >= 0):
            raise SpecError(
                "expected acoustic_scale > 0 and prior_scale >= 0, "
                f"got {self.acoustic_scale} and {self.prior_scale}"
            )
        if not 1 <= self.n_best <= self.beam_width:
            raise SpecError(
                "expected beam_width >= n_best >= 1, "
                f"got beam_width {self.beam_width} and n_best {self.n_best}"
            )


@dataclass(frozen=True)
class ModelDecoding(Strict):
    """decoding.json: the options of a beam search that suit one model and its language model.

    Attributes:
        model_sha256: of the exact model that they were chosen for; they serve its 8-bit form, too.
        beam: where a caller asks for nothing else.
    """

    model_sha256: str
    beam: BeamOptions
