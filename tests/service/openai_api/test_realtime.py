"""WS /v1/realtime, spoken to by OpenAI's own client and, where it is wrong, by hand."""

import base64
from contextlib import contextmanager

import numpy as np
import pytest
from openai import OpenAI
from ready_client import ready_client
from sentence_model import HEARD, SAMPLE
from stream_socket import sample_pieces
from websockets import ConnectionClosedError

from otoscope import load

COMPLETED = "conversation.item.input_audio_transcription.completed"
DELTA = "conversation.item.input_audio_transcription.delta"


def audio(rate_hz, silence_s=1.5):
    pieces = sample_pieces(rate_hz, silence_s, size_bytes=9600)
    return [base64.b64encode(piece).decode() for piece in pieces]


@pytest.fixture(scope="module")
def openai(serve_from, tmp_path_factory):
    variables = {"OTOSCOPE_API_KEYS": "swordfish"}
    with serve_from(tmp_path_factory.mktemp("realtime"), **variables) as address:
        yield OpenAI(base_url=f"{address}/v1", api_key="swordfish")


def session(turn_detection, rate_hz=24_000):
    return {
        "type": "transcription",
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": rate_hz},
                "transcription": {"model": "gpt-4o-transcribe", "language": "en"},
                "turn_detection": turn_detection,
            }
        },
    }


@contextmanager
def committing(openai):
    """A session whose items the client commits."""
    with openai.realtime.connect(extra_query={"intent": "transcription"}) as connection:
        connection.recv()
        connection.session.update(session=session(None))
        connection.recv()
        yield connection


def until(connection, kind):
    """All events up to one of a kind."""
    events = []
    while not events or events[-1].type != kind:
        events.append(connection.recv())
        assert events[-1].type != "error", events[-1]
    return events


@pytest.mark.parametrize("rate_hz", [16_000, 24_000])
def test_openais_client_is_told_words_and_turns(openai, rate_hz):
    with openai.realtime.connect(extra_query={"intent": "transcription"}) as connection:
        assert connection.recv().type == "session.created"
        turns = {"type": "server_vad", "silence_duration_ms": 700}
        connection.session.update(session=session(turns, rate_hz))
        updated = connection.recv()
        assert updated.type == "session.updated"
        assert updated.session.audio.input.turn_detection.silence_duration_ms == 700
        for piece in audio(rate_hz):
            connection.input_audio_buffer.append(audio=piece)
        events = until(connection, COMPLETED)
    kinds = list(dict.fromkeys(event.type for event in events))
    assert kinds == [
        "input_audio_buffer.speech_started",
        DELTA,
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        COMPLETED,
    ]
    completed = events[-1]
    assert completed.transcript == HEARD
    deltas = [event for event in events if event.type == DELTA]
    assert len(deltas) > 1
    assert "".join(event.delta for event in deltas) == HEARD
    ids = {event.item_id for event in events if event.type != "conversation.item.added"}
    assert ids == {completed.item_id}
    assert events[0].audio_start_ms < 1000
    assert events[len(deltas) + 1].audio_end_ms > 3000


def test_items_that_the_client_commits(openai):
    with committing(openai) as connection:
        previous = None
        for pieces in (audio(24_000, silence_s=0.5), ["AAAA" * 8000]):
            for piece in pieces:
                connection.input_audio_buffer.append(audio=piece)
            connection.input_audio_buffer.commit()
            events = until(connection, COMPLETED)
            committed = next(e for e in events if e.type == "input_audio_buffer.committed")
            assert committed.previous_item_id == previous
            previous = committed.item_id
            assert events[-1].transcript == ("" if len(pieces) == 1 else HEARD)
            assert not any(event.type.endswith(("started", "stopped")) for event in events)


def test_audio_that_is_cleared_is_not_transcribed(openai):
    with committing(openai) as connection:
        for piece in audio(24_000):
            connection.input_audio_buffer.append(audio=piece)
        connection.input_audio_buffer.clear()
        until(connection, "input_audio_buffer.cleared")
        connection.input_audio_buffer.append(audio="AAAA" * 8000)
        connection.input_audio_buffer.commit()
        assert until(connection, COMPLETED)[-1].transcript == ""


def test_clearing_leaves_what_was_committed(openai):
    with committing(openai) as connection:
        for piece in audio(24_000):
            connection.input_audio_buffer.append(audio=piece)
        connection.input_audio_buffer.commit()
        connection.input_audio_buffer.append(audio="AAAA" * 8000)
        connection.input_audio_buffer.clear()
        assert until(connection, COMPLETED)[-1].transcript == HEARD
        connection.input_audio_buffer.commit()
        last = until(connection, COMPLETED)[-1]
        assert (last.transcript, last.usage.seconds) == ("", 0)


def test_one_event_may_have_minutes(openai):
    def append_too_much(connection):
        connection.input_audio_buffer.append(audio="A" * 22 * 2**20)
        connection.recv()

    with committing(openai) as connection:
        samples = b"".join(sample_pieces(24_000))
        whole = bytes(2 * 24_000 * 60) + samples
        connection.input_audio_buffer.append(audio=base64.b64encode(whole).decode())
        connection.input_audio_buffer.commit()
        assert until(connection, COMPLETED)[-1].transcript == HEARD
        with pytest.raises(ConnectionClosedError) as closed:
            append_too_much(connection)
        assert closed.value.rcvd.code == 1009


@pytest.mark.parametrize("model", ["english", "whisper-1", "gpt-realtime-whisper"])
def test_the_address_may_name_a_model(openai, model):
    with openai.realtime.connect(model=model) as connection:
        created = connection.recv()
        assert created.type == "session.created"
        assert created.session.audio.input.transcription.model == model
        update = session(None)
        del update["audio"]["input"]["transcription"]["model"]
        connection.session.update(session=update)
        assert connection.recv().session.audio.input.transcription.model == model


@pytest.mark.parametrize(
    ("query", "code"), [("model=gpt-9", "model_not_found"), ("model=a&model=b", "form")]
)
def test_addresses_of_unknown_models_are_refused(client, query, code):
    with client.websocket_connect(f"/v1/realtime?{query}") as socket:
        error = socket.receive_json()["error"]
        assert (error["param"], error["code"]) == ("model", code)
        assert socket.receive()["code"] == 1008


def test_log_probabilities_are_not_promised(socket):
    update = session(None) | {"include": ["item.input_audio_transcription.logprobs"]}
    socket.send_json({"type": "session.update", "session": update})
    assert socket.receive_json()["session"]["include"] == []


@pytest.fixture
def socket(client):
    with client.websocket_connect("/v1/realtime?intent=transcription") as socket:
        assert socket.receive_json()["type"] == "session.created"
        yield socket


UPDATE = {"type": "session.update", "event_id": "mine"}


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"type": "response.create"}, "session.update"),
        ({}, "a JSON object with a type"),
        ([], "a JSON object with a type"),
        ({"type": "input_audio_buffer.commit"}, "expected audio before it"),
        ({"type": "input_audio_buffer.append", "audio": "&"}, "base64"),
        ({"type": "input_audio_buffer.append"}, "base64"),
        ({**UPDATE, "session": {"type": "realtime"}}, "transcription"),
        ({**UPDATE, "session": session({"type": "none"})}, "turn_detection"),
        ({**UPDATE, "session": session(None, 1)}, "rate"),
    ],
)
def test_mistakes_are_answered_and_forgiven(socket, event, said):
    socket.send_json(event)
    error = socket.receive_json()
    assert error["type"] == "error"
    assert said in error["error"]["message"]
    assert error["error"]["type"] == "invalid_request_error"
    if "event_id" in event:
        assert error["error"]["event_id"] == "mine"
    socket.send_json({"type": "session.update", "session": session(None)})
    assert socket.receive_json()["type"] == "session.updated"


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"type": "x", "event_id": "\\ud800"}',
        '{"type": "x", "event_id": 1e999}',
        '{"type": "x", "event_id": %s}' % ("9" * 40),
        '{"type": "x", "event_id": %s}' % ("[" * 400 + "]" * 400),
    ],
)
def test_what_json_can_not_say_is_answered_and_forgiven(socket, text):
    for _ in range(2):
        socket.send_text(text)
        error = socket.receive_json()["error"]
        assert error["type"] == "invalid_request_error"
        assert error["event_id"] is None


@pytest.mark.parametrize(
    ("wanted", "code"),
    [({"model": "gpt-9"}, "model_not_found"), ({"language": "de"}, "form")],
)
def test_what_the_model_can_not_do_is_refused(socket, wanted, code):
    update = session(None)
    update["audio"]["input"]["transcription"] |= wanted
    socket.send_json({"type": "session.update", "session": update})
    assert socket.receive_json()["error"]["code"] == code


def test_a_session_is_not_changed_under_way(socket):
    socket.send_json({"type": "input_audio_buffer.append", "audio": "AAAA"})
    socket.send_json({"type": "session.update", "session": session(None)})
    assert "before the first audio" in socket.receive_json()["error"]["message"]


def test_g711(socket):
    samples = load(SAMPLE, 8000).samples
    loud = np.maximum(np.abs(samples), 2**-13)
    codes = np.rint(127 * np.log1p(255 * loud) / np.log(256)).astype(np.uint8)
    data = np.where(samples < 0, ~codes & 0x7F, ~codes | 0x80).astype(np.uint8).tobytes()
    update = session(None)
    update["audio"]["input"]["format"] = {"type": "audio/pcmu"}
    socket.send_json({"type": "session.update", "session": update})
    updated = socket.receive_json()
    assert updated["session"]["audio"]["input"]["format"] == {"type": "audio/pcmu"}
    piece = base64.b64encode(data).decode()
    socket.send_json({"type": "input_audio_buffer.append", "audio": piece})
    socket.send_json({"type": "input_audio_buffer.commit"})
    while (event := socket.receive_json())["type"] != COMPLETED:
        assert event["type"] != "error"
    assert event["usage"]["seconds"] == pytest.approx(samples.size / 8000, abs=0.1)


def test_other_intents_and_too_many_sessions_are_refused(make_settings):
    with (
        ready_client(make_settings(max_streams=0)) as client,
        client.websocket_connect("/v1/realtime") as socket,
    ):
        assert socket.receive_json()["error"]["code"] == "streams_full"
        assert socket.receive()["code"] == 1013


def test_a_bug_is_not_told_as_the_clients_mistake(client, monkeypatch, caplog):
    def fail(*_, **__):
        raise KeyError("a bug")

    monkeypatch.setattr("service.live.realtime.open_stream", fail)
    with client.websocket_connect("/v1/realtime") as socket:
        socket.receive_json()
        socket.send_json({"type": "input_audio_buffer.append", "audio": "AAAA"})
        assert socket.receive_json()["error"]["type"] == "server_error"
        assert socket.receive()["code"] == 1011
    assert "a live stream failed" in caplog.messages


@pytest.mark.parametrize("query", ["conversation", "conversation&intent=transcription"])
def test_conversations_are_refused(client, query):
    with client.websocket_connect(f"/v1/realtime?intent={query}") as socket:
        assert "intent" in socket.receive_json()["error"]["message"]
        assert socket.receive()["code"] == 1008
