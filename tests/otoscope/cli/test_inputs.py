"""Standard input in each state that a shell may leave it in, and pipes that have a name."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from otoscope.cli.inputs import read
from otoscope.cli.live_audio import standard_input

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(("command", "code"), [("info", 1), ("transcribe", 1), ("listen", 2)])
def test_closed_standard_input_is_an_error(command, code, sentence_model):
    model = () if command == "info" else ("--model", str(sentence_model))
    arguments = [sys.executable, "-m", "otoscope.cli", command, "-", *model]
    closed = ["sh", "-c", 'exec "$@" <&-', "sh", *arguments]
    done = subprocess.run(closed, cwd=ROOT, capture_output=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (code, b"")
    assert b"expected a recording in standard input, which is closed" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.fixture
def hesitant(monkeypatch):
    """Standard input that does not wait for its writer, who begins late and stops in between."""
    data = bytes(range(250)) * 40
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)

    def write():
        with os.fdopen(write_end, "wb", buffering=0) as pipe:
            for start in range(0, len(data), 5000):
                threading.Event().wait(0.1)
                pipe.write(data[start : start + 5000])

    with os.fdopen(read_end) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        writer = threading.Thread(target=write)
        writer.start()
        yield data
        writer.join()


def test_a_recording_from_a_pipe_that_does_not_wait(hesitant):
    assert read("-") == hesitant


def test_live_audio_from_a_pipe_that_does_not_wait(hesitant):
    with standard_input() as pieces:
        assert b"".join(pieces) == hesitant


def test_a_pipe_with_a_name_is_read_to_its_end(otoscope, sample, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=[sample.read_bytes()])
    writer.start()
    done = otoscope("info", pipe, sample, "--format", "json")
    writer.join()
    assert done.code == 0, done
    of_pipe, of_file = json.loads(done.out)["files"]
    assert of_pipe == {**of_file, "file": str(pipe)}


def test_a_pipe_is_no_recording_to_resume(otoscope, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    done = otoscope("transcribe", "--resume", "--out-dir", tmp_path / "out", tmp_path / "pipe")
    assert done.code == 2
    assert "expected files or folders, got the pipe" in done.err
