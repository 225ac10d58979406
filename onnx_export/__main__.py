"""`python -m onnx_export CHECKPOINT --out model.onnx`."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from onnx_export.export import export
from onnx_export.parity import compare
from otoscope.errors import ModelFileError, OtoscopeError
from otoscope.model_folders import FILES
from otoscope.recognizer import Recognizer
from otoscope.sidecars import write_sidecar
from training.weights.checkpoint import load_exportable

_EPILOG = """\
Writes the model and, beside it, parity.json: the largest difference of log-probabilities between
torch and onnxruntime over several lengths and a ragged batch with garbage in its padding, and
whether the decoded texts agree. Exits with 1 if they differ by more than 1e-4 or in a character.
What is served by default is the 8-bit form: python -m onnx_export.int8 makes it of the result.

example:
  python -m onnx_export runs/english/best.pt --speech examples/sample.flac
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
    parser.add_argument("--out", type=Path, help="(default: model.onnx beside CHECKPOINT)")
    parser.add_argument(
        "--speech", type=Path, nargs="*", default=[], help="recordings to compare on as well"
    )
    parser.add_argument("--name", help="of the model, which GET /model tells (default: the run's)")
    parser.add_argument("--force", action="store_true", help="write over another model, too")
    options = parser.parse_args(arguments)
    out = options.out or options.checkpoint.with_name("model.onnx")
    try:
        exportable = load_exportable(options.checkpoint)
        if options.name is not None:
            exportable = replace(exportable, spec=replace(exportable.spec, name=options.name))
        _require_place(out, exportable.spec.name, force=options.force)
        out.parent.mkdir(parents=True, exist_ok=True)
        export(exportable, out)
        report = compare(exportable, out, options.speech)
    except (OtoscopeError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    write_sidecar(out.parent / "parity.json", report)
    size_mb = out.stat().st_size / 1e6
    print(report.table())
    print(f"{out}: {size_mb:.1f} MB, sha256 {report.model_sha256}")
    if not report.passed:
        print(f"error: drift above {report.tolerance}; do not ship this file", file=sys.stderr)
        return 1
    return 0


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
