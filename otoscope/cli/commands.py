"""The commands: options in, how many files failed out."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ValidationError

from otoscope.cli import writing
from otoscope.cli.backend import Backend, Output, Recording
from otoscope.cli.batch import STDIN, Plan, make_plan, run
from otoscope.cli.errors import UsageError
from otoscope.cli.information import show
from otoscope.cli.local_backend import LocalBackend
from otoscope.decoding.options import DecodingOptions
from otoscope.errors import TextError
from otoscope.formats import MatrixFormat
from otoscope.formats.posteriors import Selection

OptionsT = TypeVar("OptionsT", bound=BaseModel)


def transcribe(options: argparse.Namespace) -> int:
    """Write down what is said."""
    plan = make_plan(options)
    decoding = _checked(DecodingOptions, options)

    def work(name: str, recording: Recording) -> Output:
        answer = ear.transcribe(recording, decoding)
        return writing.transcript(answer, plan.form, plan.named(name))

    with open_backend(options) as ear:
        return run(plan, work)


def align(options: argparse.Namespace) -> int:
    """Find a known text."""
    plan = make_plan(options)
    _need_pictures(plan)
    text = options.text
    if options.text_file is not None:
        text = options.text_file.read_text(encoding="utf-8")
    if text is None and STDIN in plan.names:
        raise UsageError("expected --text or --text-file for what comes on standard input")

    def work(name: str, recording: Recording) -> Output:
        said = _text_beside(Path(name)) if text is None else text
        if plan.form == "png":
            return writing.alignment_png(ear.recognize(recording), said)
        return writing.alignment(ear.align(recording, said), plan.form, plan.named(name))

    with open_backend(options) as ear:
        return run(plan, work)


def probs(options: argparse.Namespace) -> int:
    """Write P(symbol | frame)."""
    plan = make_plan(options)
    _need_pictures(plan)
    form = cast("MatrixFormat", plan.form)  # the parser takes no others
    selection = _checked(Selection, options)
    with open_backend(options) as ear:
        return run(plan, lambda _, recording: ear.probs(recording, form, selection))


def info(options: argparse.Namespace) -> int:
    """Show a model, or audio files."""
    facts: dict[str, Any] | None = None
    if not options.files or options.model is not None or options.server is not None:
        with open_backend(options) as ear:
            facts = ear.facts()
    return show(facts, options.files, options.format)


@contextmanager
def open_backend(options: argparse.Namespace) -> Iterator[Backend]:
    """Whoever the options name, ready to listen.

    Raises:
        OtoscopeError: if there is no such model or service.
    """
    if options.server is None:
        yield LocalBackend(options.model, options.lm)
        return
    if options.lm is not None:
        raise UsageError("--lm: expected a --model to use it with, got --server")
    _need("httpx", "--server")
    from otoscope.cli.service_backend import ServiceBackend  # noqa: PLC0415 - an extra brings httpx

    with ServiceBackend.at(options.server, options.api_key, options.retries) as ear:
        yield ear


def _checked(kind: type[OptionsT], options: argparse.Namespace) -> OptionsT:
    """The options that are fields of `kind`; UsageError naming what is wrong."""
    values = {name: getattr(options, name, None) for name in kind.model_fields}
    try:
        return kind(**{name: value for name, value in values.items() if value is not None})
    except ValidationError as error:
        lines = [
            f"--{str(problem['loc'][0]).replace('_', '-')}: {problem['msg']}, "
            f"got {problem['input']!r:.80}"
            for problem in error.errors()
        ]
        raise UsageError("; ".join(lines)) from error


def _text_beside(recording: Path) -> str:
    path = recording.with_suffix(".txt")
    if not path.is_file():
        raise TextError(f"expected --text, --text-file, or its text in {path}, which is not there")
    return path.read_text(encoding="utf-8")


def _need_pictures(plan: Plan) -> None:
    if plan.form == "png":
        _need("matplotlib", "--format png")


def _need(module: str, what: str) -> None:
    if find_spec(module) is None:
        raise UsageError(f"{what} needs {module}: pip install 'otoscope[cli]'")
