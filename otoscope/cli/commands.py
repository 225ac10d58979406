"""The commands: options in, how many files failed out."""

import argparse
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from errno import EISDIR
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, cast

from pydantic import BaseModel, ValidationError

from otoscope.audio import Choice
from otoscope.bulk import ray_environment
from otoscope.bulk.rendering import readable
from otoscope.bulk.workers import Workers
from otoscope.cli.backend import Backend, Output
from otoscope.cli.files import FileRun
from otoscope.cli.information import show
from otoscope.cli.inputs import STDIN, UsageError
from otoscope.cli.live_audio import LivePieces, ended_by_interrupt, microphone, standard_input
from otoscope.cli.live_text import live_text
from otoscope.cli.local_backend import LocalBackend, path_of
from otoscope.cli.writing import write, write_alignment_png
from otoscope.cpus import available
from otoscope.decoding.options import DecodingOptions
from otoscope.errors import TextError
from otoscope.formats import MatrixFormat
from otoscope.formats.posteriors import ViewOptions
from otoscope.local_model import LocalModel, Recording, Separate, fingerprint
from otoscope.strict_json import describe
from otoscope.text_files import read_text

OptionsT = TypeVar("OptionsT", bound=BaseModel)

Transcriber: TypeAlias = Backend | Workers
"""Anything that transcribes recordings."""

ALL_TRACKS = "all"
"""In the place of a track's number."""

STDIN_RATE_HZ = 16_000
"""Of live audio from standard input, unless another is given."""

_OF_ONE = ("channel", "n_best", "phrases")
"""Options that make no sense where each channel or track is transcribed by itself."""


def transcribe(options: argparse.Namespace) -> int:
    """Write what is said."""
    files = FileRun.of(options)
    decoding = _validated(DecodingOptions, options)
    separate = _separate(options)
    if separate == "tracks":
        _check_several(options, files.form, "track", ("channels", *_OF_ONE))
    elif separate == "channels":
        _check_several(options, files.form, "channels", _OF_ONE)

    def process(name: str, recording: Recording) -> Output:
        result = backend.transcribe(recording, decoding, options.style)
        return write(result, files.form, files.label(name))

    jobs = _jobs(options, files)
    with _open_transcriber(options, jobs) as backend:
        fingerprint = _fingerprint(options, files.form, decoding, backend)
        return files.run(process, jobs, fingerprint, partial(_processor_s, backend))


def bulk(options: argparse.Namespace) -> int:
    """Transcribe an archive into a table."""
    for module in ("ray", "pyarrow", "fsspec"):
        _require(module, "bulk", "bulk")
    if options.workers is not None and options.workers < 1:
        raise UsageError(f"--workers: expected at least 1, got {options.workers}")
    ray_environment.prepare(options.address)
    from otoscope.bulk.run import run  # noqa: PLC0415 - an extra brings Ray
    from otoscope.bulk.settings import Job  # noqa: PLC0415 - likewise

    job = Job(
        options.out,
        path_of(options.model).resolve(),
        options.lm and options.lm.resolve(),
        _validated(DecodingOptions, options),
        options.style,
        options.posteriors,
        tuple(sorted(set(options.also))),
    )
    return run(job, options.sources, options.address, options.workers, _say)


def _say(line: str) -> None:
    sys.stderr.write(f"otoscope: {readable(line)}\n")


def listen(options: argparse.Namespace) -> int:
    """Write what is said while it is said."""
    decoding = _validated(DecodingOptions, options)
    with (
        open_backend(options) as backend,
        _live(options) as (pieces, rate_hz),
        ended_by_interrupt(pieces),
        live_text(as_json=options.json) as shown,
    ):
        for message in backend.listen(pieces, rate_hz, decoding, options.style):
            shown.write(message)
    if not pieces.exhausted:
        sys.stderr.write("otoscope: the service ended the stream before the audio ended\n")
    return int(not pieces.exhausted)


def align(options: argparse.Namespace) -> int:
    """Find a known text."""
    files = _drawable(FileRun.of(options))
    text = options.text
    if options.text_file is not None:
        text = read_text(options.text_file)
    if text is None and STDIN in files.names:
        raise UsageError("expected --text or --text-file for standard input")

    def process(name: str, recording: Recording) -> Output:
        known = _text_beside(Path(name)) if text is None else text
        if files.form == "png":
            return write_alignment_png(backend.recognize(recording), known)
        return write(backend.align(recording, known), files.form, files.label(name))

    with open_backend(options) as backend:
        return files.run(process)


def probs(options: argparse.Namespace) -> int:
    """Write P(symbol | frame)."""
    files = _drawable(FileRun.of(options))
    form = cast("MatrixFormat", files.form)  # the parser takes no others
    selection = _validated(ViewOptions, options)
    with open_backend(options) as backend:
        return files.run(lambda _, recording: backend.probs(recording, form, selection))


def info(options: argparse.Namespace) -> int:
    """Show a model, or audio files."""
    facts: dict[str, Any] | None = None
    if not options.files or options.model is not None or options.server is not None:
        with open_backend(options) as backend:
            facts = backend.facts()
    return show(facts, options.files, options.format)


@contextmanager
def open_backend(options: argparse.Namespace) -> Iterator[Backend]:
    """The model or the service that the options name.

    Raises:
        OtoscopeError: if there is none.
    """
    if options.server is None:
        yield LocalBackend(LocalModel(*_model(options), threads=available()))
        return
    for name in ("track", "channel", "channels"):
        if getattr(options, name, None):
            raise UsageError(f"--{name}: expected a --model to use it with, got --server")
    if options.lm is not None:
        raise UsageError("--lm: expected a --model to use it with, got --server")
    _require("httpx", "--server")
    from otoscope.cli.service_backend import ServiceBackend  # noqa: PLC0415 - an extra brings httpx

    with ServiceBackend.at(options.server, options.api_key, options.retries) as backend:
        yield backend


@contextmanager
def _live(options: argparse.Namespace) -> Iterator[tuple[LivePieces, int]]:
    """The live audio that the options name, and its rate."""
    if options.dash or options.stdin:
        with standard_input() as pieces:
            yield pieces, options.rate or STDIN_RATE_HZ
        return
    _require("sounddevice", "the microphone", "microphone")
    with microphone(options.device, options.rate) as (pieces, rate_hz):
        if sys.stderr.isatty():
            sys.stderr.write("otoscope: listening; Ctrl-C ends\n")
        yield pieces, rate_hz


@contextmanager
def _open_transcriber(options: argparse.Namespace, jobs: int) -> Iterator[Transcriber]:
    """A transcriber for `jobs` recordings at a time; raises as `open_backend`."""
    if options.server is not None or jobs == 1:
        with open_backend(options) as backend:
            yield backend
        return
    with Workers(jobs, *_model(options), threads=max(1, available() // jobs)) as workers:
        yield workers


def _model(options: argparse.Namespace) -> tuple[Path, Path | None, Choice, Separate]:
    """The arguments of a `LocalModel`."""
    separate = _separate(options)
    track = 0 if separate == "tracks" else getattr(options, "track", 0)
    choice = Choice(track, getattr(options, "channel", 0))
    return path_of(options.model), options.lm, choice, separate


def _jobs(options: argparse.Namespace, files: FileRun) -> int:
    """How many recordings at a time: for folders on this machine the number of CPUs, else 1."""
    if options.jobs is not None and options.jobs < 1:
        raise UsageError(f"--jobs: expected at least 1, got {options.jobs}")
    usual = available() if files.journaled and options.server is None else 1
    return min(options.jobs or usual, len(files.items))


def _fingerprint(
    options: argparse.Namespace, form: str, decoding: DecodingOptions, backend: Transcriber
) -> str:
    """A hash of everything that outputs depend on besides their recordings."""
    chosen = [form, options.style, options.track, options.channel, options.channels]
    said = json.dumps([*chosen, decoding.model_dump(mode="json")])
    if isinstance(backend, Workers | LocalBackend):
        return fingerprint(path_of(options.model), options.lm, said)
    return hashlib.sha256(f"{backend.facts()}{said}".encode()).hexdigest()


def _processor_s(backend: Transcriber) -> float | None:
    """Processor seconds used so far on this machine; None with a service."""
    if isinstance(backend, Workers):
        return backend.processor_s + time.process_time()
    return time.process_time() if isinstance(backend, LocalBackend) else None


def _separate(options: argparse.Namespace) -> Separate:
    """Which of a recording's sounds are each transcribed by itself."""
    if getattr(options, "track", 0) == ALL_TRACKS:
        return "tracks"
    return "channels" if getattr(options, "channels", None) else None


def _check_several(
    options: argparse.Namespace, form: str, option: str, of_one: Sequence[str]
) -> None:
    """UsageError naming what is only for one transcript, where `option` asks for several."""
    wanted = f"--{option} {getattr(options, option)}"
    for name in of_one:
        if getattr(options, name):
            flag = name.replace("_", "-")
            raise UsageError(f"--{flag}: expected none with {wanted}, got one")
    if form != "json":
        raise UsageError(f"--{option}: expected --format json to use it with, got {form}")


def _validated(kind: type[OptionsT], options: argparse.Namespace) -> OptionsT:
    """The options that are fields of `kind`; UsageError naming what is wrong."""
    values = {name: getattr(options, name, None) for name in kind.model_fields}
    try:
        return kind(**{name: value for name, value in values.items() if value is not None})
    except ValidationError as error:
        lines = describe(
            error.errors(),
            lambda path: f"--{str(path[0]).replace('_', '-')}",
            lambda each: f"{each['msg']}, got {each['input']!r:.80}",
        )
        raise UsageError("; ".join(lines)) from error


def _text_beside(recording: Path) -> str:
    if recording.is_dir():
        raise IsADirectoryError(EISDIR, os.strerror(EISDIR), str(recording))
    path = recording.with_suffix(".txt")
    if not path.is_file():
        raise TextError(f"expected --text, --text-file, or the text in {path}, which is missing")
    return read_text(path)


def _drawable(files: FileRun) -> FileRun:
    if files.form == "png":
        _require("matplotlib", "--format png")
    return files


def _require(module: str, what: str, extra: str = "cli") -> None:
    if find_spec(module) is None:
        raise UsageError(f"{what} needs {module}: pip install 'otoscope[{extra}]'")
