"""What the service can be asked, each question as `Work`: how it is put and read."""

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypedDict, TypeVar

import httpx
import numpy as np
from pydantic import BaseModel, ValidationError

from otoscope.client.errors import AddressError, UnexpectedAnswerError
from otoscope.client.exchange import ONCE, Call, File, Patience, Work, ask, sendable
from otoscope.client.results import Probs
from otoscope.errors import OptionsError, SpecError
from otoscope.features import FeatureMatrix, FeatureSpec
from otoscope.posteriors import LogProbs
from otoscope.schemas import (
    AlignmentAnswer,
    ModelAnswer,
    ProbsAnswer,
    ReadyAnswer,
    Transcription,
    Unit,
)
from otoscope.strict import parse

AnswerT = TypeVar("AnswerT", bound=BaseModel)

MatrixFormat: TypeAlias = Literal["json", "csv", "npy", "png"]
"""How the service writes a matrix."""

_FIRST_FRAME_S = 0.001
"""A span that holds the first frame alone."""


class TranscribeOptions(TypedDict, total=False):
    """What POST /transcribe takes beside the file, see /docs; what is None is left to the service.

    Attributes:
        hotwords: words and phrases with their boosts, or without.
        phrases: a closed list.
        probs: whether the answer's `probs` has the matrix.
        timestamps: what has its times: words, each character of them, or nothing.
        response_format: verbose_json has characters and segments, too.
    """

    response_format: Literal["json", "verbose_json"] | None
    timestamps: Literal["none", "word", "char"] | None
    decoder: Literal["greedy", "beam"] | None
    language_model: bool
    beam_width: int | None
    lm_weight: float | None
    word_bonus: float | None
    n_best: int | None
    hotwords: Mapping[str, float] | Sequence[str] | None
    phrases: Sequence[str] | None
    probs: bool


class ProbsOptions(TypedDict, total=False):
    """What part of the posteriors is wanted: by default the characters of the whole recording.

    Attributes:
        from_s, to_s: frames centred in [from_s, to_s).
    """

    unit: Unit
    from_s: float | None
    to_s: float | None


def transcribe(file: File, options: TranscribeOptions, patience: Patience) -> Work[Transcription]:
    """POST /transcribe."""
    form: dict[str, Any] = {**options}
    boosts = options.get("hotwords")
    if isinstance(boosts, Mapping):
        boosts = [f"{phrase}:{boost}" for phrase, boost in boosts.items()]
    form["hotwords"] = _listed("hotwords", boosts)
    form["phrases"] = _listed("phrases", options.get("phrases"))
    with sendable(file) as body:
        call = Call("POST", "/transcribe", data=_given(form), file=body)
        return _read(Transcription, (yield from ask(call, patience)))


def align(file: File, text: str, patience: Patience) -> Work[AlignmentAnswer]:
    """POST /align."""
    with sendable(file) as body:
        call = Call("POST", "/align", data={"text": text}, file=body)
        return _read(AlignmentAnswer, (yield from ask(call, patience)))


def transcription(result_id: str, patience: Patience) -> Work[Transcription]:
    """GET /transcriptions/{id}."""
    return _read(Transcription, (yield from ask(_of_result("GET", result_id), patience)))


def delete(result_id: str, patience: Patience) -> Work[None]:
    """DELETE /transcriptions/{id}."""
    yield from ask(_of_result("DELETE", result_id), patience)


def model(patience: Patience) -> Work[ModelAnswer]:
    """GET /model."""
    return _read(ModelAnswer, (yield from ask(Call("GET", "/model"), patience)))


def health() -> Work[ReadyAnswer]:
    """GET /health/ready, once: that it is not ready is an answer, too."""
    return _read(ReadyAnswer, (yield from ask(Call("GET", "/health/ready"), ONCE)))


def features(result_id: str, patience: Patience) -> Work[FeatureMatrix]:
    """GET /features."""
    params = {"id": result_id, "format": "npy"}
    response = yield from ask(Call("GET", "/features", params=params), patience)
    try:
        fields = json.loads(response.headers["otoscope-feature-spec"])
        spec = parse(FeatureSpec, fields, "Otoscope-Feature-Spec", complete=True)
    except (KeyError, ValueError, SpecError) as error:
        raise _unexpected(response, error) from error
    return FeatureMatrix(_matrix(response), spec)


def probs(result_id: str, options: ProbsOptions, patience: Patience) -> Work[Probs]:
    """GET /probs, twice: all numbers, and the names of their columns with the first row."""
    query = {"id": result_id, **_given(options)}
    numbers = Call("GET", "/probs", params={**query, "format": "npy"})
    response = yield from ask(numbers, patience)
    first = {**query, "format": "json", "from_s": 0.0, "to_s": _FIRST_FRAME_S}
    named = _read(ProbsAnswer, (yield from ask(Call("GET", "/probs", params=first), patience)))
    return _probs(response, named.symbols, named.unit)


def probs_of_file(file: File, options: ProbsOptions, patience: Patience) -> Work[Probs]:
    """POST /probs, and GET /model for the names of the columns."""
    response = yield from _post_probs(file, "npy", options, patience)
    spec = (yield from model(patience)).spec
    unit = options.get("unit", "character")
    symbols = spec.phonemes if unit == "phoneme" else spec.alphabet
    return _probs(response, symbols.class_names if symbols else (), unit)


def write_probs(
    file: File, form: MatrixFormat, options: ProbsOptions, patience: Patience
) -> Work[bytes]:
    """POST /probs as the service writes it."""
    return (yield from _post_probs(file, form, options, patience)).content


def _post_probs(
    file: File, form: MatrixFormat, options: ProbsOptions, patience: Patience
) -> Work[httpx.Response]:
    params = {"format": form, **_given(options)}
    with sendable(file) as body:
        return (yield from ask(Call("POST", "/probs", params=params, file=body), patience))


def _of_result(method: str, result_id: str) -> Call:
    if not result_id.isalnum():
        raise AddressError(f"expected the id of a result, got {result_id!r}")
    return Call(method, f"/transcriptions/{result_id}")


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _listed(name: str, items: Sequence[str] | None) -> str | None:
    """Items as a form holds them, line by line."""
    if not items:
        return None
    for item in items:
        if "," in item or "\n" in item:
            raise OptionsError(f"{name}: expected no commas or line breaks, got {item!r}")
    return "\n".join(items)


def _read(kind: type[AnswerT], response: httpx.Response) -> AnswerT:
    try:
        return kind.model_validate_json(response.content)
    except ValidationError as error:
        raise _unexpected(response, error) from error


def _matrix(response: httpx.Response) -> LogProbs:
    """(rows, columns) float32."""
    try:
        values = np.load(io.BytesIO(response.content), allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise _unexpected(response, error) from error
    matrix: LogProbs = np.asarray(values, dtype=np.float32)
    return matrix


def _probs(response: httpx.Response, symbols: Sequence[str], unit: Unit) -> Probs:
    values = _matrix(response)
    if values.shape[1:] != (len(symbols),):
        raise UnexpectedAnswerError(
            f"expected {len(symbols)} columns as the model has {unit}s, got shape {values.shape}"
        )
    headers = response.headers
    try:
        return Probs(
            values,
            tuple(symbols),
            float(headers["otoscope-frame-s"]),
            float(headers["otoscope-start-s"]),
            unit,
            tuple(json.loads(headers.get("otoscope-warnings", "[]"))),
        )
    except (KeyError, ValueError) as error:
        raise _unexpected(response, error) from error


def _unexpected(response: httpx.Response, error: Exception) -> UnexpectedAnswerError:
    request = response.request
    return UnexpectedAnswerError(
        f"expected what the service answers to {request.method} {request.url.path}, got: {error}"
    )
