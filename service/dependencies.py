"""What the routes work with, put together in one place and handed to them."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import threadpoolctl
from fastapi import Depends, Request

from otoscope import Recognizer
from otoscope.audio import DecodeProcesses
from otoscope.decoding.decoder import open_decoder
from otoscope.errors import ModelFileError
from otoscope.schemas import ModelName
from otoscope.written.writer import Writer, open_writer
from service.errors import StartError
from service.inference.decode_workers import DecodeWorkers
from service.inference.live_streams import LiveStreams, StreamLimits
from service.inference.recognition import RecordingRecognizer
from service.inference.request_pool import RequestPool
from service.inference.threaded_model import model_threads
from service.inference.transcriber import Transcriber
from service.inference.warmup import Readiness
from service.metrics import Metrics
from service.model_reports import ModelReports, read_reports
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

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Services:
    """What lives as long as the process."""

    recording_recognizer: RecordingRecognizer
    decode_workers: DecodeWorkers
    writer: Writer
    pool: RequestPool
    reading_pool: RequestPool
    store: Store
    store_check: StoreCheck
    readiness: Readiness
    reports: ModelReports
    metrics: Metrics
    live_streams: LiveStreams
    stream_limits: StreamLimits
    stream_decoders: DecodeProcesses

    @property
    def recognizer(self) -> Recognizer:
        """The model."""
        return self.recording_recognizer.recognizer

    @property
    def transcriber(self) -> Transcriber:
        """Files to text."""
        return Transcriber(self.recording_recognizer, self.decode_workers, self.writer)

    @property
    def model_name(self) -> ModelName:
        """Which weights answer."""
        return ModelName(name=self.recognizer.spec.name, sha256=self.recognizer.sha256)


@contextmanager
def open_services(settings: Settings, metrics: Metrics) -> Iterator[Services]:
    """Load the model and open the store; close them in the end.

    Args:
        settings: what to open.
        metrics: counts all that is done.

    Raises:
        StartError: naming the variable that has to change.
    """
    logger.info("loading model %s", settings.model_path)
    # Recordings go in parallel: a product of small matrices that wakes a thread for each CPU only
    # takes time from the model.
    threadpoolctl.threadpool_limits(1, user_api="blas")
    try:
        recognizer = Recognizer(settings.model_path)
    except ModelFileError as error:
        raise StartError(f"OTOSCOPE_MODEL_PATH: {error}") from error
    try:
        decoder = open_decoder(
            recognizer.spec, recognizer.exact_sha256, settings.model_path, settings.lm_path
        )
        writer = open_writer(
            *(recognizer.spec, settings.model_path, settings.lm_path),
            partial(metrics.stage, "written"),
        )
    except ModelFileError as error:
        raise StartError(str(error)) from error
    reports = read_reports(settings.model_path, recognizer.sha256, recognizer.exact_sha256)
    stage = partial(metrics.stage, "text")
    with ExitStack() as stack:  # closes the last first: nothing is used after its end
        store = stack.enter_context(closing(open_store(settings)))
        check = stack.enter_context(closing(StoreCheck(store)))
        threads = stack.enter_context(
            model_threads(settings.inference_threads, partial(metrics.add_wait, "model"))
        )
        workers = DecodeWorkers(
            decoder, settings.decode_workers, stage, partial(metrics.add_wait, "search")
        )
        stack.enter_context(closing(workers))
        processes = DecodeProcesses(
            _DECODE_PROCESSES * settings.inference_threads, kept=settings.inference_threads
        )
        stack.enter_context(closing(processes))
        decoders = DecodeProcesses(max(1, settings.streams))
        stack.enter_context(closing(decoders))
        pool = stack.enter_context(closing(_pool(settings, metrics)))
        reading = stack.enter_context(closing(RequestPool(*_READING)))
        recording_recognizer = RecordingRecognizer(
            recognizer, threads, settings.max_duration_s, metrics.add_recording, processes
        )
        yield Services(
            *(recording_recognizer, workers, writer, pool, reading, store, check),
            *(Readiness(), reports, metrics),
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
