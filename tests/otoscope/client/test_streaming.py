"""Live streams of both clients, against a real service."""

import asyncio
import json
import signal
import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest
from free_port import free_port
from running_service import running_service, service_process
from sentence_model import HEARD
from websockets.asyncio import client as asynchronous
from websockets.sync import client as waiting
from websockets.sync.server import serve

from otoscope import load
from otoscope.client import (
    AsyncClient,
    Client,
    ProblemError,
    StreamEndedError,
    UnreachableError,
)
from otoscope.schemas.streaming import FinalMessage, PartialMessage

KEY = "swordfish"
RATE_HZ = 16_000


@pytest.fixture(scope="module")
def pieces(sample):
    samples = np.concatenate([load(sample, RATE_HZ).samples, np.zeros(RATE_HZ, np.float32)])
    data = np.rint(32767 * samples).astype("<i2").tobytes()
    return [data[at : at + 3200] for at in range(0, len(data), 3200)]


@pytest.fixture(scope="module")
def serve_briefly(tmp_path_factory, sentence_model):
    """Address of a service that ends streams after two seconds."""
    variables = {"OTOSCOPE_MODEL_PATH": str(sentence_model), "OTOSCOPE_SEARCH_PROCESSES": "0"}
    store = tmp_path_factory.mktemp("brief") / "results.sqlite3"
    with running_service(store, OTOSCOPE_MAX_DURATION_S="2", **variables) as address:
        yield address


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


@pytest.mark.slow
def test_a_stream_that_the_service_ends_is_an_error_behind_its_last_words(
    tmp_path, sentence_model, pieces
):
    variables = {"OTOSCOPE_MODEL_PATH": str(sentence_model), "OTOSCOPE_SEARCH_PROCESSES": "0"}
    said, ended = [], threading.Event()
    with service_process(tmp_path / "results.sqlite3", **variables) as (process, address):

        def endless():
            yield from pieces[:-8]  # no pause that ends the utterance
            ended.wait(60)

        def listen():
            with Client(address) as client:
                for message in client.stream(endless()):
                    said.append(message)
                    if isinstance(message, PartialMessage):
                        process.send_signal(signal.SIGTERM)

        with pytest.raises(StreamEndedError, match="the service stops") as stopped:
            listen()
        ended.set()
    assert stopped.value.reason == "the service stops"
    assert isinstance(said[-1], FinalMessage)


def test_a_stream_that_lasts_too_long(said, serve_briefly, pieces):
    with pytest.raises(StreamEndedError, match="it lasted 2 s"):
        said(pieces, address=serve_briefly, api_key=None)


@contextmanager
def serving(handler):
    """Address of a server that speaks WebSockets as it likes."""
    with serve(handler, "127.0.0.1", 0, compression=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        server.shutdown()
        thread.join()


def tell(socket, **message):
    socket.send(json.dumps(message))


@pytest.mark.parametrize(("code", "closing"), [(1001, False), (1011, False), (1012, True)])
def test_a_stream_that_is_closed_before_it_is_done_is_not_taken_for_whole(said, code, closing):
    def break_off(socket):
        tell(socket, type="speech_started", utterance=0, start_s=0.0)
        if closing:
            tell(socket, type="closing", reason="the service stops")
        socket.close(code)

    with serving(break_off) as address, pytest.raises(UnreachableError, match="broke off"):
        said([bytes(3200)], address=address)


def test_a_service_that_is_behind_is_waited_for(said, monkeypatch):
    """A ping waits behind the audio that the service does not read for a while."""
    for connect in (waiting.connect, asynchronous.connect.__init__):
        monkeypatch.setitem(connect.__kwdefaults__, "ping_interval", 0.1)
        monkeypatch.setitem(connect.__kwdefaults__, "ping_timeout", 0.1)
    received = []

    def begin_late(socket):
        tell(socket, type="ready")
        time.sleep(1)
        while (message := socket.recv()) != '{"type": "end"}':
            received.append(len(message))
        tell(socket, type="done")

    with serving(begin_late) as address:
        assert said([bytes(2**22)], address=address) == []
    assert sum(received) == 2**22


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
