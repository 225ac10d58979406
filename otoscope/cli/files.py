"""Several recordings: where their outputs go, and what fails."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from otoscope.bulk.rendering import readable
from otoscope.bulk.summary import Summary, kind_of
from otoscope.bulk.workers import side_by_side
from otoscope.cli.backend import Output
from otoscope.cli.folders import find_recordings, outputs_for
from otoscope.cli.inputs import STDIN, UsageError, read
from otoscope.cli.journal import FILE_NAME, Journal, Origin
from otoscope.cli.progress import Progress
from otoscope.errors import OptionsError, OtoscopeError
from otoscope.formats import FORMATS
from otoscope.local_model import Recording, sha256_of

_CONCATENABLE = ("text", "json")
"""Formats of which several make sense in one stream."""


@dataclass(frozen=True)
class Item:
    """A recording, and where its output goes.

    Attributes:
        name: of the recording, as given or as found in a folder.
        output: None for standard output.
        folder: whose journal records the output; None without a journal.
    """

    name: str
    output: Path | None
    folder: Path | None = None


@dataclass(frozen=True)
class FileRun:
    """Recordings, and where their outputs go.

    Attributes:
        items: the recordings.
        form: of the outputs.
        resume: skip recordings that are done by the journal.
        passed_over: files in folders that are no recordings.
    """

    items: Sequence[Item]
    form: str
    resume: bool = False
    passed_over: int = 0

    @classmethod
    def of(cls, options: argparse.Namespace) -> "FileRun":
        """What the options ask for.

        Raises:
            UsageError: if they contradict each other.
            OSError: if a folder can't be read.
        """
        names: list[str] = options.files
        form = options.format or _form_of(options.out, options.formats) or options.default_format
        if names.count(STDIN) > 1:
            raise UsageError("expected - once: standard input can be read only once")
        if options.takes_folders and (options.resume or any(Path(one).is_dir() for one in names)):
            return _with_journals(options, form)
        if options.out_dir is not None:
            outputs = _outputs(names, options.out_dir, FORMATS[form].suffix)
            return cls([Item(name, path) for path, name in outputs.items()], form)
        if len(names) > 1 and (options.out is not None or form not in _CONCATENABLE):
            raise UsageError(f"expected --out-dir DIR for {form} of {len(names)} files")
        if options.out is not None and options.out.is_dir():
            raise UsageError(f"--out: expected a file, got the folder {readable(str(options.out))}")
        if options.out is None and FORMATS[form].binary and sys.stdout.isatty():
            raise UsageError(f"expected --out FILE: {form} is binary, not for a terminal")
        return cls([Item(name, options.out) for name in names], form)

    @property
    def names(self) -> list[str]:
        """Of the recordings."""
        return [item.name for item in self.items]

    @property
    def journaled(self) -> bool:
        """Whether journals record the outputs."""
        return self.items[0].folder is not None

    def label(self, name: str) -> str | None:
        """The name, if an output has to say what it is about."""
        return name if len(self.items) > 1 and self.items[0].output is None else None

    def run(
        self,
        process: Callable[[str, Recording], Output],
        jobs: int = 1,
        fingerprint: str = "",
        processor_s: Callable[[], float | None] = lambda: None,
    ) -> int:
        """Process and write each recording; returns how many failed, each with a line on stderr.

        Args:
            process: a recording by its name.
            jobs: how many at a time.
            fingerprint: what outputs depend on besides the recording, for journals.
            processor_s: what it cost so far, for the summary that is written with journals.

        Raises:
            UsageError: before anything is processed, if a folder for outputs can't be written to.
            OptionsError: if the options suit no recording.
            BrokenPipeError: if the reader of standard output has gone.
        """
        _require_writable(self.items)
        run = _Run(self, process, fingerprint)
        started_s = time.monotonic()
        with Progress(len(self.items)) as progress:
            in_order = self.items[0].output is None
            for item, made in side_by_side(run.make, self.items, jobs, in_order=in_order):
                progress.advance(run.take(item, made, progress))
            if self.journaled:
                for line in run.summary.lines(time.monotonic() - started_s, processor_s()):
                    progress.write_line(f"otoscope: {line}")
        return run.summary.failed.total()


@dataclass(frozen=True)
class _Made:
    """The outcome for a recording: an output, an error, or neither if it was done before."""

    output: Output | None = None
    error: OtoscopeError | OSError | None = None
    origin: Origin | None = None


class _Run:
    """A `FileRun` in progress."""

    def __init__(
        self, files: FileRun, process: Callable[[str, Recording], Output], fingerprint: str
    ) -> None:
        self._resume, self._process, self._fingerprint = files.resume, process, fingerprint
        folders = {item.folder for item in files.items if item.folder is not None}
        self._journals = {folder: Journal(folder) for folder in folders}
        self.summary = Summary(passed_over=files.passed_over)

    def make(self, item: Item) -> _Made:
        """An output; called from several threads. Raises as `FileRun.run`."""
        origin = None
        try:
            if item.folder is not None and item.output is not None:
                origin = Origin(sha256_of(Path(item.name)), self._fingerprint)
                held = self._journals[item.folder].holds(item.output, origin)
                if held and self._resume:
                    return _Made()
            return _Made(self._process(item.name, read(item.name)), origin=origin)
        except (OptionsError, BrokenPipeError):
            raise
        except (OtoscopeError, OSError) as error:
            return _Made(error=error)

    def take(self, item: Item, made: _Made, progress: Progress) -> float:
        """Write an output, and count it; returns its seconds of audio."""
        error = made.error
        if made.output is not None:
            try:
                self._write(item, made.output.body, made.origin, progress)
            except BrokenPipeError:
                raise
            except OSError as failure:
                error = failure
        if error is not None:
            self.summary.failed[kind_of(error)] += 1
            about = one_line(error, item.name)
            progress.write_line(f"otoscope: {readable(item.name)}: {about}")
        elif made.output is None:
            self.summary.held += 1
        else:
            return self._count(item, made.output, progress)
        return 0.0

    def _count(self, item: Item, output: Output, progress: Progress) -> float:
        self.summary.done += 1
        self.summary.audio_s += output.audio_s
        for warning in output.warnings:
            progress.write_line(f"otoscope: {readable(item.name)}: warning: {warning}")
        return output.audio_s

    def _write(self, item: Item, body: bytes, origin: Origin | None, progress: Progress) -> None:
        if item.folder is not None and item.output is not None and origin is not None:
            self._journals[item.folder].write(item.output, body, origin)
        else:
            _write(body, item.output, progress)


def one_line(error: Exception, about: str = "") -> str:
    """An error's message in one line, which does not repeat the file name that it is `about`."""
    if isinstance(error, OSError) and error.strerror:
        named = error.filename and str(error.filename) != about
        return f"{error.filename}: {error.strerror}" if named else error.strerror
    return " ".join(str(error).split()) or type(error).__name__


def _require_writable(items: Sequence[Item]) -> None:
    """Make the folders of outputs, and try each; UsageError if it can't be written to."""
    outputs = {item.folder or item.output.parent: item.output for item in items if item.output}
    for folder, output in outputs.items():
        if os.access(output, os.W_OK):
            continue  # perhaps a device, whose folder can't be written to
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise UsageError(
                f"expected a folder that can be written to, got {readable(str(folder))}: "
                f"{error.strerror}"
            ) from error


def _write(body: bytes, path: Path | None, progress: Progress) -> None:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        return
    with progress.hidden():
        sys.stdout.buffer.write(body)
        sys.stdout.buffer.flush()


def _form_of(out: Path | None, formats: Sequence[str]) -> str | None:
    """The format that a file's suffix stands for."""
    if out is None:
        return None
    for form in formats:
        if out.suffix.lower() == FORMATS[form].suffix.lower():
            return form
    known = ", ".join(FORMATS[form].suffix for form in formats)
    raise UsageError(f"--out: expected a suffix ({known}) or --format, got {str(out)!r}")


def _outputs(names: Sequence[str], folder: Path, suffix: str) -> dict[Path, str]:
    """A file in the folder for each recording, all of them different."""
    outputs: dict[Path, str] = {}
    for name in names:
        path = folder / f"{'stdin' if name == STDIN else Path(name).stem}{suffix}"
        _add(outputs, path, name)
    return outputs


def _require_rereadable(names: Sequence[str]) -> None:
    """UsageError for what can be read only once: journals record a hash of each recording."""
    for name in names:
        if name == STDIN:
            raise UsageError("expected files or folders, got - for standard input")
        if Path(name).is_fifo():
            raise UsageError(f"expected files or folders, got the pipe {readable(name)}")


def _add(outputs: dict[Path, str], path: Path, name: str) -> None:
    if path in outputs:
        raise UsageError(f"{outputs[path]} and {name} would both be written to {path}")
    outputs[path] = name


def _with_journals(options: argparse.Namespace, form: str) -> FileRun:
    """A run over folders and files with journals."""
    out_dir: Path | None = options.out_dir
    suffix = FORMATS[form].suffix
    if options.out is not None:
        raise UsageError("--out: expected --out-dir DIR for a folder and with --resume")
    _require_rereadable(options.files)
    items: list[Item] = []
    outputs: dict[Path, str] = {}
    others: set[Path] = set()
    for name in options.files:
        if not Path(name).is_dir():
            if out_dir is None:
                raise UsageError(f"expected --out-dir DIR or folders alone, got {readable(name)}")
            places = {Path(name): out_dir / f"{Path(name).stem}{suffix}"}
        else:
            found = find_recordings(Path(name))
            others.update(found.others)
            places = outputs_for(found.recordings, suffix)
            if out_dir is not None:
                places = {one: out_dir / to.relative_to(name) for one, to in places.items()}
        for recording, path in places.items():
            _add(outputs, path, str(recording))
            items.append(Item(str(recording), path, out_dir or Path(name)))
    if not items:
        raise UsageError(f"expected recordings, got {len(others)} files that are not named as such")
    journals = {Path(item.folder, FILE_NAME) for item in items if item.folder is not None}
    return FileRun(items, form, options.resume, len(others - set(outputs) - journals))
