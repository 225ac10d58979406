"""Inputs, outputs, exit codes and messages."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import jiwer
import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).resolve().parents[3]
HEARD = "was a long time before he came home to his father"
COMMAND = [sys.executable, "-m", "otoscope.cli"]


@pytest.fixture
def silence(tmp_path):
    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros(16000, dtype=np.float32), 16000)
    return path


def test_standard_input(otoscope, backend, sample):
    assert (
        otoscope("transcribe", *backend, "-", stdin=sample.read_bytes()).out
        == f"{HEARD}\n".encode()
    )


def test_several_files_are_named(otoscope, sample, silence):
    done = otoscope("transcribe", sample, silence)
    assert done.out.decode() == f"{sample}: {HEARD}\n{silence}: \n"
    lines = otoscope("transcribe", "-f", "json", sample, silence).out.splitlines()
    assert [json.loads(line)["file"] for line in lines] == [str(sample), str(silence)]


def test_silence_alone_writes_nothing(otoscope, silence):
    assert otoscope("transcribe", silence) == (0, b"", "")


def test_an_output_file_per_recording(otoscope, sample, silence, tmp_path):
    folder = tmp_path / "new" / "texts"
    done = otoscope(
        "transcribe", "--out-dir", folder, sample, silence, "-", stdin=sample.read_bytes()
    )
    assert done == (0, b"", "")
    texts = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    assert texts == {"sample.txt": f"{HEARD}\n", "silence.txt": "", "stdin.txt": f"{HEARD}\n"}


def test_some_fail_and_the_others_are_done(otoscope, backend, sample, tmp_path):
    (tmp_path / "notes.txt").write_text("no audio", encoding="utf-8")
    missing = tmp_path / "missing.wav"
    done = otoscope("transcribe", *backend, missing, sample, tmp_path / "notes.txt")
    assert done.code == 1
    assert done.out.decode() == f"{sample}: {HEARD}\n"
    first, second = done.err.splitlines()
    assert first == f"otoscope: {missing}: No such file or directory"
    assert second.startswith(f"otoscope: {tmp_path / 'notes.txt'}: ")
    assert "expected audio" in second
    for command, folder in (("probs", tmp_path), ("align", tmp_path), ("align", ".")):
        done = otoscope(command, *backend, folder)
        assert (done.code, done.err) == (1, f"otoscope: {folder}: Is a directory\n")


@pytest.mark.parametrize(
    "command",
    [
        ("transcribe",),
        ("align", "--text", "was a long time"),
        ("align", "--text", "was a long time", "--format", "png"),
        *(("probs", "--format", form) for form in ("csv", "npy", "json", "png")),
    ],
)
def test_a_truncated_file_is_warned_of(otoscope, backend, sample, tmp_path, command):
    out = tmp_path / "out"
    form = () if "--format" in command else ("--format", "json")
    stdin = sample.read_bytes()[:-5000]
    done = otoscope(*command, *form, "--out", out, *backend, "-", stdin=stdin)
    assert done.code == 0
    assert out.read_bytes()
    assert done.err.startswith("otoscope: -: warning: the file is truncated")
    assert done.err.count("truncated") == 1


def test_options_that_the_service_refuses(otoscope, address, sample):
    server = ("--server", address, "--api-key", "swordfish")
    contradiction = ("--n-best", "3", "--beam-width", "2")
    done = otoscope("transcribe", *server, *contradiction, sample, sample)
    assert (done.code, done.out) == (2, b"")
    assert done.err.startswith("otoscope: expected beam_width >= n_best")


def test_no_model(otoscope, sample, tmp_path, monkeypatch):
    monkeypatch.setattr("otoscope.cli.local_backend._DEFAULT_MODEL", tmp_path / "none.onnx")
    done = otoscope("transcribe", sample)
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert "--model FILE" in done.err


def test_no_server(otoscope, sample):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but not listening
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        done = otoscope("transcribe", "--server", address, "--retries", "0", sample)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "no answer to GET /model" in done.err


def test_the_key_may_be_in_the_environment(otoscope, address, sample, monkeypatch):
    assert "expected an API key" in otoscope("transcribe", "--server", address, sample).err
    monkeypatch.setenv("OTOSCOPE_API_KEY", "sardine")
    assert otoscope("transcribe", "--server", address, sample).code == 2
    monkeypatch.setenv("OTOSCOPE_API_KEY", "swordfish")
    assert otoscope("transcribe", "--server", address, sample).out == f"{HEARD}\n".encode()


def test_an_extra_that_is_missing_is_named(otoscope, sample, monkeypatch):
    for module, arguments in {
        "httpx": ("transcribe", "--server", "http://any"),
        "matplotlib": ("probs", "--format", "png"),
    }.items():
        monkeypatch.setattr("otoscope.cli.commands.find_spec", lambda name: None)
        done = otoscope(*arguments, sample)
        assert done.code == 2
        assert f"needs {module}: pip install 'otoscope[cli]'" in done.err


def test_an_interrupt(otoscope, monkeypatch, sample):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("otoscope.cli.files._write", interrupt)
    assert otoscope("transcribe", sample, sample) == (130, b"", "otoscope: interrupted\n")


def test_several_files_have_a_progress_bar(otoscope, monkeypatch, sample, silence):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert otoscope("transcribe", sample).err == ""
    done = otoscope("transcribe", sample, silence, "none.wav")
    assert done.code == 1
    assert "2/3" in done.err
    assert "s of audio a second" in done.err
    assert "otoscope: none.wav: No such file or directory\n" in done.err
    assert b"s of audio" not in done.out


def test_pictures_are_not_written_to_a_terminal(otoscope, monkeypatch, sample):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    done = otoscope("probs", "--format", "png", sample)
    assert (done.code, done.out) == (2, b"")
    assert "--out" in done.err


def test_what_lies_beside_the_model_is_used(otoscope, sample, tmp_path):
    model = shutil.copy(ROOT / "models/english-small/model.int8.onnx", tmp_path / "model.onnx")
    alone = otoscope("transcribe", "--model", model, "-f", "json", sample)
    assert json.loads(alone.out)["decoder"] == "greedy"
    lm = ("--lm", ROOT / "models/english/lm.npz")
    with_lm = otoscope("transcribe", "--model", model, *lm, "-f", "json", sample)
    assert json.loads(with_lm.out)["decoder"] == "beam + LM"


def test_beam_search_without_language_model(otoscope, backend, sample):
    arguments = ("transcribe", "--decoder", "beam", "--format", "json", *backend, sample)
    assert json.loads(otoscope(*arguments).out)["decoder"] == "beam + LM"
    assert json.loads(otoscope(*arguments, "--no-language-model").out)["decoder"] == "beam"


def test_longer_than_a_window(otoscope, sample, tmp_path):
    samples, rate_hz = soundfile.read(sample, dtype="float32")
    long = tmp_path / "long.wav"
    soundfile.write(long, np.tile(np.append(samples, np.zeros(rate_hz, np.float32)), 12), rate_hz)
    document = json.loads(otoscope("transcribe", "-f", "json", long).out)
    assert document["duration_s"] == pytest.approx(12 * 4.395, abs=0.01)
    assert document["text"].count("long time before he came home") >= 10


def test_info_of_a_model(otoscope, backend):
    text = otoscope("info", *backend).out.decode()
    assert "model           english\n" in text
    assert "<space>" in text
    assert "4: 40 ms a frame" in text
    model = json.loads(otoscope("info", "-f", "json", *backend).out)["model"]
    assert model["parameters"] == 50_000
    assert (model["training_hours"] > 0, len(model["sha256"])) == (True, 64)
    assert model["spec"]["frame_stride"] == 4
    if not backend:
        assert model["language_model_words"] > 20
        assert model["calibrated"] == ["beam", "beam + LM", "greedy"]
        assert re.search(r"language model +[\d,]+ words", text)


def test_info_of_files(otoscope, sample, silence, tmp_path):
    stereo = tmp_path / "stereo.ogg"
    soundfile.write(stereo, np.zeros((22050, 2), np.float32), 44100)
    done = otoscope("info", sample, stereo, "nothing.wav")
    assert done.code == 1
    assert done.err == "otoscope: nothing.wav: No such file or directory\n"
    assert "FLAC, PCM_16" in done.out.decode()
    assert "3.395 s" in done.out.decode()
    assert "model" not in done.out.decode()
    document = json.loads(otoscope("info", "-f", "json", "-", stdin=stereo.read_bytes()).out)
    assert document["files"] == [
        {
            "file": "-",
            "container": "OGG",
            "coding": "VORBIS",
            "sample_rate_hz": 44100,
            "channels": 2,
            "duration_s": 0.5,
            "whole": True,
        }
    ]


def run(*arguments, **options):
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        timeout=120,
        check=False,
        **options,
    )


@pytest.mark.slow
def test_as_a_process(sample):
    done = run("transcribe", "-", input=sample.read_bytes())
    assert done.returncode == 0
    assert jiwer.wer(HEARD, done.stdout.decode()) <= 0.2
    assert run("transcribe", "none.wav").returncode == 1
    assert run("transcribe", "--model", "none.onnx", sample).returncode == 2


def test_a_closed_pipe(sample):
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "wb") as nobody:
        done = subprocess.run(
            [*COMMAND, "probs", str(sample)],
            cwd=ROOT,
            stdout=nobody,
            stderr=subprocess.PIPE,
            timeout=120,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_library_does_not_import_httpx():
    script = "import sys, otoscope, otoscope.cli; print('httpx' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
