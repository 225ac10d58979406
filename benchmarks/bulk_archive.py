"""An archive for `otoscope bulk` that is made of a corpus, and what became of it in a table."""

import json
from argparse import ArgumentParser as Parser
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import soundfile

from otoscope.audio import AUDIO_SUFFIXES, load

SHORTEST_S, LONGEST_S = 1.0, 2.5
"""Of recordings that are taken."""

BROKEN_PART = "part-" + "0" * 32
"""Name of half a part, which is left to be found."""

_COLUMNS = ["source", "copies", "sha256", "text", "problem", "duration_s", "processor_s"]

Row = dict[str, Any]


def archive_parser(prog: str, about: str | None, files: int, distinct: int, broken: int) -> Parser:
    """Arguments of a benchmark that makes an archive, with its default numbers of files."""
    parser = Parser(prog=prog, description=about)
    parser.add_argument("--corpus", type=Path, default=Path("../shared/corpus"))
    parser.add_argument("--cases", type=Path, default=Path("../shared/cases"))
    parser.add_argument("--files", type=int, default=files)
    parser.add_argument("--distinct", type=int, default=distinct)
    parser.add_argument("--broken", type=int, default=broken)
    parser.add_argument("--folder", type=Path, required=True, help="for archive and results; new")
    return parser


def make_archive(folder: Path, corpus: Path, count: int, distinct: int) -> dict[Path, Path]:
    """Recordings of the corpus as flac with a title of their own: file -> the recording in it.

    Args:
        folder: for them; new.
        corpus: folders with manifests.
        count: how many files.
        distinct: how many recordings; the other files have the sound of one of them and another
            content.
    """
    folder.mkdir(parents=True)
    made: dict[Path, Path] = {}
    clips = list(islice(_clips(corpus), distinct))
    for number, clip in enumerate(islice(cycle(clips), count)):
        path = folder / f"{number:05}.flac"
        with soundfile.SoundFile(path, "w", 16000, 1) as file:
            file.title = f"copy {number}"
            file.write(load(clip, 16000).samples)
        made[path] = clip
    return made


def _clips(corpus: Path) -> Iterator[Path]:
    """One after the other of each manifest, of few seconds; each once."""
    folders = [path.parent for path in sorted(corpus.glob("*/*.jsonl"))]
    manifests = [path.read_text().splitlines() for path in sorted(corpus.glob("*/*.jsonl"))]
    seen = set()
    for number in range(max(map(len, manifests))):
        for folder, lines in zip(folders, manifests, strict=True):
            row = json.loads(lines[number]) if number < len(lines) else {}
            if SHORTEST_S <= row.get("duration", 0) <= LONGEST_S:
                clip = folder / row["audio_filepath"]
                if clip not in seen:
                    seen.add(clip)
                    yield clip


def add_broken(folder: Path, cases: Path, count: int) -> list[Path]:
    """Files that were made to fail, each with an end of its own; some have a text all the same."""
    made = []
    for number, case in enumerate(islice(cycle(sorted(cases.iterdir())), count)):
        suffix = case.suffix if case.suffix in AUDIO_SUFFIXES else ".wav"
        path = folder / f"broken-{number:03}{suffix}"
        path.write_bytes(case.read_bytes() + b"%d" % number)
        made.append(path)
    return made


def rows_of(out: Path) -> list[Row]:
    """Of all parts that are whole."""
    return [row for part in parts_of(out) for row in rows_of_part(part)]


def rows_of_part(part: Path) -> list[Row]:
    """Without words and posteriors."""
    rows: list[Row] = pq.ParquetFile(part).read(_COLUMNS).to_pylist()
    return rows


def parts_of(out: Path) -> list[Path]:
    """In the order in which they were written."""
    parts = [one for one in out.rglob("part-*.parquet") if one.stem != BROKEN_PART]
    return sorted(parts, key=lambda one: one.stat().st_mtime)


def once(rows: Sequence[Row], files: Sequence[Path]) -> Row:
    """Which files are missing, or there twice."""
    named = Counter(name for row in rows for name in (row["source"], *row["copies"]))
    contents = Counter(row["sha256"] for row in rows)
    return {
        "rows": len(rows),
        "missing": sorted(str(one) for one in files if not named[str(one)]),
        "twice": [one for one, count in (named + contents).items() if count > 1],
        "problems": sum(row["problem"] is not None for row in rows),
    }
