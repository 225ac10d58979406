"""WS /stream: real audio, a real model, and for its end a real server."""

import asyncio
import json
import signal
import time

import numpy as np
import pytest
import websockets
from fastapi.testclient import TestClient
from running_service import service_process
from sentence_model import HEARD, SAMPLE
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from otoscope import load
from service.app import create_app

RATE_HZ = 16_000
PIECE_BYTES = 3200


def sample_bytes(rate_hz=RATE_HZ, silence_s=1.5):
    samples = load(SAMPLE, rate_hz).samples
    samples = np.concatenate([samples, np.zeros(round(silence_s * rate_hz), dtype=np.float32)])
    return np.rint(32767 * samples).astype("<i2").tobytes()


def talk(client, data, query="", headers=None):
    """Send all of it, and end; what comes until the close, and its code."""
    messages = []
    with client.websocket_connect(f"/stream{query}", headers=headers or {}) as socket:
        messages.append(socket.receive_json())
        if messages[0]["type"] == "ready":
            for at in range(0, len(data), PIECE_BYTES):
                socket.send_bytes(data[at : at + PIECE_BYTES])
            socket.send_json({"type": "end"})
        while (message := socket.receive())["type"] != "websocket.close":
            messages.append(json.loads(message["text"]))
    return messages, message["code"]


def of_type(messages, *types):
    return [message for message in messages if message["type"] in types]


def test_words_come_while_they_are_spoken_and_stay_once_confirmed(client):
    messages, code = talk(client, sample_bytes())
    assert code == 1000
    ready, *_, done = messages
    assert ready["sample_rate_hz"] == RATE_HZ
    assert ready["frame_s"] == 0.04
    assert ready["model"]["sha256"]
    assert done == {"type": "done", "duration_s": pytest.approx(4.895, abs=0.01)}
    [start] = of_type(messages, "speech_started")
    [final] = of_type(messages, "final")
    assert final["text"] == HEARD
    assert final["start_s"] == start["start_s"] < final["words"][0]["start_s"]
    partials = of_type(messages, "partial")
    assert len(partials) >= 4
    for partial in partials:
        confirmed = partial["words"][: partial["confirmed"]]
        assert confirmed == final["words"][: partial["confirmed"]]
        assert partial["text"] == " ".join(word["word"] for word in partial["words"])
    assert messages.index(final) > messages.index(partials[-1])


@pytest.mark.parametrize("rate_hz", [8000, 48_000])
def test_other_rates(client, rate_hz):
    messages, _ = talk(client, sample_bytes(rate_hz), f"?sample_rate_hz={rate_hz}")
    [final] = of_type(messages, "final")
    if rate_hz > RATE_HZ:
        assert final["text"] == HEARD


def test_posteriors_of_each_hearing(client):
    messages, _ = talk(client, sample_bytes(), "?probs=true&decoder=greedy")
    known = 0
    for frames in of_type(messages, "frames"):
        assert frames["start_s"] == pytest.approx(0.04 * frames["first_frame"])
        assert frames["first_frame"] <= known
        probs = np.array(frames["probs"])
        assert probs.shape == tuple(frames["shape"])
        assert probs.shape[1] == len(frames["symbols"])
        np.testing.assert_allclose(probs.sum(axis=1), 1, atol=1e-4)
        known = frames["first_frame"] + probs.shape[0]
    assert known == pytest.approx(4.895 / 0.04, abs=1)
    [final] = of_type(messages, "final")
    assert final["probs"]["shape"][0] == len(final["probs"]["probs"]) > 50


def test_a_flush_ends_an_utterance_and_not_the_stream(client):
    data = sample_bytes(silence_s=0)
    with client.websocket_connect("/stream") as socket:
        assert socket.receive_json()["type"] == "ready"
        for _ in range(2):
            for at in range(0, len(data), PIECE_BYTES):
                socket.send_bytes(data[at : at + PIECE_BYTES])
            socket.send_json({"type": "flush"})
            while (message := socket.receive_json())["type"] != "final":
                assert message["type"] in ("speech_started", "partial", "pace")
            assert message["text"].endswith("home to his father")
        assert message["utterance"] >= 1


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?encoding=mp3", "encoding: Input should be 's16le', 'f32le', 'mulaw', 'alaw', 'webm' or"),
        ("?sample_rate_hz=5", "sample_rate_hz"),
        ("?nonsense=1", "nonsense"),
        ("?phrases=yes,no", "phrases"),
        ("?step_s=0", "step_s"),
        ("?decoder=greedy&lm_weight=1", "lm_weight"),
    ],
)
def test_options_that_are_wrong_are_told_of(client, query, said):
    messages, code = talk(client, sample_bytes(), query)
    [error] = of_type(messages, "error")
    assert code == 1008
    assert error["status"] == 422
    assert said in error["detail"]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"type": "stop"}', '{"kind": "end"}', "[" * 100_000]
)
def test_messages_that_are_not_understood_end_the_stream(client, text):
    with client.websocket_connect("/stream") as socket:
        socket.receive_json()
        socket.send_text(text)
        assert "expected samples" in socket.receive_json()["detail"]
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_json()
    assert closed.value.code == 1008


def test_samples_that_are_no_numbers_end_the_stream(client):
    messages, code = talk(client, np.full(20_000, np.nan, dtype="<f4").tobytes(), "?encoding=f32le")
    assert code == 1008
    assert "finite" in of_type(messages, "error")[0]["detail"]


def test_one_stream_too_many_is_asked_to_come_again(make_settings):
    with TestClient(create_app(make_settings(max_streams=1))) as client:
        wait_until_ready(client)
        with client.websocket_connect("/stream") as first:
            assert first.receive_json()["type"] == "ready"
            messages, code = talk(client, b"")
            assert code == 1013
            assert messages[0]["status"] == 503
            assert messages[0]["retry_after_s"] == 5
            assert "otoscope_streams_open 1.0" in client.get("/metrics").text
            first.send_json({"type": "end"})
            assert first.receive_json()["type"] == "done"
        messages, code = talk(client, b"")
        assert code == 1000
        metrics = client.get("/metrics").text
        assert "otoscope_streams_open 0.0" in metrics
        assert 'duration_seconds_count{method="GET",route="/stream"}' not in metrics  # no request


def test_a_stream_that_brings_nothing_or_never_ends_is_closed(make_settings):
    settings = make_settings(stream_idle_s=0.3, max_duration_s=2.0)
    with TestClient(create_app(settings)) as client:
        wait_until_ready(client)
        with client.websocket_connect("/stream") as socket:
            assert socket.receive_json()["type"] == "ready"
            assert socket.receive_json() == {"type": "closing", "reason": "nothing came for 0.3 s"}
            assert socket.receive_json()["type"] == "done"
            with pytest.raises(WebSocketDisconnect) as closed:
                socket.receive_json()
            assert closed.value.code == 1001
        with client.websocket_connect("/stream") as socket:
            socket.receive_json()
            socket.send_bytes(bytes(5 * RATE_HZ))
            assert socket.receive_json() == {"type": "closing", "reason": "it lasted 2 s"}


def wait_until_ready(client):
    while client.get("/health/ready").status_code != 200:
        time.sleep(0.05)


KEYS = [
    ({}, False),
    ({"authorization": "Bearer secret"}, True),
    ({"x-api-key": "secret"}, True),
    ({"x-api-key": "other"}, False),
    ({"sec-websocket-protocol": "realtime, openai-insecure-api-key.secret"}, True),
    ({"sec-websocket-protocol": "otoscope, openai-insecure-api-key.%73ecr%65t"}, True),
    ({"sec-websocket-protocol": "openai-insecure-api-key.other"}, False),
]


@pytest.mark.parametrize("offered", [[], ["otoscope"], ["otoscope", "other"], ["other"]])
def test_browsers_need_one_of_the_protocols_that_they_offer(client, offered):
    with client.websocket_connect("/stream", subprotocols=offered) as socket:
        assert socket.receive_json()["type"] == "ready"
        assert socket.accepted_subprotocol == ("otoscope" if "otoscope" in offered else None)
        socket.send_json({"type": "end"})


@pytest.mark.parametrize(("headers", "allowed"), KEYS)
def test_keys(make_settings, headers, allowed):
    with TestClient(create_app(make_settings(api_keys=("secret",)))) as client:
        wait_until_ready(client)
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
    with TestClient(create_app(settings)) as client:
        wait_until_ready(client)
        check_opens(client, headers, allowed)


def check_opens(client, headers, allowed):
    if allowed:
        _, code = talk(client, b"", headers=headers)
        assert code == 1000
    else:
        with (
            pytest.raises(WebSocketDenialResponse) as refused,
            client.websocket_connect("/stream", headers=headers),
        ):
            pass
        assert refused.value.status_code in (401, 403, 421)


@pytest.mark.slow
def test_a_server_that_stops_says_so_and_tells_the_last_words(tmp_path, sentence_model):
    few = {"OTOSCOPE_MODEL_PATH": str(sentence_model), "OTOSCOPE_SEARCH_PROCESSES": "0"}
    data = sample_bytes(silence_s=0)

    async def listen(process, address):
        uri = f"{address.replace('http', 'ws')}/stream"
        async with websockets.connect(uri) as socket:
            assert json.loads(await socket.recv())["type"] == "ready"
            for at in range(0, len(data), PIECE_BYTES):
                await socket.send(data[at : at + PIECE_BYTES])
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


def test_steps_larger_than_what_may_wait_are_heard(client):
    """A step of 2 s of floats at 192 kHz has 1.5 MB."""
    query = "?encoding=f32le&sample_rate_hz=192000&step_s=2&decoder=greedy"
    with client.websocket_connect(f"/stream{query}") as socket:
        socket.receive_json()
        for _ in range(20):
            socket.send_bytes(bytes(192_000))
        socket.send_json({"type": "end"})
        messages = [socket.receive_json()]
        while messages[-1]["type"] != "done":
            messages.append(socket.receive_json())
    assert messages[-1]["duration_s"] == 5.0


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
def test_messages_that_are_too_long_are_refused(serve):
    async def send(address):
        async with websockets.connect(f"{address.replace('http', 'ws')}/stream") as socket:
            await socket.recv()
            await socket.send(bytes(2**18 + 1))
            await socket.wait_closed()
            return socket.close_code

    with serve() as address:
        assert asyncio.run(send(address)) == 1009
