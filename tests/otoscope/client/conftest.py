"""A real service with a key, and a way to talk to it with either client."""

import asyncio
from pathlib import Path

import pytest
from running_service import running_service

from otoscope.client import AsyncClient, Client

ROOT = Path(__file__).resolve().parents[3]
KEY = "swordfish"


@pytest.fixture(scope="session")
def sample():
    return ROOT / "examples/sample.flac"


@pytest.fixture(scope="session")
def address(tmp_path_factory, sentence_model):
    variables = {"OTOSCOPE_API_KEYS": KEY, "OTOSCOPE_MODEL_PATH": str(sentence_model)}
    store = tmp_path_factory.mktemp("client") / "results.sqlite3"
    with running_service(store, **variables) as address:
        yield address


@pytest.fixture(params=["waiting", "async"])
def talk(request):
    """`talk(address, lambda client: ..., **settings)`: what a client of either kind gets."""

    def waiting(address, do, **settings):
        with Client(address, **settings) as client:
            return do(client)

    def asynchronous(address, do, **settings):
        async def talking():
            async with AsyncClient(address, **settings) as client:
                return await do(client)

        return asyncio.run(talking())

    return waiting if request.param == "waiting" else asynchronous


@pytest.fixture
def ask(talk, address):
    """`talk` with the service."""
    return lambda do, **settings: talk(address, do, **{"api_key": KEY, **settings})
