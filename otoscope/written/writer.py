"""Transcripts -> written text, as far as a caller wants it and there is a model for it."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from otoscope.decoding.decoder import DecodeResult
from otoscope.errors import ModelFileError
from otoscope.spec import ModelSpec
from otoscope.transcript import Style, Transcript, Word
from otoscope.written.punctuator import FILE_NAME, Punctuator
from otoscope.written.text import WrittenText, pauses_after, write

_NO_MODEL = f"there is no {FILE_NAME} beside the model"
_PHRASES = "phrases of a closed list stay as they were given"


@dataclass(frozen=True)
class Written:
    """A transcript as it is shown to people.

    Attributes:
        heard: the transcript.
        written: None if it stays as heard.
        warnings: why it does although written text was asked for.
    """

    heard: Transcript
    written: WrittenText | None = None
    warnings: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Written, or as heard."""
        return self.heard.text if self.written is None else str(self.written)

    @property
    def words(self) -> tuple[Word, ...]:
        """The words of `text`, with times; a number is one."""
        words = self.heard.words
        return words if self.written is None else self.written.timed(words)


@dataclass(frozen=True)
class Writer:
    """Writes transcripts. Safe to call from several threads.

    Attributes:
        punctuator: the model; None if there is none, and all stays as heard.
        stage: entered while a transcript is written.
    """

    punctuator: Punctuator | None = None
    stage: Callable[[], AbstractContextManager[None]] = nullcontext

    def write(self, result: DecodeResult, style: Style | None = None) -> Written:
        """The text of a transcript.

        Phrases of a closed list stay as they are: who gave the list looks for them.

        Args:
            result: what was said.
            style: None is written text where that can be had.
        """
        heard = result.transcript
        if style == "verbatim":
            return Written(heard)
        if self.punctuator is None or result.decoder == "phrases":
            why = _NO_MODEL if self.punctuator is None else _PHRASES
            warnings = (f"the text is as heard: {why}",) if style == "written" else ()
            return Written(heard, warnings=warnings)
        return Written(heard, self.write_words(heard.words))

    def in_style(self, style: Style | None) -> "Writer":
        """This one, or for verbatim text one that leaves all as heard."""
        return Writer() if style == "verbatim" else self

    def write_words(self, words: tuple[Word, ...]) -> WrittenText | None:
        """The written text of words that were heard; None if there is no model for it."""
        if self.punctuator is None:
            return None
        with self.stage():
            heard = [each.word for each in words]
            return write(heard, self.punctuator, pauses_after(words))


def open_writer(
    spec: ModelSpec,
    model_path: Path,
    lm_path: Path | None,
    stage: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Writer:
    """Load the punctuation model of an acoustic model.

    Args:
        spec: the acoustic model's.
        model_path: punctuation.onnx is looked for beside it, then beside the language model: both
            are about a language's words, so models of one language may share them.
        lm_path: of the language model; None if it lies beside the model, if anywhere.
        stage: of `Writer`.

    Raises:
        ModelFileError: naming the file that can't be used, or that is made for other models.
    """
    folders = [path.parent for path in (model_path, lm_path) if path is not None]
    for folder in folders:
        if (folder / FILE_NAME).is_file():
            return Writer(_punctuator(folder / FILE_NAME, spec), stage)
    return Writer(None, stage)


def _punctuator(path: Path, spec: ModelSpec) -> Punctuator:
    """The punctuation model in a file, if it is of the acoustic model's language and alphabet."""
    punctuator = Punctuator(path)
    own = punctuator.spec
    problem = ""
    if spec.language and own.language and spec.language != own.language:
        problem = f"texts in {spec.language!r}, got one of {own.language!r}"
    elif set(own.alphabet.symbols) != set(spec.alphabet.symbols):
        problem = f"the symbols {spec.alphabet.joined!r}, got {own.alphabet.joined!r}"
    if problem:
        raise ModelFileError(
            f"{path}: expected a punctuation model for the model {spec.name!r}, of {problem}: "
            "take the file away"
        )
    return punctuator
