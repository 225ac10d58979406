"""The application, made from settings."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from functools import partial
from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from service.dependencies import Services, open_services
from service.http.openapi import complete
from service.http.problems import add_handlers, problem_responses
from service.http.responses import FRAME_HEADERS, ID_HEADER, WARNINGS_HEADER
from service.inference.warmup import warm_up
from service.logs import capture_native_output, configure_logs, log_exchange
from service.metrics import Metrics, metrics_from_environment
from service.middleware.access_log import AccessLogMiddleware
from service.middleware.api_keys import ApiKeyMiddleware
from service.middleware.body_limit import BodyLimitMiddleware
from service.middleware.deadline import DeadlineMiddleware
from service.middleware.headers import HeadersMiddleware
from service.middleware.hosts import HostMiddleware
from service.middleware.lingering_close import LingeringCloseMiddleware
from service.middleware.origins import OriginMiddleware
from service.middleware.plain_paths import PlainPathsMiddleware
from service.middleware.request_id import HEADER, REQUEST_ID
from service.middleware.send_limit import SendLimitMiddleware
from service.openai_api import errors as openai_errors
from service.page.assets import Assets
from service.routes import (
    align,
    features,
    health,
    model,
    openai,
    probs,
    reading,
    stream,
    transcribe,
    transcriptions,
)
from service.routes import metrics as metrics_route
from service.routes.page import page_router
from service.settings import Settings, load_settings

_EXPOSED = (
    *(HEADER, "ETag", "Retry-After"),
    *(*FRAME_HEADERS, features.SPEC_HEADER, WARNINGS_HEADER, ID_HEADER),
)
"""Headers that pages from other origins may read."""

logger = logging.getLogger(__name__)


def create_app(settings: Settings, metrics: Metrics | None = None) -> FastAPI:
    """The service as an ASGI application; nothing is loaded before it starts."""
    metrics = metrics or Metrics()
    # FastAPI's own documentation loads scripts from elsewhere; that of `service.page` doesn't.
    app = FastAPI(
        title="Otoscope",
        summary="Speech recognition that shows its work.",
        lifespan=_lifespan(settings, metrics),
        docs_url=None,
        redoc_url=None,
    )
    app.add_middleware(
        BodyLimitMiddleware,
        max_bytes=settings.max_upload_bytes,
        max_pause_s=settings.max_upload_pause_s,
    )
    refused, openai_refused = {}, {}
    if settings.api_keys:
        app.add_middleware(ApiKeyMiddleware, keys=settings.api_keys)
        refused, openai_refused = problem_responses(401), openai_errors.error_responses(401)
    add_handlers(app, {openai_errors.PREFIX: openai_errors.render})
    for routes in (transcribe, transcriptions, reading, align, probs, features, model):
        app.include_router(routes.router, responses=refused)
    app.include_router(stream.router)
    app.include_router(openai.router, responses=openai_refused)
    for open_routes in (health, metrics_route):
        app.include_router(open_routes.router)
    app.include_router(page_router(Assets()))
    app.openapi = partial(_openapi, app, keys_required=bool(settings.api_keys))  # type: ignore[method-assign]
    _put_around(app, _around(settings, metrics))
    return app


def from_environment() -> FastAPI:
    """The service as OTOSCOPE_ variables describe it: what each server process calls."""
    settings = load_settings()
    configure_logs(settings.log_level, settings.log_format, capture_native_output())
    return create_app(settings, metrics_from_environment())


def _openapi(app: FastAPI, *, keys_required: bool) -> dict[str, Any]:
    """FastAPI's document, with the API keys, headers and examples in it."""
    document = FastAPI.openapi(app)
    complete(document, keys_required=keys_required)
    return document


def _put_around(app: FastAPI, around: Sequence[Middleware]) -> None:
    """Put middleware, the outermost first, where answers to unexpected errors pass it, too.

    What `add_middleware` adds lies inside the place where Starlette answers unexpected errors, so
    such an answer would have neither a request id nor CORS headers, and be in no log or metric.
    """
    stack = app.build_middleware_stack()
    for middleware, arguments, options in reversed(around):
        stack = middleware(stack, *arguments, **options)
    app.middleware_stack = stack


def _around(settings: Settings, metrics: Metrics) -> list[Middleware]:
    """What every response passes on its way out, the last one first."""
    around = [
        Middleware(LingeringCloseMiddleware),
        REQUEST_ID,
        Middleware(PlainPathsMiddleware, prefix=openai_errors.PREFIX),
        Middleware(AccessLogMiddleware, observers=(log_exchange, metrics.add_request)),
        Middleware(HeadersMiddleware),
        Middleware(DeadlineMiddleware, limit_s=settings.max_request_s),
        Middleware(HostMiddleware, hosts=settings.served_hosts),
        Middleware(OriginMiddleware, origins=settings.cors_origins),
    ]
    if settings.cors_origins:
        cors = Middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=("GET", "POST", "DELETE"),
            allow_headers=("*",),  # keys travel in headers, and OpenAI's client has many of its own
            expose_headers=_EXPOSED,
        )
        around.append(cors)
    around.append(Middleware(SendLimitMiddleware, max_bytes=settings.max_sending_bytes))
    return around


def _lifespan(
    settings: Settings, metrics: Metrics
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with closing(metrics), open_services(settings, metrics) as services:
            app.state.services = services
            warming = asyncio.create_task(_get_ready(services, settings))
            yield
            warming.cancel()

    return lifespan


async def _get_ready(services: Services, settings: Settings) -> None:
    recognizers = [model.recording_recognizer for model in services.models]
    if await warm_up(recognizers, services.pool, services.readiness):
        default = services.models.default
        default.decode_workers.start()
        await asyncio.to_thread(default.recording_recognizer.start)
        address = f"http://{settings.host}:{settings.port}"
        logger.info(
            "ready on %s - try: curl -F file=@examples/sample.flac %s/transcribe", address, address
        )
