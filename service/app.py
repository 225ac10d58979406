"""The application, made from settings."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI

from service.errors import add_handlers
from service.routes import health, model, probs, transcribe
from service.services import Services, open_services
from service.settings import Settings, load_settings
from service.upload import BodyLimit
from service.warmup import warm_up

logger = logging.getLogger(__name__)


def create_app(settings: Settings) -> FastAPI:
    """The service as an ASGI application; nothing is loaded before it starts."""
    app = FastAPI(
        title="Otoscope",
        summary="Speech recognition that shows its work.",
        lifespan=_lifespan(settings),
    )
    app.add_middleware(BodyLimit, max_bytes=settings.max_upload_bytes)
    add_handlers(app)
    for routes in (transcribe, probs, model, health):
        app.include_router(routes.router)
    return app


def from_environment() -> FastAPI:
    """The service as OTOSCOPE_ variables describe it: what each server process calls."""
    settings = load_settings()
    logging.basicConfig(
        level=settings.log_level.upper(), format="%(levelname)s %(name)s: %(message)s"
    )
    return create_app(settings)


def _lifespan(settings: Settings) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with open_services(settings) as services:
            app.state.services = services
            warming = asyncio.create_task(_get_ready(services, settings))
            yield
            warming.cancel()

    return lifespan


async def _get_ready(services: Services, settings: Settings) -> None:
    if await warm_up(services.transcriber, services.pool, services.readiness):
        address = f"http://{settings.host}:{settings.port}"
        logger.info(
            "ready on %s - try: curl -F file=@examples/sample.flac %s/transcribe", address, address
        )
