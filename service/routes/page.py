"""GET /, /docs and /page/: the web page, the API's documentation, and the files of both."""

from collections.abc import Mapping
from functools import partial

from fastapi import APIRouter, Response
from starlette.exceptions import HTTPException

from service.http.caching import IfNoneMatch, conditional_response, strong_etag
from service.page.assets import PREFIX, Assets
from service.page.security import SECURITY_HEADERS

_ASK_AGAIN: Mapping[str, str] = {**SECURITY_HEADERS, "Cache-Control": "no-cache"}
_FOR_EVER: Mapping[str, str] = {
    **SECURITY_HEADERS,
    "Cache-Control": "public, max-age=31536000, immutable",
}


def page_router(assets: Assets) -> APIRouter:
    """The routes of these files."""
    router = APIRouter(include_in_schema=False)

    def page(name: str, if_none_match: str | None) -> Response:
        etag = strong_etag((name, assets.version))
        document = partial(assets.document, f"static/{name}")
        return conditional_response(etag, if_none_match, document, "text/html", _ASK_AGAIN)

    @router.api_route("/", methods=["GET", "HEAD"])
    async def index(if_none_match: IfNoneMatch = None) -> Response:
        return page("index.html", if_none_match)

    @router.api_route("/docs", methods=["GET", "HEAD"])
    async def documentation(if_none_match: IfNoneMatch = None) -> Response:
        return page("docs.html", if_none_match)

    @router.api_route(PREFIX + "{version}/{name:path}", methods=["GET", "HEAD"])
    async def asset(version: str, name: str, if_none_match: IfNoneMatch = None) -> Response:
        if version != assets.version:  # a page of another version must not get a mixture
            raise HTTPException(404, "expected a file of this version of the page: load it again")
        file = assets.get(name)
        etag = strong_etag((name, version))
        return conditional_response(
            etag, if_none_match, lambda: file.body, file.media_type, _FOR_EVER
        )

    return router
