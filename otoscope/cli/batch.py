"""Several recordings, one after the other: where their outputs go, and what fails."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from otoscope.cli.backend import Output, Recording
from otoscope.cli.errors import UsageError, one_line
from otoscope.cli.progress import Progress
from otoscope.errors import OptionsError, OtoscopeError
from otoscope.formats import FORMATS

STDIN = "-"

_IN_A_ROW = ("text", "json")
"""Formats of which several make sense in one stream."""


@dataclass(frozen=True)
class Plan:
    """What goes where.

    Attributes:
        names: of the recordings, as given.
        form: of the outputs.
        places: a file for each recording; None for standard output.
    """

    names: Sequence[str]
    form: str
    places: Sequence[Path | None]

    def named(self, name: str) -> str | None:
        """The name, if an output has to say what it is about."""
        return name if len(self.names) > 1 and self.places[0] is None else None


def make_plan(options: argparse.Namespace) -> Plan:
    """What the options ask for.

    Raises:
        UsageError: if they can't all be had.
    """
    names: list[str] = options.files
    form = options.format or _form_of(options.out, options.formats) or options.default_format
    if names.count(STDIN) > 1:
        raise UsageError("expected - once: standard input can be read only once")
    if options.out_dir is not None:
        return Plan(names, form, _places(names, options.out_dir, FORMATS[form].suffix))
    if len(names) > 1 and (options.out is not None or form not in _IN_A_ROW):
        raise UsageError(f"expected --out-dir DIR for {form} of {len(names)} files")
    if options.out is None and FORMATS[form].binary and sys.stdout.isatty():
        raise UsageError(f"expected --out FILE: {form} is nothing for a terminal")
    return Plan(names, form, [options.out] * len(names))


def run(plan: Plan, work: Callable[[str, Recording], Output]) -> int:
    """Do the work for each recording; returns how many failed, which standard error tells of.

    Raises:
        OptionsError: if no recording can be read so.
        BrokenPipeError: if nobody reads what is written.
    """
    failed = 0
    with Progress(len(plan.names)) as progress:
        for name, place in zip(plan.names, plan.places, strict=True):
            audio_s = 0.0
            try:
                output = work(name, read(name))
                _write(output.body, place, progress)
            except (OptionsError, BrokenPipeError):
                raise
            except (OtoscopeError, OSError) as error:
                failed += 1
                progress.say(f"otoscope: {name}: {one_line(error, name)}")
            else:
                audio_s = output.audio_s
                for warning in output.warnings:
                    progress.say(f"otoscope: {name}: warning: {warning}")
            progress.done(audio_s)
    return failed


def read(name: str) -> Recording:
    """A recording by its name on the command line."""
    return sys.stdin.buffer.read() if name == STDIN else Path(name)


def _write(body: bytes, place: Path | None, progress: Progress) -> None:
    if place is not None:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(body)
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


def _places(names: Sequence[str], folder: Path, suffix: str) -> list[Path]:
    """A file in the folder for each recording, each another one."""
    places: dict[Path, str] = {}
    for name in names:
        place = folder / f"{'stdin' if name == STDIN else Path(name).stem}{suffix}"
        if place in places:
            raise UsageError(f"{places[place]} and {name} would both be written to {place}")
        places[place] = name
    return list(places)
