"""What the routes work with, put together in one place and handed to them."""

import logging
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import threadpoolctl
from fastapi import Depends, Request

from otoscope import Posteriors, Recognition, Recognizer
from otoscope.audio import Source
from otoscope.decoding.decoder import DecodeResult, open_decoder
from otoscope.decoding.options import DecodingOptions
from otoscope.errors import ModelFileError
from otoscope.schemas import ModelName
from service.errors import StartError
from service.inference.batcher import Batcher, BatchOptions
from service.inference.decode_pool import DecodeWorkers
from service.inference.pool import Pool
from service.inference.transcriber import Transcriber
from service.inference.warmup import Readiness
from service.metrics import Metrics
from service.model_reports import ModelFacts, read_facts
from service.settings import Settings
from service.store.base import Store
from service.store.open import open_store

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Services:
    """One of each, for as long as the process runs."""

    transcriber: Transcriber
    searchers: DecodeWorkers
    pool: Pool
    store: Store
    readiness: Readiness
    facts: ModelFacts
    metrics: Metrics

    @property
    def model_name(self) -> ModelName:
        """Which weights answer."""
        recognizer = self.transcriber.recognizer
        return ModelName(name=recognizer.spec.name, sha256=recognizer.sha256)

    def steps(self, source: Source) -> Generator[None, None, Recognition]:
        """Recognise a client's file, and count what it took; raises what `Transcriber` does.

        There are pauses for what else waits for a thread.
        """
        recognition = yield from self.transcriber.steps(source)
        self.metrics.heard(recognition.posteriors.clock.duration_s)
        self.metrics.took(recognition.took_s)
        return recognition

    def decode(self, posteriors: Posteriors, options: DecodingOptions) -> DecodeResult:
        """Write down what a client's file says; raises what `DecodeWorkers.decode` does."""
        return self.searchers.decode(posteriors, options)


@contextmanager
def open_services(settings: Settings, metrics: Metrics) -> Iterator[Services]:
    """Load the model and open the store; let go of them in the end.

    Args:
        settings: what to open.
        metrics: told of all that is done.

    Raises:
        StartError: naming the variable that has to change.
    """
    logger.info("loading model %s", settings.model_path)
    # Recordings go in parallel: a product of small matrices that wakes a thread for each processor
    # only takes time from the model.
    threadpoolctl.threadpool_limits(1, user_api="blas")
    try:
        recognizer = Recognizer(settings.model_path)
    except ModelFileError as error:
        raise StartError(f"OTOSCOPE_MODEL_PATH: {error}") from error
    try:
        decoding = open_decoder(
            recognizer.spec, recognizer.exact_sha256, settings.model_path, settings.lm_path
        )
    except ModelFileError as error:
        raise StartError(str(error)) from error
    store = open_store(settings)
    facts = read_facts(settings.model_path, recognizer.sha256, recognizer.exact_sha256)
    pool = _pool(settings, metrics)
    batcher = Batcher(
        recognizer.run_heads,
        BatchOptions(
            settings.inference_threads,
            1 if recognizer.quantized else settings.batch_size,  # batches would gain nothing
            settings.batch_wait_ms / 1000,
        ),
        run_alone=_alone(recognizer, settings).run_heads,
        working=lambda: pool.running,
        on_batch=metrics.batch,
    )
    searchers = DecodeWorkers(decoding, settings.searchers, partial(metrics.stage, "text"))
    try:
        transcriber = Transcriber(recognizer, settings.max_duration_s, batcher.run_heads)
        yield Services(transcriber, searchers, pool, store, Readiness(), facts, metrics)
    finally:
        pool.close()
        searchers.close()
        batcher.close()
        store.close()


def _alone(recognizer: Recognizer, settings: Settings) -> Recognizer:
    """The model for a recording that has all threads for itself; it answers bit for bit alike."""
    if settings.inference_threads == 1 or recognizer.quantized:  # more threads would only spin
        return recognizer
    return Recognizer(settings.model_path, threads=settings.inference_threads)


def _pool(settings: Settings, metrics: Metrics) -> Pool:
    """Enough threads to get the next batches ready, or to write down the last, during a batch."""
    capacity = settings.inference_threads + settings.queue_size
    threads = min(capacity, 2 * settings.inference_threads * settings.batch_size)
    return Pool(threads, capacity - threads, metrics.pool)


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(_services)]
"""How a route asks for the services."""
