"""Live streams of both clients, against a real service."""

import asyncio
import time

import numpy as np
import pytest
from free_port import free_port
from sentence_model import HEARD

from otoscope import load
from otoscope.client import AsyncClient, Client, ProblemError, UnreachableError
from otoscope.schemas.streaming import FinalMessage, PartialMessage

KEY = "swordfish"
RATE_HZ = 16_000


@pytest.fixture(scope="module")
def pieces(sample):
    samples = np.concatenate([load(sample, RATE_HZ).samples, np.zeros(RATE_HZ, np.float32)])
    data = np.rint(32767 * samples).astype("<i2").tobytes()
    return [data[at : at + 3200] for at in range(0, len(data), 3200)]


@pytest.fixture(params=["waiting", "async", "awaited pieces"])
def said(request, address):
    """`said(pieces, **options)`: all messages that a client of either kind gives."""

    def waiting(pieces, address=address, api_key=KEY, **options):
        with Client(address, api_key=api_key) as client:
            return list(client.stream(pieces, **options))

    def asynchronous(pieces, address=address, api_key=KEY, **options):
        async def awaited():
            for piece in pieces:
                await asyncio.sleep(0)
                yield piece

        async def talking():
            async with AsyncClient(address, api_key=api_key) as client:
                given = awaited() if request.param == "awaited pieces" else pieces
                return [message async for message in client.stream(given, **options)]

        return asyncio.run(talking())

    return waiting if request.param == "waiting" else asynchronous


def test_words_come_as_they_are_spoken(said, pieces):
    messages = said(pieces)
    [final] = (each for each in messages if isinstance(each, FinalMessage))
    assert final.text == HEARD
    partials = [each for each in messages if isinstance(each, PartialMessage)]
    assert len(partials) > 3
    assert partials[-1].words[: partials[-1].confirmed] == final.words[: partials[-1].confirmed]


def test_options_reach_the_service(said, pieces):
    messages = said(pieces, hotwords={"mother": 30.0}, decoder="beam", language_model=True)
    assert "mother" in messages[-1].text.split()
    with pytest.raises(ProblemError, match="sample_rate_hz") as refused:
        said(pieces, sample_rate_hz=3)
    assert refused.value.status == 422


def test_one_large_piece_is_divided(said, pieces):
    assert said([b"".join(pieces) * 4])[-1].text


def test_a_wrong_key_and_no_service_at_all(said, pieces):
    with pytest.raises(ProblemError, match="API key") as refused:
        said(pieces, api_key="other")
    assert refused.value.status == 401
    with pytest.raises(UnreachableError):
        said(pieces, address=f"http://127.0.0.1:{free_port()}")


def test_what_the_pieces_raise_reaches_the_caller(said, pieces):
    def broken():
        yield pieces[0]
        raise LookupError("the microphone is gone")

    with pytest.raises(LookupError, match="microphone"):
        said(broken())


def test_words_come_before_the_pieces_end(address, pieces):
    seen = []

    def slowly():
        yield from pieces
        end_s = time.monotonic() + 30
        while not seen and time.monotonic() < end_s:
            time.sleep(0.01)

    with Client(address, api_key=KEY) as client:
        for message in client.stream(slowly()):
            seen += [message] if isinstance(message, PartialMessage) else []
    assert seen
