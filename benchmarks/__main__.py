"""`python -m benchmarks`: measure, print a Markdown page, and keep it under benchmarks/results/."""

import argparse
import json
import os
import platform
import subprocess
from pathlib import Path

from benchmarks.over_http import measure_http
from benchmarks.stages import measure_stages

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Run both measurements on this machine."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("models/english/model.onnx"))
    parser.add_argument("--duration-s", type=float, default=10.0, help="of the clip")
    parser.add_argument("--runs", type=int, default=15, help="of each stage")
    parser.add_argument("--requests", type=int, default=60, help="at each concurrency")
    options = parser.parse_args()
    document = {
        "machine": _machine(),
        "commit": _commit(),
        "clip_s": options.duration_s,
        "stages": measure_stages(options.model, options.duration_s, options.runs),
        "http": measure_http(options.model, options.duration_s, (1, 4), options.requests),
    }
    page = markdown(document)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "service.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    (RESULTS / "service.md").write_text(page, encoding="utf-8")
    print(page)


def markdown(document: dict) -> str:
    """The measurements as a page for people."""
    stages, http = document["stages"], document["http"]
    lines = [
        "# What a transcription costs",
        "",
        f"`make bench` on {document['machine']}, commit {document['commit']}; "
        f"a {document['clip_s']:g} s clip, medians; stages with greedy decoding.",
        "",
        "| stage (one thread) | ms | share of the model's time |",
        "|---|---|---|",
    ]
    lines += [
        f"| {name.removesuffix('_ms')} | {value:.2f} | {100 * value / stages['model_ms']:.1f} % |"
        for name, value in stages.items()
    ]
    lines += [
        "",
        f"From start to ready: {http['start_to_ready_s']:.2f} s.",
        "",
        "| decoder | clients at once | audio s per s | p50 ms | p95 ms |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['decoder']} | {row['concurrency']} | {row['audio_s_per_s']:.0f} "
        f"| {row['p50_ms']:.1f} | {row['p95_ms']:.1f} |"
        for row in http["transcribe"]
    ]
    return "\n".join(lines) + "\n"


def _machine() -> str:
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
