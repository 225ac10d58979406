"""The measurements as a picture."""

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

from benchmarks.ratios import Figures, best


def draw(document: Figures, path: Path) -> None:
    """Throughput and latency by clients, and cost by length, as a PNG file."""
    figure, (speed, delay, cost) = plt.subplots(1, 3, figsize=(14, 5), layout="constrained")
    curves = (
        ("greedy", "greedy"),
        ("beam", "beam + LM"),
        ("plain", "plain endpoint"),
    )
    for key, name in curves:
        rows = document[key]
        clients = [row["concurrency"] for row in rows]
        [line] = speed.plot(clients, [row["audio_s_per_s"] for row in rows], "o-", label=name)
        for percent, style in (("p50_ms", "-"), ("p99_ms", ":")):
            label = f"{name}, {percent.removesuffix('_ms')}"
            delay.plot(
                clients, [row[percent] for row in rows], style, color=line.get_color(), label=label
            )
    best_speed = best(document["ceiling_rounds"], "graph")
    speed.axhline(best_speed, color="grey", linestyle="--", label="the graph alone")
    speed.set(
        xlabel="clients", ylabel="audio s per s", ylim=(0, 1.4 * best_speed), title="Throughput"
    )
    delay.set(xlabel="clients", ylabel="ms", yscale="log", title="Latency, clips of 1-30 s")
    delay.set(ylim=(None, 15 * delay.get_ylim()[1]))  # the legend's room
    lengths = document["by_length"]
    cost.plot(
        [row["length_s"] for row in lengths], [row["ms_per_audio_s"] for row in lengths], "o-"
    )
    cost.set(xlabel="length of the recording, s", ylabel="ms an audio second", ylim=(0, None))
    cost.set(xscale="log", title="Cost by length, one client")
    for axes in (speed, delay):
        axes.set_xscale("log", base=2)
        axes.legend(fontsize="small", loc="upper left")
    for axes in (speed, delay, cost):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)
    plt.close(figure)
