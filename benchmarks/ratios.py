"""The measurements as ratios, each of two figures of the same run."""

import os
import statistics
from dataclasses import dataclass
from typing import Any, TypeAlias

Figures: TypeAlias = dict[str, Any]
"""Measurements, or one row of them, by name."""


@dataclass(frozen=True)
class Ratio:
    """One figure against another.

    Attributes:
        name: what is compared.
        value: the ratio.
        aim: what it should be.
        met: whether it is.
    """

    name: str
    value: float
    aim: str
    met: bool


def ratios(document: Figures) -> list[Ratio]:
    """All that have an aim."""
    greedy, beam = _by_clients(document["greedy"]), _by_clients(document["beam"])
    rounds = document["ceiling_rounds"]
    processors, latency = os.cpu_count() or 1, document["latency_5_s"]
    peer = statistics.median(each["pocketsphinx"] for each in rounds)
    memory, lengths = document["endurance"], _by(document["by_length"], "length_s")
    return [
        _least("greedy at 16 clients / the graph alone", _against(rounds, "graph"), 0.75),
        _least(
            "with the LM at 16 clients / the graph alone", _against(rounds, "graph", "default"), 0.6
        ),
        _least(
            "throughput a processor / PocketSphinx",
            _against(rounds, "pocketsphinx") / processors,
            50,
        ),
        _least("with the LM / PocketSphinx", _speed(beam[16]) / processors / peer, 10),
        _most(
            "p95 of 5 s, 1 client / (1.5 x model + 10 ms)",
            latency["p95_ms"] / (1.5 * latency["model_ms"] + 10),
            1,
        ),
        _most("p99 / p50 at 16 clients", greedy[16]["p99_ms"] / greedy[16]["p50_ms"], 6),
        _most("peak memory late / early", memory["late_mib"] / memory["early_mib"], 1.1),
        _most(
            "cost of an audio second, 1 h / 10 s",
            lengths[3600.0]["ms_per_audio_s"] / lengths[10.0]["ms_per_audio_s"],
            1.3,
        ),
        _least(
            "throughput at 16 clients / a plain endpoint",
            _speed(greedy[16]) / _speed(_by_clients(document["plain"])[16]),
            1,
        ),
        _most("seconds from start to ready", document["start_to_ready_s"], 4),
    ]


def _least(name: str, value: float, bound: float) -> Ratio:
    return Ratio(name, value, f">= {bound:g}", value >= bound)


def _most(name: str, value: float, bound: float) -> Ratio:
    return Ratio(name, value, f"<= {bound:g}", value <= bound)


def _against(rounds: list[Figures], other: str, served: str = "service") -> float:
    """Median over rounds of what is served / the other, which are neighbours in time."""
    return float(statistics.median(_speed(each[served]) / each[other] for each in rounds))


def best(rounds: list[Figures], what: str) -> float:
    """The greatest of the rounds."""
    return max(float(each[what]) for each in rounds)


def _speed(row: Figures) -> float:
    return float(row["audio_s_per_s"])


def _by_clients(rows: list[Figures]) -> dict[float, Figures]:
    return _by(rows, "concurrency")


def _by(rows: list[Figures], key: str) -> dict[float, Figures]:
    return {row[key]: row for row in rows}
