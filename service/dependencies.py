"""What the routes work with, put together in one place and handed to them."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import threadpoolctl
from fastapi import Depends, Request

from otoscope.audio import DecodeProcesses
from service.inference.live_streams import LiveStreams, StreamLimits
from service.inference.request_pool import RequestPool
from service.inference.threaded_model import model_threads
from service.inference.warmup import Readiness
from service.metrics import Metrics
from service.served_models import ServedModels, open_model
from service.settings import Settings
from service.store.base import Store
from service.store.check import StoreCheck
from service.store.open import open_store

_POOL_THREADS = 8
"""For each thread that runs the model: they prepare its next recordings and write down its last."""

_READING = (2, 128)
"""Threads that read and write down what is kept, and requests for it at a time."""

_DECODE_PROCESSES = 4
"""Likewise, at most: a long recording keeps one until its end. One for each stays when idle."""


@dataclass(frozen=True)
class Services:
    """What lives as long as the process."""

    models: ServedModels
    pool: RequestPool
    reading_pool: RequestPool
    store: Store
    store_check: StoreCheck
    readiness: Readiness
    metrics: Metrics
    live_streams: LiveStreams
    stream_limits: StreamLimits
    stream_decoders: DecodeProcesses


@contextmanager
def open_services(settings: Settings, metrics: Metrics) -> Iterator[Services]:
    """Load the models and open the store; close them in the end.

    Args:
        settings: what to open.
        metrics: counts all that is done.

    Raises:
        StartError: naming the variable that has to change.
    """
    # Recordings go in parallel: a product of small matrices that wakes a thread for each CPU only
    # takes time from the model.
    threadpoolctl.threadpool_limits(1, user_api="blas")
    with ExitStack() as stack:  # closes the last first: nothing is used after its end
        store = stack.enter_context(closing(open_store(settings)))
        check = stack.enter_context(closing(StoreCheck(store)))
        threads = stack.enter_context(
            model_threads(settings.inference_threads, partial(metrics.add_wait, "model"))
        )
        processes = DecodeProcesses(
            _DECODE_PROCESSES * settings.inference_threads, kept=settings.inference_threads
        )
        stack.enter_context(closing(processes))
        decoders = DecodeProcesses(max(1, settings.streams))
        stack.enter_context(closing(decoders))
        pool = stack.enter_context(closing(_pool(settings, metrics)))
        reading = stack.enter_context(closing(RequestPool(*_READING)))
        opened = partial(
            open_model, settings=settings, metrics=metrics, threads=threads, processes=processes
        )
        wanted = [
            (settings.model_path, settings.lm_path),
            *((one, None) for one in settings.models),
        ]
        models = [stack.enter_context(opened(*paths)) for paths in wanted]
        yield Services(
            *(ServedModels(models), pool, reading, store, check, Readiness(), metrics),
            LiveStreams(settings.streams, metrics.set_streams),
            StreamLimits(settings.stream_idle_s, settings.max_duration_s),
            decoders,
        )


def _pool(settings: Settings, metrics: Metrics) -> RequestPool:
    capacity = settings.inference_threads + settings.queue_size
    threads = min(capacity, _POOL_THREADS * settings.inference_threads)
    return RequestPool(threads, capacity, metrics.set_pool, partial(metrics.add_wait, "requests"))


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(_services)]
"""How a route asks for the services."""
