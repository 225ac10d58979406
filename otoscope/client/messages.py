"""What requests say and what responses hold."""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeAlias, TypedDict, TypeVar

import httpx
import numpy as np
from pydantic import BaseModel, ValidationError

from otoscope.arrays import Floats
from otoscope.client.errors import ProblemError, UnexpectedAnswerError
from otoscope.errors import OptionsError, SpecError
from otoscope.features import FeatureMatrix, FeatureSpec
from otoscope.posteriors import LogProbs, Unit
from otoscope.schemas import Problem
from otoscope.strict_json import parse
from otoscope.transcript import Style

ModelT = TypeVar("ModelT", bound=BaseModel)

File: TypeAlias = bytes | str | Path | BinaryIO
"""A recording: its bytes, its path, or the open file, which is read from its beginning."""

_SHOWN_CHARACTERS = 200


class TranscribeOptions(TypedDict, total=False):
    """What POST /transcribe takes beside the file, see /docs; what is None is left to the service.

    Attributes:
        model: name of one of the service's models.
        hotwords: words and phrases with their boosts, or without.
        phrases: a closed list; `none_of_these` also takes none of it for an answer.
        probs: whether `probs` of the response has the matrix.
        track, channel: numbers of one of the file's sounds, from 1; track all transcribes each
            track by itself, with response_format json.
        channels: separate transcribes each channel by itself, with response_format json.
        timestamps: what has its times: words, each character of them, or nothing.
        style: written adds `written` to the response, and segments have it; verbatim does not.
        response_format: verbose_json has characters and segments, too.
    """

    model: str | None
    response_format: Literal["json", "verbose_json"] | None
    timestamps: Literal["none", "word", "char"] | None
    style: Style | None
    decoder: Literal["greedy", "beam"] | None
    language_model: bool
    beam_width: int | None
    lm_weight: float | None
    word_bonus: float | None
    n_best: int | None
    hotwords: Mapping[str, float] | Sequence[str] | None
    phrases: Sequence[str] | None
    none_of_these: bool
    probs: bool
    track: int | Literal["all"] | None
    channel: int | None
    channels: Literal["separate"] | None


class AlignOptions(TypedDict, total=False):
    """What POST /align takes beside the file and its text.

    Attributes:
        model: name of one of the service's models.
        track, channel: numbers of one of the file's sounds, from 1.
    """

    model: str | None
    track: int | None
    channel: int | None


@dataclass(frozen=True)
class ProbsFile:
    """Posteriors as a file.

    Attributes:
        body: JSON, CSV, npy or a PNG picture.
        warnings: about reading the recording.
    """

    body: bytes
    warnings: tuple[str, ...] = ()


class ProbsOptions(TypedDict, total=False):
    """What part of the posteriors to get: by default the characters of the whole recording.

    Attributes:
        from_s, to_s: frames centred in [from_s, to_s).
    """

    unit: Unit
    from_s: float | None
    to_s: float | None


class FileProbsOptions(ProbsOptions, total=False):
    """The same of a file.

    Attributes:
        model: name of one of the service's models.
    """

    model: str | None


@dataclass(frozen=True, eq=False)
class Probs:
    """P(c | x_t) of a recording, or of a part.

    Attributes:
        probs: (frames, symbols) float32; rows sum to 1.
        symbols: names of the columns, the CTC blank last.
        frame_s: seconds between frames.
        start_s: the centre of the first.
        unit: what the columns are, characters or phonemes.
        warnings: about reading the file.
    """

    probs: LogProbs
    symbols: tuple[str, ...]
    frame_s: float
    start_s: float
    unit: Unit
    warnings: tuple[str, ...] = ()

    @property
    def centers_s(self) -> Floats:
        """(frames,) the middle of each frame, in seconds from the start of the recording."""
        frames = np.arange(len(self.probs), dtype=np.float64)
        return np.asarray(self.start_s + self.frame_s * frames, dtype=np.float64)


@contextmanager
def sendable(file: File | None) -> Iterator[bytes | BinaryIO | None]:
    """A recording that can be sent more than once, if there is one; an open file stays open."""
    if file is None or isinstance(file, bytes):
        yield file
    elif isinstance(file, str | Path):
        with Path(file).open("rb") as opened:
            yield opened
    else:
        yield file if file.seekable() else io.BytesIO(file.read())


def given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that are not None."""
    return {name: value for name, value in fields.items() if value is not None}


def transcribe_form(options: TranscribeOptions) -> dict[str, Any]:
    """The options as the fields of a form."""
    boosts = options.get("hotwords")
    if isinstance(boosts, Mapping):
        boosts = [f"{phrase}:{boost}" for phrase, boost in boosts.items()]
    lists = {
        "hotwords": _lines("hotwords", boosts),
        "phrases": _lines("phrases", options.get("phrases")),
    }
    return given({**options, **lists})


def _lines(name: str, items: Sequence[str] | None) -> str | None:
    if not items:
        return None
    for item in items:
        if "," in item or "\n" in item:
            raise OptionsError(f"{name}: expected no commas or line breaks, got {item!r}")
    return "\n".join(items)


def read(kind: type[ModelT], response: httpx.Response) -> ModelT:
    """A response's JSON; UnexpectedAnswerError if it is not of this kind."""
    try:
        return kind.model_validate_json(response.content)
    except ValidationError as error:
        raise _unexpected(response, error) from error


def read_matrix(response: httpx.Response) -> LogProbs:
    """(rows, columns) float32 of a response in npy; UnexpectedAnswerError if it is not."""
    try:
        values = np.load(io.BytesIO(response.content), allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise _unexpected(response, error) from error
    matrix: LogProbs = np.asarray(values, dtype=np.float32)
    return matrix


def read_probs(response: httpx.Response, symbols: Sequence[str], unit: Unit) -> Probs:
    """The probabilities of these symbols in npy; UnexpectedAnswerError if they are not."""
    values, headers = read_matrix(response), response.headers
    if values.shape[1:] != (len(symbols),):
        raise UnexpectedAnswerError(
            f"expected {len(symbols)} columns as the model has {unit}s, got shape {values.shape}"
        )
    try:
        return Probs(
            values,
            tuple(symbols),
            float(headers["otoscope-frame-s"]),
            float(headers["otoscope-start-s"]),
            unit,
            _warnings(response),
        )
    except (KeyError, ValueError) as error:
        raise _unexpected(response, error) from error


def read_probs_file(response: httpx.Response) -> ProbsFile:
    """The file and its warnings; UnexpectedAnswerError if these are not JSON."""
    try:
        return ProbsFile(response.content, _warnings(response))
    except ValueError as error:
        raise _unexpected(response, error) from error


def _warnings(response: httpx.Response) -> tuple[str, ...]:
    return tuple(json.loads(response.headers.get("otoscope-warnings", "[]")))


def read_features(response: httpx.Response) -> FeatureMatrix:
    """The features in npy and their spec; UnexpectedAnswerError if they are not."""
    try:
        fields = json.loads(response.headers["otoscope-feature-spec"])
        spec = parse(FeatureSpec, fields, "Otoscope-Feature-Spec", complete=True)
    except (KeyError, ValueError, SpecError) as error:
        raise _unexpected(response, error) from error
    return FeatureMatrix(read_matrix(response), spec)


def checked(response: httpx.Response) -> httpx.Response:
    """The response if it is a success.

    Raises:
        ProblemError: if the service says what is wrong.
        UnexpectedAnswerError: if it is a redirection.
    """
    if response.is_success:
        return response
    if response.status_code >= HTTPStatus.BAD_REQUEST:
        raise problem_of(response)
    raise UnexpectedAnswerError(
        f"expected an answer from {response.request.url}, got HTTP {response.status_code}"
    )


def problem_of(response: httpx.Response) -> ProblemError:
    """What a response says is wrong; if it is not the service's (a proxy's), its text."""
    try:
        return ProblemError(Problem.model_validate_json(response.content))
    except ValidationError:
        status = response.status_code
        title = response.reason_phrase or f"HTTP {status}"
        text = " ".join(response.text.split())[:_SHOWN_CHARACTERS]
        return ProblemError(Problem(title=title, status=status, detail=text or "no more is known"))


def _unexpected(response: httpx.Response, error: Exception) -> UnexpectedAnswerError:
    request = response.request
    return UnexpectedAnswerError(
        f"expected what the service answers to {request.method} {request.url.path}, got: {error}"
    )
