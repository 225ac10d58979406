"""`otoscope listen`: real speech as samples, by the model in this process and by a real service."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from sentence_model import HEARD

from otoscope import load
from otoscope.cli.live_audio import LivePieces, MicrophoneError, ended_by_interrupt

ROOT = Path(__file__).resolve().parents[3]
RATE_HZ = 16_000


@pytest.fixture(scope="module")
def spoken(sample):
    samples = np.concatenate([load(sample, RATE_HZ).samples, np.zeros(RATE_HZ, np.float32)])
    return np.rint(32767 * samples).astype("<i2").tobytes()


@pytest.mark.parametrize("source", ["-", "--stdin"])
def test_an_utterance_is_a_line(otoscope, backend, spoken, source):
    assert otoscope("listen", source, *backend, stdin=spoken) == (0, f"{HEARD}\n".encode(), "")


def test_every_message_as_json(otoscope, backend, spoken):
    done = otoscope("listen", "-", "--json", *backend, stdin=spoken)
    messages = [json.loads(line) for line in done.out.splitlines()]
    assert [messages[0]["type"], messages[-1]["type"]] == ["speech_started", "final"]
    assert {each["type"] for each in messages[1:-1]} == {"partial"}
    assert messages[-1]["text"] == HEARD


def test_a_terminal_shows_partial_words_in_grey(otoscope, backend, spoken, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "30")
    shown = otoscope("listen", "-", *backend, stdin=spoken).out.decode()
    *partials, final, end = shown.split("\r\x1b[K")[1:]
    assert (final, end) == (f"{HEARD}\n", "")
    assert len(partials) > 3
    for partial in partials:
        solid, grey = partial.removesuffix("\x1b[0m").split("\x1b[90m")
        assert len(solid + grey) < 30
    assert any(partial.split("\x1b[90m")[0] for partial in partials)


def test_options_reach_the_search(otoscope, backend, spoken):
    done = otoscope("listen", "-", *backend, "--hotwords", "mother:30", stdin=spoken)
    assert b"mother" in done.out


def test_what_can_not_begin(otoscope, backend, spoken, monkeypatch):
    assert otoscope("listen", "a.wav").code == 2
    done = otoscope("listen", "-", "--rate", "3", *backend, stdin=spoken)
    assert (done.code, done.out) == (2, b"")
    wrong = ("--decoder", "greedy", "--hotwords", "mother")
    done = otoscope("listen", "-", *wrong, *backend, stdin=spoken)
    assert (done.code, done.out) == (2, b"")
    assert "expected decoder=beam" in done.err
    monkeypatch.setattr("otoscope.cli.commands.find_spec", lambda _: None)
    done = otoscope("listen")
    assert done.code == 2
    assert "pip install 'otoscope[microphone]'" in done.err


@pytest.fixture
def interruptible():
    """Ctrl-C raises KeyboardInterrupt, as in a terminal: a job in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_ends_the_pieces_and_a_second_one_the_program():
    pieces = LivePieces()
    pieces.put(b"before")
    with ended_by_interrupt(pieces):
        os.kill(os.getpid(), signal.SIGINT)
        assert list(pieces) == [b"before"]
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert pieces.exhausted


@pytest.mark.parametrize("where", ["local", "service"])
def test_the_last_words_are_said_after_an_interrupt(where, sentence_model, address, spoken):
    """Standard input stays open: the words come although it has not ended."""
    service = ("--server", address, "--api-key", "swordfish")
    chosen = ("--model", str(sentence_model)) if where == "local" else service
    command = [sys.executable, "-m", "otoscope.cli", "listen", "-", "--json", *chosen]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        emergency = threading.Timer(60, process.kill)
        emergency.start()
        process.stdin.write(spoken[: -2 * RATE_HZ])
        process.stdin.flush()
        lines = []
        while not (lines and "home" in json.loads(lines[-1]).get("text", "")):
            lines.append(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        lines += process.stdout.readlines()
        assert process.wait() == 0
        emergency.cancel()
    final = json.loads(lines[-1])
    assert final["type"] == "final"
    assert "came home" in final["text"]


def test_a_device_that_is_not_heard_fast_enough_ends_with_an_error():
    pieces = LivePieces()
    for _ in range(601):
        pieces.put(b"")
    with pytest.raises(MicrophoneError, match="as fast as the microphone records, got 60 s"):
        list(pieces)
