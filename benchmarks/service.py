"""The service under load, and what it is measured against, in one run on one machine."""

from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import ceilings, growth
from benchmarks.clips import Clip, Speech
from benchmarks.load import drive
from benchmarks.servers import Server, otoscope_server, plain_server
from benchmarks.stages import measure_stages
from benchmarks.training_speed import measure_training

CONCURRENCIES = (1, 4, 16, 64)
MODEL_CLIP_S = 5.0
STAGES_CLIP_S = 10.0
_CLIPS = 40
_PEER_CLIPS = 5
_ROUNDS = 4


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
    say("stages of one recording")
    document: dict = {"stages": measure_stages(model, speech, STAGES_CLIP_S, 15)}
    say("the graph alone, the machine alone, PocketSphinx")
    document |= _ceilings(model, speech, [each.duration_s for each in clips])
    say("the service, greedy and with the language model")
    document |= _loads(model, speech, clips, requests)
    say("the service with the 8-bit model")
    with otoscope_server(quantised) as server:
        document["int8"] = _load(server, clips, (1, 16), requests, "greedy")
        document["int8_beam"] = _load(server, clips, (1, 16), requests, "beam")
    say("with the batcher and without, in turn; a plain endpoint")
    document["batcher"] = _on_and_off(model, speech, clips, requests)
    with plain_server(model) as server:
        document["plain"] = _load(server, clips, (1, 16), requests, None)
    say("by length, by processes, over time")
    document["by_length"] = growth.by_length(model, speech)
    document["by_workers"] = growth.by_workers(model, speech, requests)
    document["endurance"] = growth.endurance(model, speech, late // 10, late)
    say("training")
    document["training"] = measure_training()
    return document


def _ceilings(model: Path, speech: Speech, durations_s: list[float]) -> dict:
    return {
        "raw": ceilings.raw_throughput(model, speech, durations_s),
        "machine_gflops": ceilings.machine_gflops(),
        "model_gflop_per_audio_s": ceilings.model_gflop_per_s(model),
        "pocketsphinx_audio_s_per_s": ceilings.pocketsphinx_throughput(
            model, speech, durations_s[:_PEER_CLIPS]
        ),
    }


def _loads(model: Path, speech: Speech, clips: list[Clip], requests: int) -> dict:
    """The service as it is, from its start on."""
    model_ms = measure_stages(model, speech, MODEL_CLIP_S, 15)["model_ms"]
    with otoscope_server(model) as server:
        _warm(server, speech)
        latency = drive(server, [speech.clip(MODEL_CLIP_S)], concurrency=1, requests=60)
        return {
            "start_to_ready_s": server.ready_s,
            "latency_5_s": {"model_ms": model_ms, **latency},
            "greedy": _load(server, clips, CONCURRENCIES, requests, "greedy"),
            "beam": _load(server, clips, CONCURRENCIES, requests, "beam"),
        }


def _warm(server: Server, speech: Speech) -> None:
    """Wait for the processes that search, which take processors once the service is ready."""
    drive(server, [speech.clip(MODEL_CLIP_S)], concurrency=4, requests=8, decoder="beam")


def _load(
    server: Server, clips: list[Clip], clients: Sequence[int], requests: int, decoder: str | None
) -> list[dict[str, float]]:
    return [
        drive(server, clips, concurrency=each, requests=requests, decoder=decoder)
        for each in clients
    ]


def _on_and_off(
    model: Path, speech: Speech, clips: list[Clip], requests: int
) -> dict[str, list[dict[str, float]]]:
    """Rounds of 1 and 16 clients; on and off take turns, for the machine has moods."""
    rows: dict[str, list[dict[str, float]]] = {"on": [], "off": []}
    with (
        otoscope_server(model) as on,
        otoscope_server(model, OTOSCOPE_BATCH_SIZE="1") as off,
    ):
        servers = [("on", on), ("off", off)]
        for _, server in servers:
            _warm(server, speech)
        for _ in range(_ROUNDS):
            servers.reverse()
            for clients in (1, 16):
                for name, server in servers:
                    rows[name].append(drive(server, clips, concurrency=clients, requests=requests))
    return rows
