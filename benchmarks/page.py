"""The measurements as a page for people."""

from collections.abc import Iterable, Sequence

from benchmarks.ratios import ratios

_LOAD = ("audio s per s", "p50 ms", "p95 ms", "p99 ms", "processors", "peak MiB", "errors")


def markdown(document: dict) -> str:
    """Tables, the ratios first."""
    machine, stages = document["machine"], document["stages"]
    raw, gflops = document["raw"], document["machine_gflops"]
    parts = [
        "# What a transcription costs",
        f"`make bench` on {machine}, commit {document['commit']}. Clips of 1-30 s of "
        f"{document['speech']}, drawn once; the clients share the machine with the server. Greedy "
        "decoding unless said.",
        _table(
            ("ratio, in this run", "value", "aim", ""),
            (
                (each.name, f"{each.value:.2f}", each.aim, "met" if each.met else "**missed**")
                for each in ratios(document)
            ),
        ),
        "![Throughput, latency and cost by length](service.png)",
        "## Stages of a 10 s clip, one thread",
        _table(
            ("stage", "ms", "share of the model's time"),
            (
                (name.removesuffix("_ms"), f"{ms:.2f}", f"{100 * ms / stages['model_ms']:.1f} %")
                for name, ms in stages.items()
            ),
        ),
        "## Under load",
    ]
    parts += [
        f"{title}:\n\n" + _table(("clients", *_LOAD), (_load(row) for row in document[key]))
        for title, key in (
            ("Greedy", "greedy"),
            ("Beam search with the language model", "beam"),
            ("Greedy, 8-bit weights, each recording alone", "int8"),
            ("Beam search, 8-bit weights", "int8_beam"),
            ("A plain endpoint, `async def`, one call a request", "plain"),
        )
    ]
    parts += [
        "Server processes, 16 clients:\n\n"
        + _table(
            ("processes x threads", *_LOAD),
            (
                (f"{row['workers']} x {row['inference_threads']}", *_load(row)[1:])
                for row in document["by_workers"]
            ),
        ),
        "## By length, one client",
        _table(
            ("length s", "p50 ms", "ms an audio second", "peak MiB"),
            (
                (
                    f"{row['length_s']:g}",
                    f"{row['p50_ms']:.0f}",
                    f"{row['ms_per_audio_s']:.2f}",
                    f"{row['peak_mib']:.0f}",
                )
                for row in document["by_length"]
            ),
        ),
        "## Ceilings",
        _table(
            ("the graph alone", "batch", "audio s per s"),
            ((row["how"], row["batch"], f"{row['audio_s_per_s']:.0f}") for row in raw["rows"]),
        ),
        f"A second of audio takes {document['model_gflop_per_audio_s']:.3f} GFLOP in matrix "
        f"products, so the best attains "
        f"{raw['best']['audio_s_per_s'] * document['model_gflop_per_audio_s']:.0f} GFLOP/s; a "
        f"float32 product of 2048 x 2048: "
        + ", ".join(f"{name} {value:.0f}" for name, value in gflops.items())
        + f" GFLOP/s. PocketSphinx hears {document['pocketsphinx_audio_s_per_s']:.1f} audio s "
        "per s on one processor.",
        f"Memory: {document['endurance']['early_mib']:.0f} MiB at most after "
        f"{document['endurance']['early_requests']:.0f} requests, "
        f"{document['endurance']['late_mib']:.0f} after "
        f"{document['endurance']['late_requests']:.0f}; "
        f"{document['endurance']['errors']:.0f} errors. "
        f"From start to ready: {document['start_to_ready_s']:.2f} s.",
        "Training, forward and backward, audio s per s: "
        + ", ".join(f"{name} {value:.0f}" for name, value in document["training"].items())
        + ".",
    ]
    return "\n\n".join(parts) + "\n"


def _load(row: dict) -> tuple[str, ...]:
    return (
        f"{row['concurrency']:g}",
        f"{row['audio_s_per_s']:.0f}",
        f"{row['p50_ms']:.0f}",
        f"{row['p95_ms']:.0f}",
        f"{row['p99_ms']:.0f}",
        f"{row['cpu']:.2f}",
        f"{row['peak_mib']:.0f}",
        f"{row['errors']:g}",
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
