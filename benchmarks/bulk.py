"""`python -m benchmarks.bulk`: what `otoscope bulk` promises, tested on a real archive.

An archive of many copies of a corpus, with broken files among them, is transcribed. A worker is
killed in the middle of the job, then the job itself, and the same command is run again. Then every
file must be in the table once, with the text that the service gives. The workers' speed relative to
the model alone is measured in the same run, one after the other on the same recordings.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import httpx
import psutil
import pyarrow.parquet as pq
import soundfile

from benchmarks.servers import otoscope_server
from otoscope.audio import load
from otoscope.cli.local_backend import path_of
from otoscope.decoding.options import DecodingOptions
from otoscope.local_model import LocalModel

_WORKERS = 2
_SHORTEST_S, _LONGEST_S = 1.5, 6.0
_DISTINCT = 5
"""Copies of each recording: the same sound, but other bytes."""

_MEASURED = 10
"""Speed is measured on one of so many files."""

Row = dict[str, Any]


def main() -> None:
    """Make the archive, disturb the job, check, measure; exit code 1 if a promise fails."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bulk", description=__doc__)
    parser.add_argument("--corpus", type=Path, default=Path("../shared/corpus"))
    parser.add_argument("--cases", type=Path, default=Path("../shared/cases"))
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--broken", type=int, default=50)
    parser.add_argument("--folder", type=Path, required=True, help="for archive and results; new")
    options = parser.parse_args()
    options.folder.mkdir(parents=True)
    archive = options.folder / "archive"
    bases = _make(archive, options.corpus, options.files)
    broken = _add_broken(archive, options.cases, options.broken)
    _say(f"load {os.getloadavg()}, {os.cpu_count()} processors")
    out = options.folder / "out"
    disturbed = _disturb(archive, out, len(bases) + len(broken))
    rows = _rows(out)
    found = {
        "files": len(bases) + len(broken),
        "load": os.getloadavg(),
        **disturbed,
        **_once(rows, [*bases, *broken]),
        **_same_as_served(rows, bases, broken),
        **_ratios(options.folder, list(bases)),
    }
    (options.folder / "proof.json").write_text(json.dumps(found, indent=1) + "\n")
    _say(json.dumps(found, indent=1))
    sys.exit(bool(found["missing"] or found["twice"] or found["other_texts"]))


def _make(archive: Path, corpus: Path, count: int) -> dict[Path, Path]:
    """Recordings of the corpus as flac with a title of their own: file -> the recording in it."""
    archive.mkdir()
    clips = list(islice(_clips(corpus), count // _DISTINCT))
    made: dict[Path, Path] = {}
    for number, clip in enumerate(islice(cycle(clips), count)):
        samples = load(clip, 16000).samples
        path = archive / f"{number:05}.flac"
        with soundfile.SoundFile(path, "w", 16000, 1) as file:
            file.title = f"copy {number}"
            file.write(samples)
        made[path] = clip
    return made


def _clips(corpus: Path) -> Iterator[Path]:
    """One after the other of each manifest, of few seconds."""
    manifests = [path.read_text().splitlines() for path in sorted(corpus.glob("*/*.jsonl"))]
    folders = [path.parent for path in sorted(corpus.glob("*/*.jsonl"))]
    for lines in zip(*(cycle(each) for each in manifests if each), strict=False):
        for folder, line in zip(folders, lines, strict=False):
            row = json.loads(line)
            if _SHORTEST_S <= row.get("duration", 0) <= _LONGEST_S:
                yield folder / row["audio_filepath"]


def _add_broken(archive: Path, cases: Path, count: int) -> list[Path]:
    """Files made to fail, each with bytes of its own at its end; some can be read all the same."""
    made = []
    for number, case in enumerate(islice(cycle(sorted(cases.iterdir())), count)):
        suffix = case.suffix if case.suffix in (".flac", ".mp3", ".wav", ".m4a", ".ogg") else ".wav"
        path = archive / f"broken-{number:03}{suffix}"
        path.write_bytes(case.read_bytes() + b"%d" % number)
        made.append(path)
    return made


@dataclass
class _Watch:
    """A running job, and the memory of its workers."""

    process: subprocess.Popen[bytes]
    rss_mib: list[float]

    @classmethod
    def start(cls, archive: Path, out: Path, workers: int, log: Path) -> "_Watch":
        """Start or resume a job."""
        command = [
            sys.executable,
            "-m",
            "otoscope.bulk",
            archive,
            "--out",
            out,
            "--workers",
            workers,
        ]
        with log.open("ab") as file:
            return cls(subprocess.Popen([str(one) for one in command], stderr=file), [])

    def workers(self) -> list[psutil.Process]:
        """Processes of the actors that hold a model."""
        found = []
        for each in psutil.Process(self.process.pid).children(recursive=True):
            try:
                if "MapWorker" in each.cmdline()[0]:
                    found.append(each)
            except (psutil.Error, IndexError):
                continue
        return found

    def until(self, done: int, out: Path) -> None:
        """Wait for so many rows, or the end of the job."""
        while self.process.poll() is None and len(_rows(out)) < done:
            time.sleep(2)
            try:
                self.rss_mib += [max(each.memory_info().rss for each in self.workers()) / 2**20]
            except (psutil.Error, ValueError):
                continue


def _disturb(archive: Path, out: Path, files: int) -> Row:
    """Kill a worker at a fifth of the rows and the job at two fifths, then resume to the end."""
    log = out.with_suffix(".log")
    first = _Watch.start(archive, out, _WORKERS, log)
    first.until(files // 5, out)
    killed = first.workers()[0]
    killed.send_signal(signal.SIGKILL)
    _say(f"killed worker {killed.pid} at {len(_rows(out))} rows")
    first.until(2 * files // 5, out)
    family = psutil.Process(first.process.pid).children(recursive=True)
    names = {each.pid: " ".join(each.cmdline())[-60:] for each in family}
    first.process.kill()
    first.process.wait()
    at_kill = len(_rows(out))
    _, alive = psutil.wait_procs(family, timeout=30)
    _say(f"killed the job at {at_kill} rows; 30 s later {len(alive)} of its processes are left")
    part = next((out / "transcripts").rglob("part-*.parquet"))
    half = part.with_name("part-" + "0" * 32 + ".parquet")
    half.write_bytes(part.read_bytes()[: part.stat().st_size // 2])  # what a store may leave
    second = _Watch.start(archive, out, _WORKERS, log)
    second.until(files * 2, out)
    third = max(1, len(second.rss_mib) // 3)
    return {
        "rows_when_killed": at_kill,
        "left_30_s_after_the_kill": [names[each.pid] for each in alive],
        "exit_code": second.process.returncode,
        "summary": log.read_text().splitlines()[-4:],
        "worker_mib_first_third": max(second.rss_mib[:third], default=0),
        "worker_mib_last_third": max(second.rss_mib[-third:], default=0),
    }


def _rows(out: Path) -> list[Row]:
    """Rows of all complete parts."""
    rows = []
    columns = ["source", "copies", "sha256", "text", "problem", "duration_s"]
    for path in (out / "transcripts").rglob("part-*.parquet"):
        if path.stem != "part-" + "0" * 32:
            rows += pq.ParquetFile(path).read(columns=columns).to_pylist()
    return rows


def _once(rows: Sequence[Row], files: Sequence[Path]) -> Row:
    """Which files are missing, or are in the table twice."""
    named = Counter(name for row in rows for name in (row["source"], *row["copies"]))
    contents = Counter(row["sha256"] for row in rows)
    return {
        "rows": len(rows),
        "missing": sorted(str(one) for one in files if not named[str(one)]),
        "twice": [one for one, count in (named + contents).items() if count > 1],
        "problems": sum(row["problem"] is not None for row in rows),
    }


def _same_as_served(rows: Sequence[Row], bases: dict[Path, Path], broken: Sequence[Path]) -> Row:
    """Which texts differ from the service's; each recording is sent once."""
    first = {clip: path for path, clip in reversed(bases.items())}
    texts: dict[Path, str | None] = {}
    with otoscope_server(path_of(None)) as server, httpx.Client(timeout=600) as client:
        for path in [*first.values(), *broken]:
            answer = client.post(f"{server.url}/transcribe", files={"file": path.read_bytes()})
            if answer.is_server_error:
                answer.raise_for_status()
            texts[path] = answer.json()["text"] if answer.is_success else None
    by_name = {name: row["text"] for row in rows for name in (row["source"], *row["copies"])}
    expected = {path: texts[first[clip]] for path, clip in bases.items()}
    expected |= {path: texts[path] for path in broken}
    others = [str(path) for path, text in expected.items() if by_name.get(str(path)) != text]
    return {"texts_from_service": len(texts), "other_texts": others}


def _ratios(folder: Path, files: Sequence[Path]) -> Row:
    """Speed of one and two workers relative to the model alone, on the same recordings."""
    some = folder / "some"
    some.mkdir()
    for path in files[::_MEASURED]:
        (some / path.name).symlink_to(path)
    bare, bare_cpu = _bare(some)
    found: Row = {"load_while_measured": os.getloadavg(), "bare_audio_s_per_s": bare}
    for workers in (1, 2):
        wall, cpu = _bulk_speed(some, folder / f"speed-{workers}", workers)
        found[f"{workers}_workers_audio_s_per_s"] = wall
        found[f"{workers}_workers_per_worker_of_bare"] = wall / bare / workers
        found[f"{workers}_workers_cpu_of_bare"] = cpu / bare_cpu
    return found


def _bare(folder: Path) -> tuple[float, float]:
    """Seconds of audio per second, and per CPU second, of one model in one thread."""
    model = LocalModel(path_of(None), None)
    paths = sorted(folder.iterdir())
    model.transcribe(paths[0], DecodingOptions(), None)  # the first takes longer
    wall_s, cpu_s, audio_s = time.monotonic(), time.process_time(), 0.0
    for path in paths:
        audio_s += model.transcribe(path, DecodingOptions(), None).duration_s
    return audio_s / (time.monotonic() - wall_s), audio_s / (time.process_time() - cpu_s)


def _bulk_speed(archive: Path, out: Path, workers: int) -> tuple[float, float]:
    """The same of a job, from its first part to its last, so without the start of Ray."""
    watch = _Watch.start(archive, out, workers, out.with_suffix(".log"))
    watch.process.wait()
    parts = sorted(
        (out / "transcripts").rglob("part-*.parquet"), key=lambda one: one.stat().st_mtime
    )
    audio = [
        [
            (row["duration_s"] or 0.0, row["processor_s"])
            for row in pq.ParquetFile(part).read().to_pylist()
        ]
        for part in parts
    ]
    took_s = parts[-1].stat().st_mtime - parts[workers - 1].stat().st_mtime
    later_s = sum(audio_s for part in audio[workers:] for audio_s, _ in part)
    everything = [one for part in audio for one in part]
    cpu_s = sum(each for _, each in everything)
    return later_s / took_s, sum(audio_s for audio_s, _ in everything) / cpu_s


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
