import asyncio

import pytest
from fastapi import APIRouter, FastAPI, Request
from fastapi.testclient import TestClient

from service.middleware.access_log import UNMATCHED, AccessLogMiddleware


@pytest.fixture
def exchanges():
    return []


@pytest.fixture
def observed(exchanges):
    router = APIRouter(prefix="/things")

    @router.post("/{name}")
    async def post(name: str, request: Request) -> int:
        return len(await request.body())

    @router.get("/{name}")
    def fail(name: str) -> None:
        raise RuntimeError(name)

    app = FastAPI()
    app.include_router(router)
    app.add_middleware(AccessLogMiddleware, observers=(exchanges.append,))
    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "/things/secret", ("/things/{name}", 200)),
        ("GET", "/things/secret", ("/things/{name}", 500)),
        ("PUT", "/things/secret", ("/things/{name}", 405)),
        ("GET", "/secret", (UNMATCHED, 404)),
        ("GET", "/openapi.json", ("/openapi.json", 200)),
    ],
)
def test_tells_the_template_and_the_status(observed, exchanges, method, path, expected):
    answer = observed.request(method, path)
    [exchange] = exchanges
    assert (exchange.route, exchange.status) == expected
    assert answer.status_code == exchange.status
    assert exchange.method == method
    assert exchange.duration_s > 0
    assert "secret" not in str(exchange)


def test_counts_the_bytes_that_were_read(observed, exchanges):
    observed.post("/things/a", content=b"x" * 1000)
    observed.post("/secret", content=b"x" * 1000)
    assert [exchange.bytes_in for exchange in exchanges] == [1000, 0]


def test_no_answer_counts_as_500(exchanges):
    async def silent(scope, receive, send):
        raise ValueError("no answer")

    observe = AccessLogMiddleware(silent, (exchanges.append,))
    with pytest.raises(ValueError, match="no answer"):
        asyncio.run(observe({"type": "http", "method": "GET"}, None, None))
    assert exchanges[0].status == 500
