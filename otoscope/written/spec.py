"""PunctuationSpec: the facts of a punctuation model, which travel in its file."""

import json
from dataclasses import dataclass, field

from otoscope.errors import SpecError
from otoscope.spec import check_language
from otoscope.strict_json import Strict, dump, loads, parse
from otoscope.vocabulary import ENGLISH, Alphabet

CASES = ("lower", "capital", "upper", "mixed")
"""How a word is written, in the order of the classes; mixed: as the lexicon says."""

MARKS = ("", ",", ".", "?", "!")
"""What follows a word, in the order of the classes."""

SENTENCE_ENDS = (".", "?", "!")
"""Those of MARKS that end a sentence."""


@dataclass(frozen=True)
class PunctuationSpec(Strict):
    """What is needed to feed a punctuation model and to read its output.

    Attributes:
        name: the model's name.
        alphabet: of the heard words.
        table_rows: of the table that a word's features are looked up in; row 0 is padding.
        pause_edges_s: where the classes of pauses part, ascending, in seconds.
        window_words: most words that go through the model at once.
        overlap_words: of neighbouring windows.
        lexicon: heard word -> how it is written where its case is mixed.
        words: learned from, with repetitions.
        sources: names of the texts.
        created: UTC date, ISO 8601.
        language: of the texts, an ISO 639 code; "" if that is not known, as of a document without
            this key.
    """

    name: str = "english"
    alphabet: Alphabet = ENGLISH
    table_rows: int = 32_768
    pause_edges_s: tuple[float, ...] = (0.05, 0.1, 0.2, 0.35, 0.6, 1.0)
    window_words: int = 128
    overlap_words: int = 32
    lexicon: dict[str, str] = field(default_factory=dict)
    words: int = 0
    sources: tuple[str, ...] = ()
    created: str = ""
    language: str = ""

    def __post_init__(self) -> None:
        if self.table_rows < 2:  # noqa: PLR2004
            raise SpecError(f"table_rows: expected 2 or more, got {self.table_rows}")
        if list(self.pause_edges_s) != sorted(set(self.pause_edges_s)):
            raise SpecError(f"pause_edges_s: expected ascending, got {self.pause_edges_s}")
        if not 0 <= self.overlap_words < self.window_words:
            raise SpecError(
                f"overlap_words: expected at least 0 and less than window_words "
                f"({self.window_words}), got {self.overlap_words}"
            )
        check_language(self.language)

    @property
    def pause_classes(self) -> int:
        """The unknown pause, which is class 0, and those between the edges."""
        return len(self.pause_edges_s) + 2

    def to_json(self) -> str:
        """One JSON document, keys in a fixed order."""
        return json.dumps(dump(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str, source: str = "punctuation spec") -> "PunctuationSpec":
        """Read what `to_json` wrote.

        Raises:
            SpecError: on unknown or missing keys, wrong types, or values that contradict.
        """
        data = loads(text, source)
        if isinstance(data, dict):
            data = {"language": "", **data}
        return parse(cls, data, source, complete=True)
