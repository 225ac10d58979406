"""The service under load, and what it is measured against, in one run on one machine."""

from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import ceilings, growth
from benchmarks.clips import Clip, Speech
from benchmarks.load import drive
from benchmarks.ratios import Figures
from benchmarks.servers import Server, otoscope_server, plain_server
from benchmarks.stages import measure_stages
from benchmarks.training_speed import measure_training

CONCURRENCIES = (1, 4, 16, 64)
MODEL_CLIP_S = 5.0
STAGES_CLIP_S = 10.0
_CLIPS = 40
_PEER_CLIPS = 6
_CEILING_ROUNDS = 5


def measure(
    model: Path,
    speech: Speech,
    *,
    say: Callable[[str], None],
    requests: int,
    late: int,
) -> Figures:
    """All figures.

    Args:
        model: the model file that is served.
        speech: what clips are cut from.
        say: told what is being measured.
        requests: at each concurrency.
        late: requests of the run that watches memory.
    """
    clips = speech.mixed(_CLIPS)
    say("stages of one recording")
    document: Figures = {"stages": measure_stages(model, speech, STAGES_CLIP_S, 15)}
    say("the graph alone, PocketSphinx and the service, in turn")
    document |= _ceilings(model, speech, clips, requests)
    say("the service, greedy and with the language model")
    document |= _loads(model, speech, clips, requests)
    say("a plain endpoint")
    with plain_server(model) as server:
        document["plain"] = _load(server, clips, (1, 16), requests, None)
    say("by length, by processes, over time")
    document["by_length"] = growth.by_length(model, speech)
    document["by_workers"] = growth.by_workers(model, speech, requests)
    document["endurance"] = growth.endurance(model, speech, late // 10, late)
    say("training")
    document["training"] = measure_training()
    return document


def _ceilings(model: Path, speech: Speech, clips: list[Clip], requests: int) -> Figures:
    # Twice the requests: the last of a load leave processors idle.
    durations_s = [each.duration_s for each in clips]
    graph = ceilings.RawGraph(model, speech, durations_s)
    peer = ceilings.PocketSphinx(model, clips[:_PEER_CLIPS])
    with otoscope_server(model) as server:
        _warm(server, speech)
        rounds = [
            {
                "graph": graph.sustained(),
                "service": drive(server, clips, concurrency=16, requests=2 * requests),
                "default": drive(server, clips, concurrency=16, requests=requests, decoder="beam"),
                "pocketsphinx": peer.speed(),
            }
            for _ in range(_CEILING_ROUNDS)
        ]
    return {"raw": graph.rows, "ceiling_rounds": rounds}


def _loads(model: Path, speech: Speech, clips: list[Clip], requests: int) -> Figures:
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
    """Wait for the decode workers, which take processors once the service is ready."""
    drive(server, [speech.clip(MODEL_CLIP_S)], concurrency=4, requests=8, decoder="beam")


def _load(
    server: Server, clips: list[Clip], clients: Sequence[int], requests: int, decoder: str | None
) -> list[dict[str, float]]:
    return [
        drive(server, clips, concurrency=each, requests=requests, decoder=decoder)
        for each in clients
    ]
