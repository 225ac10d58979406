"""How cost grows: with the length of a recording, with server processes, with time."""

import os
from pathlib import Path

from benchmarks.clips import Speech
from benchmarks.load import drive
from benchmarks.servers import otoscope_server

LENGTHS_S = (1.0, 3.0, 10.0, 30.0, 100.0, 600.0, 3600.0)
_LEAST_AUDIO_S = 200.0
_MOST_REQUESTS = 40


def by_length(model: Path, speech: Speech) -> list[dict[str, float]]:
    """Milliseconds an audio second, one client, by length; the median of several requests."""
    rows = []
    with otoscope_server(model) as server:
        for length_s in LENGTHS_S:
            requests = min(_MOST_REQUESTS, max(3, round(_LEAST_AUDIO_S / length_s)))
            row = drive(server, [speech.clip(length_s)], concurrency=1, requests=requests)
            rows.append(
                {
                    "length_s": length_s,
                    "p50_ms": row["p50_ms"],
                    "ms_per_audio_s": row["p50_ms"] / length_s,
                    "peak_mib": row["peak_mib"],
                }
            )
    return rows


def by_workers(model: Path, speech: Speech, requests: int) -> list[dict[str, float]]:
    """The mixed load at 16 clients, by server processes with their share of the processors."""
    processors = os.cpu_count() or 1
    rows = []
    for workers in (1, 2):
        share = str(max(1, processors // workers))
        with otoscope_server(model, workers, OTOSCOPE_INFERENCE_THREADS=share) as server:
            row = drive(server, speech.mixed(40), concurrency=16, requests=requests)
        rows.append({"workers": workers, "inference_threads": int(share), **row})
    return rows


def endurance(model: Path, speech: Speech, early: int, late: int) -> dict[str, float]:
    """Peak memory of one process after `early` and after `late` requests of mixed lengths."""
    with otoscope_server(model) as server:
        clips = speech.mixed(200)
        first = drive(server, clips, concurrency=16, requests=early)
        then = drive(server, clips, concurrency=16, requests=late - early)
    return {
        "early_requests": early,
        "early_mib": first["peak_mib"],
        "late_requests": late,
        "late_mib": then["peak_mib"],
        "errors": first["errors"] + then["errors"],
    }
