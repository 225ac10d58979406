"""Inspection of a source before it is recognized: hash and length."""

import math
from pathlib import Path

from otoscope.audio import AudioStream, Choice
from otoscope.audio.decode import AudioDecoder, open_source
from otoscope.bulk.pieces import LONG_S, part_lengths_s
from otoscope.bulk.plan import Look
from otoscope.bulk.store import on_disk
from otoscope.bulk.summary import kind_of
from otoscope.errors import AudioError, OtoscopeError
from otoscope.local_model import sha256_of
from otoscope.spec import ModelSpec


def look_at(source: str, spec: ModelSpec) -> Look:
    """Inspect a source; errors in its audio show when it is recognized.

    Args:
        source: path or URL.
        spec: of the model.
    """
    try:
        with on_disk(source) as path:
            sha256, size_bytes = sha256_of(path), path.stat().st_size
            return Look(source, sha256, size_bytes, _parts_s(path, spec))
    except (OSError, OtoscopeError) as error:
        return Look(source, problem=(kind_of(error), str(error)))


def _parts_s(path: Path, spec: ModelSpec) -> tuple[float, ...]:
    """Lengths of parts in seconds: by the header of a short file, else by decoding it."""
    try:
        announced_s = _announced_s(path)
        if announced_s is not None and announced_s <= LONG_S:
            return (announced_s,)
        stream = AudioStream(path, spec.features.sample_rate_hz, max_duration_s=math.inf)
        return part_lengths_s(stream, spec)
    except AudioError:
        return (0.0,)


def _announced_s(path: Path) -> float | None:
    with open_source(path) as file:
        decoder = AudioDecoder(file, math.inf, choice=Choice(opened_only=True))
        for _ in decoder:
            pass  # opened only: there are no blocks
        return decoder.announced_s
