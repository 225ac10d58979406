"""`python -m onnx_export CHECKPOINT --out model.onnx`."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from onnx_export.export import export
from onnx_export.parity import TOLERANCE, ParityReport, compare
from onnx_export.runtimes import RUNTIMES, write_for
from otoscope.errors import ModelFileError, OtoscopeError
from otoscope.model_folders import EXACT, FILES, exact_file, find_model
from otoscope.recognizer import Recognizer
from otoscope.sidecars import write_sidecar
from training.weights.checkpoint import load_exportable

_EPILOG = """\
Writes the model and, beside it, parity.json: the largest difference of log-probabilities between
torch and onnxruntime over several lengths and a ragged batch with garbage in its padding, and
whether the decoded texts agree. Exits with 1 if they differ by more than 1e-4 or in a character.
What is served by default is the 8-bit form: python -m onnx_export.int8 makes it of the result.

With --for, a folder that sherpa-onnx or onnx-asr loads is written, from a checkpoint or an exported
model: its file, folder, or name in models/. Both support only this project's default features;
models with others are refused.

examples:
  python -m onnx_export runs/english/best.pt --speech examples/sample.flac
  python -m onnx_export --for sherpa-onnx runs/mine/best.pt --out mine-sherpa
"""


def main(arguments: list[str] | None = None) -> int:
    """Export and compare; 0 if equal, 1 on drift, 2 on unusable input."""
    parser = argparse.ArgumentParser(
        prog="python -m onnx_export",
        description="Turn a training checkpoint into one self-describing ONNX file.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("checkpoint", type=Path, help="best.pt of a run")
    parser.add_argument(
        "--out",
        type=Path,
        help="file, or the model's folder (default: model.onnx beside CHECKPOINT)",
    )
    parser.add_argument(
        "--for",
        dest="runtime",
        choices=RUNTIMES,
        help="write the folder that another runtime loads (default: beside CHECKPOINT)",
    )
    parser.add_argument(
        "--speech", type=Path, nargs="*", default=[], help="recordings to compare on as well"
    )
    parser.add_argument("--name", help="of the model, which GET /model tells (default: the run's)")
    parser.add_argument("--force", action="store_true", help="write over another model, too")
    options = parser.parse_args(arguments)
    try:
        return _write(options) if options.runtime is None else _write_for(options)
    except (OtoscopeError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _write(options: argparse.Namespace) -> int:
    """Write model.onnx and parity.json; returns the exit code."""
    out = exact_file(options.out or options.checkpoint.parent)
    report = _export(options, out)
    write_sidecar(out.parent / "parity.json", report)
    print(f"{out}: {_size(out)}, sha256 {report.model_sha256}")
    return _status(report.max_difference, passed=report.passed)


def _write_for(options: argparse.Namespace) -> int:
    """Write the folder of another runtime; returns the exit code."""
    source = find_model(options.checkpoint)
    folder = options.out or source.with_name(options.runtime)
    with TemporaryDirectory() as scratch:
        if source.suffix == ".onnx":
            if options.name is not None or options.speech:
                raise ModelFileError(f"--name, --speech: expected a checkpoint, got {source}")
        else:
            checkpoint, source = source, Path(scratch) / EXACT
            options.checkpoint = checkpoint
            report = _export(options, source)
            if not report.passed:
                return _status(report.max_difference, passed=False)
        written = write_for(options.runtime, source, folder, force=options.force)
    print(f"{written.model}: {_size(written.model)}; to load it:\n  {written.loading}")
    return _status(written.max_difference, passed=written.max_difference <= TOLERANCE)


def _export(options: argparse.Namespace, out: Path) -> ParityReport:
    """Write the model, compare it with torch, and print the report."""
    exportable = load_exportable(options.checkpoint)
    if options.name is not None:
        exportable = replace(exportable, spec=replace(exportable.spec, name=options.name))
    _require_place(out, exportable.spec.name, force=options.force)
    out.parent.mkdir(parents=True, exist_ok=True)
    export(exportable, out)
    report = compare(exportable, out, options.speech)
    print(report.table())
    return report


def _status(difference: float, *, passed: bool) -> int:
    """The exit code: 0, or 1 with an error message."""
    if not passed:
        print(
            f"error: drift of {difference:.2e}, expected at most {TOLERANCE} and the same texts; "
            "do not ship this file",
            file=sys.stderr,
        )
    return int(not passed)


def _size(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f} MB"


def _require_place(out: Path, name: str, *, force: bool) -> None:
    """Refuse to write over a model of another name, or into its folder.

    Raises:
        ModelFileError: naming both.
    """
    for file in dict.fromkeys((out, *(out.with_name(each) for each in FILES))):
        there = Recognizer(file).spec.name if file.is_file() else name
        if there != name and not force:
            raise ModelFileError(
                f"{out}: expected a place for the model {name!r}, got {file}, which is {there!r}: "
                "write into a folder of its own, or give --force"
            )


if __name__ == "__main__":
    sys.exit(main())
