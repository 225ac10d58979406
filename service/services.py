"""What the routes work with, put together in one place and handed to them."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from otoscope import Recognizer
from otoscope.errors import ModelFileError
from service.errors import StartError
from service.model_facts import ModelFacts, read_facts
from service.pool import Pool
from service.schemas import ModelName
from service.settings import Settings
from service.store import SqliteStore, Store
from service.transcriber import Transcriber
from service.warmup import Readiness

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Services:
    """One of each, for as long as the process runs."""

    transcriber: Transcriber
    pool: Pool
    store: Store
    readiness: Readiness
    facts: ModelFacts

    @property
    def model_name(self) -> ModelName:
        """Which weights answer."""
        recognizer = self.transcriber.recognizer
        return ModelName(name=recognizer.spec.name, sha256=recognizer.sha256)


@contextmanager
def open_services(settings: Settings) -> Iterator[Services]:
    """Load the model and open the store; let go of them in the end.

    Raises:
        StartError: naming the variable that has to change.
    """
    logger.info("loading model %s", settings.model_path)
    try:
        recognizer = Recognizer(settings.model_path)
    except ModelFileError as error:
        raise StartError(f"OTOSCOPE_MODEL_PATH: {error}") from error
    store = SqliteStore(
        settings.store_path, ttl_s=settings.result_ttl_s, max_bytes=settings.store_max_bytes
    )
    facts = read_facts(settings.model_path, recognizer.sha256)
    pool = Pool(settings.inference_threads, settings.queue_size)
    try:
        transcriber = Transcriber(recognizer, settings.max_duration_s)
        yield Services(transcriber, pool, store, Readiness(), facts)
    finally:
        pool.close()


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(_services)]
"""How a route asks for the services."""
