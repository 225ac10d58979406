"""WS /stream: real audio, a real model, and what is said of it."""

import numpy as np
import pytest
from sentence_model import HEARD
from starlette.websockets import WebSocketDisconnect
from stream_socket import of_type, sample_pieces, talk

RATE_HZ = 16_000


def test_words_come_while_they_are_spoken_and_stay_once_confirmed(client):
    messages, code = talk(client, sample_pieces())
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
    messages, _ = talk(client, sample_pieces(rate_hz), f"?sample_rate_hz={rate_hz}")
    [final] = of_type(messages, "final")
    if rate_hz > RATE_HZ:
        assert final["text"] == HEARD


def test_posteriors_of_each_hearing(client):
    messages, _ = talk(client, sample_pieces(), "?probs=true&decoder=greedy")
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
    pieces = sample_pieces(silence_s=0)
    with client.websocket_connect("/stream") as socket:
        assert socket.receive_json()["type"] == "ready"
        for _ in range(2):
            for piece in pieces:
                socket.send_bytes(piece)
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
    messages, code = talk(client, sample_pieces(), query)
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
    data = np.full(20_000, np.nan, dtype="<f4").tobytes()
    messages, code = talk(client, [data], "?encoding=f32le")
    assert code == 1008
    assert "finite" in of_type(messages, "error")[0]["detail"]


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
