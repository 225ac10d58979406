"""Several recordings, one after the other: where their outputs go, and what fails."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from otoscope.cli.backend import Output, Recording
from otoscope.cli.progress import Progress
from otoscope.errors import OptionsError, OtoscopeError
from otoscope.formats import FORMATS

STDIN = "-"

_CONCATENABLE = ("text", "json")
"""Formats of which several make sense in one stream."""


class UsageError(OtoscopeError):
    """Arguments that make no sense together."""


@dataclass(frozen=True)
class FileRun:
    """Recordings, and where their outputs go.

    Attributes:
        names: of the recordings, as given.
        form: of the outputs.
        outputs: a file for each recording; None for standard output.
    """

    names: Sequence[str]
    form: str
    outputs: Sequence[Path | None]

    @classmethod
    def of(cls, options: argparse.Namespace) -> "FileRun":
        """What the options ask for.

        Raises:
            UsageError: if they contradict each other.
        """
        names: list[str] = options.files
        form = options.format or _form_of(options.out, options.formats) or options.default_format
        if names.count(STDIN) > 1:
            raise UsageError("expected - once: standard input can be read only once")
        if options.out_dir is not None:
            return cls(names, form, _outputs(names, options.out_dir, FORMATS[form].suffix))
        if len(names) > 1 and (options.out is not None or form not in _CONCATENABLE):
            raise UsageError(f"expected --out-dir DIR for {form} of {len(names)} files")
        if options.out is None and FORMATS[form].binary and sys.stdout.isatty():
            raise UsageError(f"expected --out FILE: {form} is binary, not for a terminal")
        return cls(names, form, [options.out] * len(names))

    def label(self, name: str) -> str | None:
        """The name, if an output has to say what it is about."""
        return name if len(self.names) > 1 and self.outputs[0] is None else None

    def run(self, process: Callable[[str, Recording], Output]) -> int:
        """Process and write each recording; returns how many failed, each with a line on stderr.

        Raises:
            OptionsError: if the options suit no recording.
            BrokenPipeError: if the reader of standard output has gone.
        """
        failed = 0
        with Progress(len(self.names)) as progress:
            for name, path in zip(self.names, self.outputs, strict=True):
                audio_s = 0.0
                try:
                    output = process(name, read(name))
                    _write(output.body, path, progress)
                except (OptionsError, BrokenPipeError):
                    raise
                except (OtoscopeError, OSError) as error:
                    failed += 1
                    progress.write_line(f"otoscope: {readable(name)}: {one_line(error, name)}")
                else:
                    audio_s = output.audio_s
                    for warning in output.warnings:
                        progress.write_line(f"otoscope: {readable(name)}: warning: {warning}")
                progress.advance(audio_s)
        return failed


def read(name: str) -> Recording:
    """A recording by its name on the command line."""
    return sys.stdin.buffer.read() if name == STDIN else Path(name)


def readable(name: str) -> str:
    """A file's name in Unicode, for JSON and for people: bytes that are not UTF-8 become U+FFFD."""
    return os.fsencode(name).decode(errors="replace")


def one_line(error: Exception, about: str = "") -> str:
    """An error's message in one line, which does not repeat the file name that it is `about`."""
    if isinstance(error, OSError) and error.strerror:
        named = error.filename and str(error.filename) != about
        return f"{error.filename}: {error.strerror}" if named else error.strerror
    return " ".join(str(error).split()) or type(error).__name__


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


def _outputs(names: Sequence[str], folder: Path, suffix: str) -> list[Path]:
    """A file in the folder for each recording, all of them different."""
    outputs: dict[Path, str] = {}
    for name in names:
        path = folder / f"{'stdin' if name == STDIN else Path(name).stem}{suffix}"
        if path in outputs:
            raise UsageError(f"{outputs[path]} and {name} would both be written to {path}")
        outputs[path] = name
    return list(outputs)
