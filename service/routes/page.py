"""GET /, /docs and /page/: pages for people, and the files that they are made of."""

from collections.abc import Mapping

from fastapi import APIRouter, Response
from starlette.exceptions import HTTPException

from service.http.caching import is_fresh, strong_etag
from service.http.responses import IfNoneMatch
from service.page.assets import PREFIX, Assets
from service.page.security import SECURITY_HEADERS

_ASK_AGAIN: Mapping[str, str] = {"Cache-Control": "no-cache"}
_FOR_EVER: Mapping[str, str] = {"Cache-Control": "public, max-age=31536000, immutable"}


def page_router(assets: Assets) -> APIRouter:
    """The routes of these files."""
    router = APIRouter(include_in_schema=False)

    def page(name: str, if_none_match: str | None) -> Response:
        body = assets.document(f"static/{name}")
        etag = strong_etag((name, assets.edition))
        return _answer(body, "text/html", etag, if_none_match, _ASK_AGAIN)

    @router.api_route("/", methods=["GET", "HEAD"])
    async def index(if_none_match: IfNoneMatch = None) -> Response:
        return page("index.html", if_none_match)

    @router.api_route("/docs", methods=["GET", "HEAD"])
    async def documentation(if_none_match: IfNoneMatch = None) -> Response:
        return page("docs.html", if_none_match)

    @router.api_route(PREFIX + "{edition}/{name:path}", methods=["GET", "HEAD"])
    async def asset(edition: str, name: str, if_none_match: IfNoneMatch = None) -> Response:
        if edition != assets.edition:  # a page of another edition must not get a mixture
            raise HTTPException(404, "expected a file of this edition of the page: load it again")
        file = assets.get(name)
        etag = strong_etag((name, edition))
        return _answer(file.body, file.media_type, etag, if_none_match, _FOR_EVER)

    return router


def _answer(
    body: bytes, media_type: str, etag: str, if_none_match: str | None, caching: Mapping[str, str]
) -> Response:
    headers = {**SECURITY_HEADERS, **caching, "ETag": etag}
    if is_fresh(etag, if_none_match):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)
