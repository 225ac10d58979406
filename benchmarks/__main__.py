"""`python -m benchmarks`: measure, and keep page, picture and figures in benchmarks/results/."""

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

from benchmarks.clips import open_speech
from benchmarks.page import markdown
from benchmarks.plots import draw
from benchmarks.service import measure

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Run all measurements on this machine."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--model",
        type=Path,
        default=Path("models/english/model.int8.onnx"),
        help="(default: %(default)s)",
    )
    parser.add_argument(
        "--speech",
        type=Path,
        default=Path("../shared/corpus/librispeech/dev.jsonl"),
        help="manifest of recordings to cut clips from; without it, the sample of examples/",
    )
    parser.add_argument("--requests", type=int, default=160, help="at each number of clients")
    parser.add_argument(
        "--late", type=int, default=2000, help="requests of the run that watches memory"
    )
    options = parser.parse_args()
    speech = open_speech(options.speech)
    figures = measure(options.model, speech, say=_say, requests=options.requests, late=options.late)
    document = {"machine": _machine(), "commit": _commit(), "speech": speech.name, **figures}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "service.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    draw(document, RESULTS / "service.png")
    page = markdown(document)
    (RESULTS / "service.md").write_text(page, encoding="utf-8")
    print(page)


def _say(what: str) -> None:
    print(f"measuring: {what} ...", file=sys.stderr, flush=True)


def _machine() -> str:
    processor = platform.processor() or platform.machine()
    return f"{os.cpu_count()} processors, {processor}, Python {platform.python_version()}"


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
