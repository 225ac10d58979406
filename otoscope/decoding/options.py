"""How a caller may have posteriors read."""

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from otoscope.errors import OptionsError

DecoderName: TypeAlias = Literal["greedy", "beam", "beam + LM", "phrases"]
"""What decoded a recording, as results call it."""

DEFAULT_BOOST = 5.0
MOST_BOOST = 100.0
"""No belief of a model is as strong: what is boosted so is written down whatever was said."""
MOST_HOTWORDS = 1000
MOST_PHRASES = 1000


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
            raise ValueError(f"expected word or word:boost, got {item!r}") from None
    return boosts


def _phrases(value: object) -> object:
    return tuple(_items(value)) if isinstance(value, str) else value


def _items(value: str) -> list[str]:
    """Parts of a list with commas or line breaks between."""
    return [part for item in value.replace("\n", ",").split(",") if (part := item.strip())]


_Boost = Annotated[float, Field(gt=0, le=MOST_BOOST)]

BEAM_FIELDS = ("beam_width", "lm_weight", "word_bonus", "n_best", "hotwords")
"""What a beam search alone can heed."""


class DecodingOptions(BaseModel):
    """How to read the posteriors."""

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
        "texts by their letters alone.",
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
    hotwords: Annotated[dict[str, _Boost], BeforeValidator(_hotwords)] = Field(
        default={},
        max_length=MOST_HOTWORDS,
        description="Words and phrases that are expected, with commas or line breaks between, each "
        f"with an optional boost after a colon: natural log, by default {DEFAULT_BOOST:g}, at most "
        f"{MOST_BOOST:g}.",
        json_schema_extra={
            "type": "string",
            "examples": ["otoscope:8, new york"],
            "additionalProperties": None,
        },
    )
    phrases: Annotated[tuple[str, ...], BeforeValidator(_phrases)] = Field(
        default=(),
        max_length=MOST_PHRASES,
        description="A closed list, with commas or line breaks between: the answer is the phrase "
        "that was most probably said, with a probability for each, whatever `decoder` says.",
        json_schema_extra={"type": "string", "examples": ["yes, no, stop"], "items": None},
    )

    @property
    def of_beam(self) -> list[str]:
        """Those of BEAM_FIELDS that ask for something."""
        return [name for name in BEAM_FIELDS if getattr(self, name)]

    def refuse_beam_fields(self, instead: str) -> None:
        """Raise OptionsError if there is one of BEAM_FIELDS, naming what reads `instead`."""
        for name in self.of_beam:
            raise OptionsError(f"{name}: expected decoder=beam, which heeds it, got {instead}")
