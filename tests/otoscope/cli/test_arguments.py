"""What is refused before anything is recognised."""

import shutil

import numpy as np
import pytest
import soundfile


@pytest.fixture
def here(sample, tmp_path, monkeypatch):
    """A working directory with one recording."""
    shutil.copy(sample, tmp_path / "a.wav")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "command", [[], ["transcribe"], ["bulk"], ["listen"], ["align"], ["probs"], ["info"]]
)
def test_help_has_examples_and_exit_codes(otoscope, command):
    done = otoscope(*command, "--help")
    assert done.code == 0
    words = done.out.decode()
    assert "examples:" in words
    assert "exit codes:" in words
    assert f"otoscope {' '.join(command)}" in words


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "COMMAND"),
        (["transcribe"], "FILE"),
        (["transcribe", "a.wav", "--format", "pdf"], "pdf"),
        (["transcribe", "a.wav", "--out", "a.pdf"], "a.pdf"),
        (["transcribe", "a.wav", "b.wav", "--out", "a.txt"], "--out-dir"),
        (["transcribe", "a.wav", "b.wav", "--format", "srt"], "--out-dir"),
        (["transcribe", "a.wav", "--out", "a.txt", "--out-dir", "b"], "--out-dir"),
        (["transcribe", "x/a.wav", "y/a.mp3", "--out-dir", "b"], "would both be written to"),
        (["transcribe", "a.wav", "--out", ".", "--format", "text"], "expected a file"),
        (["transcribe", ""], "argument FILE: expected a path, got an empty one"),
        (["info", ""], "argument FILE: expected a path, got an empty one"),
        (["transcribe", "a.wav", "--out-dir", ""], "--out-dir: expected a path, got an empty one"),
        (["transcribe", "a.wav", "--out", ""], "--out: expected a path, got an empty one"),
        (["transcribe", "a.wav", "--model", ""], "--model: expected a path, got an empty one"),
        (["transcribe", "a.wav", "--lm", ""], "--lm: expected a path, got an empty one"),
        (["align", "a.wav", "--text-file", ""], "--text-file: expected a path, got an empty one"),
        (["bulk", "", "--out", "b"], "argument SOURCE: expected a path, got an empty one"),
        (["bulk", "a.wav", "--out", ""], "--out: expected a path, got an empty one"),
        (["transcribe", "-", "-"], "once"),
        (["transcribe", "a.wav", "--beam-width", "0"], "--beam-width"),
        (["transcribe", "a.wav", "--n-best", "3", "--beam-width", "2"], "n_best 3"),
        (["transcribe", "a.wav", "--hotwords", "york:much"], "york:much"),
        (["transcribe", "a.wav", "--model", "a.onnx", "--server", "http://any"], "--server"),
        (["transcribe", "a.wav", "--lm", "lm.npz", "--server", "http://any"], "--lm"),
        (["transcribe", "a.wav", "--server", "any"], "expected http"),
        (["transcribe", "a.wav", "--model", "none.onnx"], "none.onnx"),
        (["transcribe", "a.wav", "--lm", "none.npz"], "none.npz"),
        (["align", "-"], "--text"),
        (["align", "a.wav", "--text-file", "none.txt"], "none.txt"),
        (["probs", "a.wav", "--from-s", "-1"], "--from-s"),
        (["info", "--model", "none.onnx"], "none.onnx"),
        (["listen", "-", "--rate", "0"], "--rate: expected samples a second from 1 on, got '0'"),
    ],
)
def test_wrong_arguments(otoscope, here, arguments, words):
    done = otoscope(*arguments)
    assert done.code == 2, done
    assert words in done.err
    assert done.out == b""
    assert [path.name for path in here.iterdir()] == ["a.wav"]


@pytest.mark.parametrize("place", ["--out", "--out-dir"])
def test_a_place_that_cannot_be_written_shows_before_anything_is_recognized(otoscope, here, place):
    """Not even a damaged recording is looked at."""
    (here / "a.wav").write_bytes(b"no audio")
    done = otoscope("transcribe", "a.wav", place, "a.wav/texts/a.txt")
    assert (done.code, done.out) == (2, b"")
    assert "expected a folder that can be written to, got a.wav/texts" in done.err
    assert "Not a directory" in done.err
    assert "expected audio" not in done.err


def test_too_many_channels_are_refused_before_any_is_transcribed(otoscope, tmp_path):
    samples = np.zeros((16000, 9), np.float32)
    samples[-1] = np.nan  # would be told of when channel 1 is read
    path = tmp_path / "many.wav"
    soundfile.write(path, samples, 16000, subtype="FLOAT")
    done = otoscope("transcribe", "--channels", "separate", "-f", "json", path)
    assert (done.code, done.out) == (1, b"")
    assert "expected at most 8 channels to read one by one, got 9" in done.err
