"""The service under load, and what it is measured against, in one run on one machine."""

from collections.abc import Callable
from pathlib import Path

from benchmarks import ceilings, growth
from benchmarks.clips import Clip, Speech
from benchmarks.load import drive
from benchmarks.servers import otoscope_server, plain_server
from benchmarks.stages import measure_stages
from benchmarks.training_speed import measure_training

CONCURRENCIES = (1, 4, 16, 64)
MODEL_CLIP_S = 5.0
STAGES_CLIP_S = 10.0
_CLIPS = 40
_PEER_CLIPS = 5
_ROUNDS = 3


def measure(
    model: Path,
    quantised: Path,
    speech: Speech,
    *,
    say: Callable[[str], None],
    requests: int,
    late: int,
) -> dict:
    """All figures.

    Args:
        model: the model file.
        quantised: the same with 8-bit weights.
        speech: what clips are cut from.
        say: told what is being measured.
        requests: at each concurrency.
        late: requests of the run that watches memory.
    """
    clips = speech.mixed(_CLIPS)
    durations_s = [each.duration_s for each in clips]
    say("stages of one recording")
    document: dict = {"stages": measure_stages(model, speech, STAGES_CLIP_S, 15)}
    say("the graph alone, the machine alone, PocketSphinx")
    document["raw"] = ceilings.raw_throughput(model, speech, durations_s)
    document["machine_gflops"] = ceilings.machine_gflops()
    document["model_gflop_per_audio_s"] = ceilings.model_gflop_per_s(model)
    document["pocketsphinx_audio_s_per_s"] = ceilings.pocketsphinx_throughput(
        model, speech, durations_s[:_PEER_CLIPS]
    )
    say("the service, greedy and with the language model")
    with otoscope_server(model) as server:
        document["start_to_ready_s"] = server.ready_s
        document["latency_5_s"] = {
            "model_ms": measure_stages(model, speech, MODEL_CLIP_S, 15)["model_ms"],
            **drive(server, [speech.clip(MODEL_CLIP_S)], concurrency=1, requests=60),
        }
        for decoder in ("greedy", "beam"):
            document[decoder] = [
                drive(server, clips, concurrency=clients, requests=requests, decoder=decoder)
                for clients in CONCURRENCIES
            ]
    say("the service with the 8-bit model")
    with otoscope_server(quantised) as server:
        for key, decoder in (("int8", "greedy"), ("int8_beam", "beam")):
            document[key] = [
                drive(server, clips, concurrency=clients, requests=requests, decoder=decoder)
                for clients in (1, 16)
            ]
    say("with the batcher and without, in turn; a plain endpoint")
    document["batcher"] = _on_and_off(model, clips, requests)
    with plain_server(model) as server:
        document["plain"] = [
            drive(server, clips, concurrency=clients, requests=requests, decoder=None)
            for clients in (1, 16)
        ]
    say("by length, by processes, over time")
    document["by_length"] = growth.by_length(model, speech)
    document["by_workers"] = growth.by_workers(model, speech, requests)
    document["endurance"] = growth.endurance(model, speech, late // 10, late)
    say("training")
    document["training"] = measure_training()
    return document


def _on_and_off(model: Path, clips: list[Clip], requests: int) -> dict[str, list[dict[str, float]]]:
    """Rounds of 1 and 16 clients; on and off take turns, for the machine has moods."""
    rows: dict[str, list[dict[str, float]]] = {"on": [], "off": []}
    with (
        otoscope_server(model) as on,
        otoscope_server(model, OTOSCOPE_BATCH_SIZE="1") as off,
    ):
        for _ in range(_ROUNDS):
            for clients in (1, 16):
                for name, server in (("on", on), ("off", off)):
                    rows[name].append(drive(server, clips, concurrency=clients, requests=requests))
    return rows
