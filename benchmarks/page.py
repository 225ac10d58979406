"""The measurements as a page for people."""

from collections.abc import Iterable, Sequence

from benchmarks.ratios import Figures, ratios

_LOAD = ("audio s per s", "p50 ms", "p95 ms", "p99 ms", "processors", "peak MiB", "errors")


def markdown(document: Figures) -> str:
    """Tables, the ratios first."""
    parts = [
        "# What a transcription costs",
        f"`make bench` on {document['machine']}, commit {document['commit']}. Clips of 1-30 s of "
        f"{document['speech']}, drawn once; the clients share the machine with the server. The "
        "model that is served by default, with 8-bit weights, and greedy decoding unless said.",
        _ratios(document),
        "![Throughput, latency and cost by length](service.png)",
        "## Stages of a 10 s clip, one thread",
        _stages(document["stages"]),
        "## Under load",
        *_loads(document),
        "## By length, one client",
        _lengths(document["by_length"]),
        "## Ceilings",
        *_ceilings(document),
        *_notes(document),
    ]
    return "\n\n".join(parts) + "\n"


def _ratios(document: Figures) -> str:
    return _table(
        ("ratio, in this run", "value", "aim", ""),
        (
            (each.name, f"{each.value:.2f}", each.aim, "met" if each.met else "**missed**")
            for each in ratios(document)
        ),
    )


def _stages(stages: Figures) -> str:
    return _table(
        ("stage", "ms", "share of the model's time"),
        (
            (name.removesuffix("_ms"), f"{ms:.2f}", f"{100 * ms / stages['model_ms']:.1f} %")
            for name, ms in stages.items()
        ),
    )


def _loads(document: Figures) -> list[str]:
    by_clients = [
        f"{title}:\n\n" + _table(("clients", *_LOAD), (_load(row) for row in document[key]))
        for title, key in (
            ("Greedy", "greedy"),
            ("Beam search with the language model", "beam"),
            ("A plain endpoint, `async def`, one call a request", "plain"),
        )
    ]
    by_processes = _table(
        ("processes x threads", *_LOAD),
        (
            (f"{row['workers']} x {row['inference_threads']}", *_load(row)[1:])
            for row in document["by_workers"]
        ),
    )
    return [*by_clients, f"Server processes, 16 clients:\n\n{by_processes}"]


def _lengths(rows: list[Figures]) -> str:
    return _table(
        ("length s", "p50 ms", "ms an audio second", "peak MiB"),
        (
            (
                f"{row['length_s']:g}",
                f"{row['p50_ms']:.0f}",
                f"{row['ms_per_audio_s']:.2f}",
                f"{row['peak_mib']:.0f}",
            )
            for row in rows
        ),
    )


def _ceilings(document: Figures) -> list[str]:
    return [
        _table(
            ("the graph alone", "batch", "audio s per s"),
            ((row["how"], row["batch"], f"{row['audio_s_per_s']:.0f}") for row in document["raw"]),
        ),
        "The first ratios are medians of rounds in which each was measured for a few seconds, one "
        "after the other; audio s per s:",
        _rounds(document),
    ]


def _rounds(document: Figures) -> str:
    return _table(
        ("graph alone", "greedy, 16 clients", "with the LM", "PocketSphinx, one processor"),
        (
            (
                f"{each['graph']:.0f}",
                f"{each['service']['audio_s_per_s']:.0f}",
                f"{each['default']['audio_s_per_s']:.0f}",
                f"{each['pocketsphinx']:.2f}",
            )
            for each in document["ceiling_rounds"]
        ),
    )


def _notes(document: Figures) -> list[str]:
    memory, training = document["endurance"], document["training"]
    return [
        f"Memory: {memory['early_mib']:.0f} MiB at most after {memory['early_requests']:.0f} "
        f"requests, {memory['late_mib']:.0f} after {memory['late_requests']:.0f}; "
        f"{memory['errors']:.0f} errors. "
        f"From start to ready: {document['start_to_ready_s']:.2f} s.",
        "Training, forward and backward, audio s per s: "
        + ", ".join(f"{name} {value:.0f}" for name, value in training.items())
        + ".",
    ]


def _load(row: Figures) -> tuple[str, ...]:
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
