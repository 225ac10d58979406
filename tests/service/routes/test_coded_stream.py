"""WS /stream with what a browser's MediaRecorder sends, through real decoding processes."""

import os
import signal
import time

import numpy as np
import pytest
from recorded import cut, recorded
from sentence_model import HEARD, SAMPLE
from stream_socket import of_type, talk

from otoscope import load

WEBM = "?encoding=webm"


@pytest.fixture(scope="module")
def samples():
    """The sample at 48 kHz, and 1.5 s of silence."""
    return np.pad(load(SAMPLE, 48_000).samples, (0, 72_000))


@pytest.mark.parametrize("container", ["webm", "ogg"])
def test_words_come_as_they_are_spoken(client, samples, container):
    pieces = cut(recorded(samples, container), np.random.default_rng(5))
    messages, code = talk(client, pieces, f"?encoding={container}")
    assert code == 1000
    assert (messages[0]["encoding"], messages[0]["sample_rate_hz"]) == (container, None)
    [final] = of_type(messages, "final")
    assert final["text"].split()[-5:] == HEARD.split()[-5:]
    assert len(of_type(messages, "partial")) > 2
    assert messages[-1] == {"type": "done", "duration_s": pytest.approx(4.9, abs=0.05)}


def test_a_flush_ends_the_utterance_behind_what_was_put_in(client, samples):
    data = recorded(samples[: -72_000 + 4800])
    with client.websocket_connect(f"/stream{WEBM}") as socket:
        assert socket.receive_json()["type"] == "ready"
        socket.send_bytes(data)
        socket.send_json({"type": "flush"})
        while (message := socket.receive_json())["type"] != "final":
            assert message["type"] in ("speech_started", "partial", "pace")
        assert message["text"].endswith("home to his father")


@pytest.mark.parametrize("data", [b"no audio at all" * 1000, bytes(50_000), b"\x1a\x45\xdf\xa3"])
def test_bytes_that_are_no_stream_are_told_of(client, data):
    messages, code = talk(client, [data], WEBM)
    [error] = of_type(messages, "error")
    assert code == 1008
    assert (error["status"], error["kind"]) == (415, "urn:otoscope:problem:audio-unreadable")


def test_damage_ends_no_more_than_the_stream(client, samples):
    generator, whole = np.random.default_rng(6), recorded(samples)
    for first in (0, 700):
        data = np.frombuffer(whole, dtype=np.uint8).copy()
        places = generator.integers(first, data.size, 60)
        data[places] = generator.integers(0, 256, places.size)
        messages, code = talk(client, cut(data.tobytes(), generator), WEBM)
        assert (messages[-1]["type"], code) in (("done", 1000), ("error", 1008))
    assert talk(client, [whole], WEBM)[1] == 1000


@pytest.mark.parametrize(
    ("number", "status", "code"), [(signal.SIGSEGV, 415, 1008), (signal.SIGKILL, 503, 1013)]
)
def test_a_process_that_dies_ends_its_stream_alone(  # noqa: PLR0917
    client, samples, monkeypatch, number, status, code
):
    processes = client.app.state.services.stream_decoders
    borrowed, borrow = [], processes.borrow
    monkeypatch.setattr(processes, "borrow", lambda: borrowed.append(borrow()) or borrowed[0])
    data = recorded(samples)
    with client.websocket_connect(f"/stream{WEBM}") as socket:
        socket.receive_json()
        socket.send_bytes(data[: len(data) * 3 // 4])
        while socket.receive_json()["type"] != "partial":
            pass
        os.kill(borrowed[0]._process.pid, number)
        while (message := socket.receive_json())["type"] != "error":
            pass  # nothing more is sent: the error comes by itself
        assert message["status"] == status
        assert socket.receive()["code"] == code
    monkeypatch.undo()
    assert talk(client, [data], WEBM)[1] == 1000


def test_who_leaves_ends_the_process(client, samples, monkeypatch):
    processes = client.app.state.services.stream_decoders
    borrowed, borrow = [], processes.borrow
    monkeypatch.setattr(processes, "borrow", lambda: borrowed.append(borrow()) or borrowed[0])
    with client.websocket_connect(f"/stream{WEBM}") as socket:
        socket.receive_json()
        socket.send_bytes(recorded(samples)[:20_000])
        while socket.receive_json()["type"] != "partial":
            pass
    end_s = time.monotonic() + 20
    while borrowed[0].exit_code() is None:
        assert time.monotonic() < end_s
        time.sleep(0.05)
    assert borrowed[0].exit_code() == -signal.SIGKILL


def test_a_stream_without_bytes_starts_no_process(client, monkeypatch):
    monkeypatch.delattr(type(client.app.state.services.stream_decoders), "borrow")
    messages, code = talk(client, [], WEBM)
    assert (messages[-1], code) == ({"type": "done", "duration_s": 0.0}, 1000)
