"""GET /metrics: numbers for Prometheus."""

import logging

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from service.dependencies import ServicesDep
from service.errors import StoreError
from service.store.base import Store, Usage

router = APIRouter(tags=["health"])
logger = logging.getLogger(__name__)


@router.get("/metrics", response_class=PlainTextResponse, summary="Numbers for Prometheus")
def metrics(request: Request, services: ServicesDep) -> Response:
    """Requests, stages of transcriptions, the queue and the store, of all processes together.

    In Prometheus' text format, or in OpenMetrics' if the request accepts that.
    """
    # Not async, so that FastAPI runs it in a thread: the store and processes' files take time.
    services.metrics.set_store(_usage(services.store))
    body, content_type = services.metrics.render(request.headers.get("accept", ""))
    return Response(body, headers={"Content-Type": content_type})


def _usage(store: Store) -> Usage | None:
    """None if the store fails: the other numbers matter all the more then."""
    try:
        return store.usage()
    except StoreError as error:
        logger.warning("the store can't say what it holds: %s", error)
        return None
