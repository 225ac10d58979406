"""FastAPI, with what must see every answer put around it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.types import ASGIApp

from service.http.openapi import complete
from service.middleware.api_keys import describe_keys


class Application(FastAPI):
    """An application whose answers to unexpected errors pass all middleware of `around`, too.

    What `add_middleware` adds lies inside the place where Starlette answers unexpected errors, so
    such an answer would have neither a request id nor CORS headers, and be in no log or metric.
    """

    def __init__(
        self,
        *,
        title: str,
        summary: str,
        lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]],
        around: Sequence[Middleware],
        keys_required: bool,
    ) -> None:
        """Make it; nothing is around it before the first request.

        Args:
            title: FastAPI's.
            summary: FastAPI's.
            lifespan: FastAPI's.
            around: the outermost first.
            keys_required: whether requests need an API key, for the OpenAPI document.
        """
        # FastAPI's own documentation loads scripts from elsewhere; that of `service.page` doesn't.
        super().__init__(
            title=title, summary=summary, lifespan=lifespan, docs_url=None, redoc_url=None
        )
        self._around = around
        self._keys_required = keys_required

    def build_middleware_stack(self) -> ASGIApp:
        """Put `around` around FastAPI's."""
        app = super().build_middleware_stack()
        for middleware, arguments, options in reversed(self._around):
            app = middleware(app, *arguments, **options)
        return app

    def openapi(self) -> dict[str, Any]:
        """FastAPI's document, with the API keys, headers and examples in it."""
        document = super().openapi()
        describe_keys(document, required=self._keys_required)
        complete(document)
        return document
