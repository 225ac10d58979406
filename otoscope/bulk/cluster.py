"""A job's work on Ray, on the CPUs of this machine or of a running cluster."""

import logging
import pickle
import socket
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import ray
import ray.data
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from otoscope.bulk.looking import look_at
from otoscope.bulk.plan import Look, Task
from otoscope.bulk.settings import Job
from otoscope.bulk.transcriber import Report, Transcriber, join
from otoscope.cpus import available
from otoscope.errors import OtoscopeError
from otoscope.spec import ModelSpec

_LOOKS_AT_ONCE = 16

_CONNECT_S = 10.0

Batch = dict[str, Any]
"""A column `work` of pickled items; results have the same form."""


def start(address: str | None, workers: int | None) -> int:
    """Connect to a cluster, or start one on this machine.

    Args:
        address: of a cluster, as `ray.init` takes it; None for this machine, for which
            `otoscope.bulk.ray_environment` has been called.
        workers: wanted; None for the number of CPUs.

    Returns:
        The number of workers.

    Raises:
        ClusterError: if there is no cluster at the address.
    """
    common: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
    if address is not None:
        _join(address, common)
    else:
        cpus = workers or available()
        ray.init(num_cpus=cpus, include_dashboard=False, **common)
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    return workers or int(ray.cluster_resources()["CPU"])


def _join(address: str, common: dict[str, Any]) -> None:
    """Become the driver of a cluster; Ray itself asks an address for minutes that nobody has."""
    try:
        place = urlsplit(address if "://" in address else f"//{address}")
        if place.port is not None:
            socket.create_connection((place.hostname, place.port), _CONNECT_S).close()
        ray.init(address=address, **common)
    except (OSError, RuntimeError, ValueError) as error:
        raise ClusterError(f"expected a Ray cluster at {address}, got: {error}") from error


def stop() -> None:
    """Disconnect from the cluster; stop one that was started here."""
    ray.shutdown()


def look(sources: Sequence[str], spec: ModelSpec, workers: int) -> Iterator[Look]:
    """Look at all sources."""

    def look_at_some(batch: Batch) -> Batch:
        return _packed([look_at(source, spec) for source in _unpacked(batch)])

    blocks = min(len(sources), max(workers * 4, len(sources) // (_LOOKS_AT_ONCE * 4)))
    data = _data(sources, blocks).map_batches(look_at_some, batch_size=_LOOKS_AT_ONCE, num_cpus=1)
    yield from _results(data)


def transcribe(job: Job, tasks: Sequence[Task], workers: int) -> Iterator[Report]:
    """Run tasks in `workers` actors with a CPU each; the task of a lost actor is repeated."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    actor = ray.remote(_Attempts).options(num_cpus=0, scheduling_strategy=here)
    attempts = actor.remote()
    data = _data(tasks, len(tasks)).map_batches(
        _Worker,
        batch_size=1,
        num_cpus=1,
        compute=ray.data.ActorPoolStrategy(size=min(workers, len(tasks))),
        fn_constructor_args=(job, attempts),
    )
    yield from _results(data)


def join_parts(job: Job, long: Sequence[Task], workers: int) -> Iterator[Report]:
    """Write the rows of long recordings whose parts are done."""

    def join_some(batch: Batch) -> Batch:
        return _packed([join(job, task) for task in _unpacked(batch)])

    data = _data(long, min(len(long), workers * 4)).map_batches(join_some, batch_size=1, num_cpus=1)
    yield from _results(data)


class ClusterError(OtoscopeError):
    """A cluster that can't be joined."""

    slug = "cluster"


class _Attempts:
    """Counts the attempts at each recording; on the driver's node, it outlives the workers."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def begin(self, key: str) -> int:
        """Count an attempt, and return how many there were."""
        self._counts[key] += 1
        return self._counts[key]


class _Worker:
    """A `Transcriber` as an actor."""

    def __init__(self, job: Job, attempts: Any) -> None:  # noqa: ANN401 - a handle of Ray's
        self._transcriber = Transcriber(job)
        self._attempts = attempts

    def __call__(self, batch: Batch) -> Batch:
        """Tasks to reports."""
        return _packed([self._transcriber.do(task, self._begin) for task in _unpacked(batch)])

    def _begin(self, key: str) -> int:
        count: int = ray.get(self._attempts.begin.remote(key))
        return count


def _data(items: Sequence[object], blocks: int) -> "ray.data.Dataset":
    rows = [{"work": pickle.dumps(item)} for item in items]
    return ray.data.from_items(rows, override_num_blocks=blocks)


def _results(data: "ray.data.Dataset") -> Iterator[Any]:
    """Results of the items as they are finished."""
    for row in data.iter_rows():
        yield pickle.loads(row["work"])  # noqa: S301 - from our own workers


def _packed(items: Sequence[object]) -> Batch:
    return {"work": np.array([pickle.dumps(item) for item in items], dtype=object)}


def _unpacked(batch: Batch) -> list[Any]:
    return [pickle.loads(item) for item in batch["work"]]  # noqa: S301 - from our own driver
