"""WS /stream: who may open one, how many and for how long, and for its end a real server."""

import asyncio
import json
import signal
import threading

import pytest
import websockets
from ready_client import ready_client
from running_service import service_process
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect
from stream_socket import of_type, sample_pieces, talk

from service.inference.live_streams import StreamLimits
from service.live.waiting import Waiting

MOST_MESSAGES = 200
KEYS = [
    ({}, False),
    ({"authorization": "Bearer secret"}, True),
    ({"x-api-key": "secret"}, True),
    ({"x-api-key": "other"}, False),
    ({"sec-websocket-protocol": "realtime, openai-insecure-api-key.secret"}, True),
    ({"sec-websocket-protocol": "otoscope, openai-insecure-api-key.%73ecr%65t"}, True),
    ({"sec-websocket-protocol": "openai-insecure-api-key.other"}, False),
]


def check_opens(client, headers, allowed):
    if allowed:
        _, code = talk(client, [], headers=headers)
        assert code == 1000
    else:
        with (
            pytest.raises(WebSocketDenialResponse) as refused,
            client.websocket_connect("/stream", headers=headers),
        ):
            pass
        assert refused.value.status_code in (401, 403, 421)


@pytest.mark.parametrize(("headers", "allowed"), KEYS)
def test_keys(make_settings, headers, allowed):
    with ready_client(make_settings(api_keys=("secret",))) as client:
        check_opens(client, headers, allowed)


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"origin": "http://testserver"}, True),
        ({"origin": "https://app.example"}, True),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": "http://["}, False),
        ({"host": "evil.example", "origin": "http://evil.example"}, False),
    ],
)
def test_pages_of_other_origins_and_other_hosts_are_refused(make_settings, headers, allowed):
    settings = make_settings(cors_origins=("https://app.example",))
    with ready_client(settings) as client:
        check_opens(client, headers, allowed)


@pytest.mark.parametrize("offered", [[], ["otoscope"], ["otoscope", "other"], ["other"]])
def test_browsers_need_one_of_the_protocols_that_they_offer(client, offered):
    with client.websocket_connect("/stream", subprotocols=offered) as socket:
        assert socket.receive_json()["type"] == "ready"
        assert socket.accepted_subprotocol == ("otoscope" if "otoscope" in offered else None)
        socket.send_json({"type": "end"})


def test_one_stream_too_many_is_asked_to_come_again(make_settings):
    with ready_client(make_settings(max_streams=1)) as client:
        with client.websocket_connect("/stream") as first:
            assert first.receive_json()["type"] == "ready"
            messages, code = talk(client, [])
            assert code == 1013
            assert messages[0]["status"] == 503
            assert messages[0]["retry_after_s"] == 5
            assert "otoscope_streams_open 1.0" in client.get("/metrics").text
            first.send_json({"type": "end"})
            assert first.receive_json()["type"] == "done"
        messages, code = talk(client, [])
        assert code == 1000
        metrics = client.get("/metrics").text
        assert "otoscope_streams_open 0.0" in metrics
        assert 'duration_seconds_count{method="GET",route="/stream"}' not in metrics  # no request


def test_a_stream_that_brings_nothing_or_never_ends_is_closed(make_settings):
    settings = make_settings(stream_idle_s=0.3, max_duration_s=2.0)
    with ready_client(settings) as client:
        with client.websocket_connect("/stream") as socket:
            assert socket.receive_json()["type"] == "ready"
            assert socket.receive_json() == {"type": "closing", "reason": "nothing came for 0.3 s"}
            assert socket.receive_json()["type"] == "done"
            with pytest.raises(WebSocketDisconnect) as closed:
                socket.receive_json()
            assert closed.value.code == 1001
        with client.websocket_connect("/stream") as socket:
            socket.receive_json()
            socket.send_bytes(bytes(80_000))
            assert socket.receive_json() == {"type": "closing", "reason": "it lasted 2 s"}


@pytest.mark.parametrize(
    ("path", "message", "reason"),
    [
        ("/stream", b"", "nothing came for 0.3 s"),
        ("/stream?encoding=webm", bytes(5), "nothing came for 0.3 s"),
        ("/stream", b"ab", "it lasted 1 s"),
        ("/v1/realtime", '{"type": "nonsense"}', "nothing came for 0.3 s"),
        ("/v1/realtime", '{"type": "input_audio_buffer.clear"}', "nothing came for 0.3 s"),
    ],
)
def test_messages_without_audio_hold_no_place(make_settings, path, message, reason):
    settings, sent = make_settings(stream_idle_s=0.3, max_duration_s=1.0), []
    with ready_client(settings) as client, client.websocket_connect(path) as socket:
        ended = threading.Event()

        def trickle():
            while len(sent) < MOST_MESSAGES and not ended.wait(0.05):
                sent.append(message)
                (socket.send_bytes if isinstance(message, bytes) else socket.send_text)(message)

        thread = threading.Thread(target=trickle)
        thread.start()
        while reason not in socket.receive()["text"]:
            pass
        ended.set()
        thread.join()
    assert len(sent) < MOST_MESSAGES


def test_time_in_which_the_service_is_behind_does_not_count():
    waiting = Waiting(StreamLimits(idle_s=10, longest_s=100))
    assert waiting.left_s == 10
    waiting.add(4, 0)
    assert (waiting.left_s, waiting.over) == (6, "")
    waiting.add(7, 1)  # audio came in the end
    assert (waiting.left_s, waiting.over) == (10, "")
    waiting.add(10, 1)
    assert waiting.over == "nothing came for 10 s"
    for received_s in range(2, 80):
        waiting.add(1, received_s)
    assert (waiting.left_s, waiting.over) == (1, "")
    waiting.add(1, 80)
    assert waiting.over == "it lasted 100 s"


@pytest.mark.slow
def test_messages_that_are_too_long_are_refused(serve):
    async def send(address):
        async with websockets.connect(f"{address.replace('http', 'ws')}/stream") as socket:
            await socket.recv()
            await socket.send(bytes(2**18 + 1))
            await socket.wait_closed()
            return socket.close_code

    with serve() as address:
        assert asyncio.run(send(address)) == 1009


@pytest.mark.slow
def test_a_refusal_is_no_error_of_the_server(tmp_path, sentence_model):
    async def knock(address):
        with pytest.raises(websockets.InvalidStatus) as refused:
            await websockets.connect(f"{address.replace('http', 'ws')}/stream", origin="null")
        return refused.value.response.status_code

    log, model = tmp_path / "log", {"OTOSCOPE_MODEL_PATH": str(sentence_model)}
    with (
        log.open("wb") as stderr,
        service_process(tmp_path / "results.sqlite3", stderr=stderr, **model) as (_, address),
    ):
        assert asyncio.run(knock(address)) == 403
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert any(line.get("status") == 403 for line in lines)
    assert [line for line in lines if line["level"] == "error"] == []


@pytest.mark.slow
def test_a_server_that_stops_says_so_and_tells_the_last_words(tmp_path, sentence_model):
    few = {"OTOSCOPE_MODEL_PATH": str(sentence_model), "OTOSCOPE_SEARCH_PROCESSES": "0"}
    pieces = sample_pieces(silence_s=0)

    async def listen(process, address):
        uri = f"{address.replace('http', 'ws')}/stream"
        async with websockets.connect(uri) as socket:
            assert json.loads(await socket.recv())["type"] == "ready"
            for piece in pieces:
                await socket.send(piece)
            while json.loads(await socket.recv())["type"] != "partial":
                pass
            process.send_signal(signal.SIGTERM)
            messages = []
            try:
                async for message in socket:
                    messages.append(json.loads(message))  # noqa: PERF401 - the end is an error
            except websockets.ConnectionClosedError:
                pass
            return messages, socket.close_code

    with service_process(tmp_path / "results.sqlite3", **few) as (process, address):
        messages, code = asyncio.run(listen(process, address))
        assert of_type(messages, "closing") == [{"type": "closing", "reason": "the service stops"}]
        assert of_type(messages, "final")[-1]["text"].endswith("father")
        assert messages[-1]["type"] == "done"
        assert code == 1012
        assert process.wait(20) in (0, -signal.SIGTERM)
