"""Folders: a text beside each recording, on all CPUs, and going on where a run ended."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from muxed import Track, mux

from otoscope.audio.probe import probe
from otoscope.bulk.workers import Workers
from otoscope.cli.folders import find_recordings
from otoscope.cli.journal import FILE_NAME
from otoscope.decoding.options import DecodingOptions
from otoscope.errors import ModelFileError, WorkerLostError
from otoscope.job_processes import JobProcess

HEARD = "was a long time before he came home to his father"
COMMAND = [sys.executable, "-m", "otoscope.cli", "transcribe"]
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def folder(sample, tmp_path):
    """Three recordings in a tree, and what is none."""
    root = tmp_path / "talks"
    (root / "day two").mkdir(parents=True)
    for name in ("one.flac", "day two/Two.FLAC", "day two/three.flac", ".hidden.flac"):
        shutil.copy(sample, root / name)
    (root / "notes.md").write_text("no audio")
    return root


def texts(root, suffix=".txt"):
    return {
        path.relative_to(root).as_posix(): path.read_text(encoding="utf-8").strip()
        for path in root.rglob(f"*{suffix}")
    }


ALL = {"one.txt": HEARD, "day two/Two.txt": HEARD, "day two/three.txt": HEARD}


def test_a_text_beside_each_recording(otoscope, folder):
    done = otoscope("transcribe", folder)
    assert (done.code, done.out) == (0, b"")
    assert texts(folder) == ALL
    first, cost, passed_over = done.err.splitlines()
    assert first.startswith("otoscope: 3 recordings transcribed: 10 s of audio in 0:00:")
    assert cost.startswith("otoscope: cost: ")
    assert passed_over == "otoscope: 1 file passed over: not named as audio"


@pytest.mark.parametrize(
    ("suffix", "container", "codec"),
    [
        *((suffix, "mp4", "aac") for suffix in ("m4a", "M4B", "m4v", "mp4", "mov", "3gp", "3g2")),
        *((suffix, suffix, suffix) for suffix in ("ac3", "eac3", "mp2")),
        *((suffix, suffix, "pcm_s16le") for suffix in ("wav", "w64", "avi")),
        *((suffix, "aiff", "pcm_s16be") for suffix in ("aif", "aiff", "aifc")),
        ("mka", "matroska", "aac"),
        ("weba", "webm", "libopus"),
        ("ts", "mpegts", "aac"),
        ("flv", "flv", "aac"),
    ],
)
def test_what_is_named_as_audio_and_can_be_read(tmp_path, suffix, container, codec):
    path = tmp_path / f"talk.{suffix}"
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, 48000).astype(np.float32)
    path.write_bytes(mux(container, Track(noise, codec=codec)))
    assert find_recordings(tmp_path).recordings == (path,)
    assert probe(path).duration_s == pytest.approx(1.0, abs=0.05)


def test_the_same_folders_elsewhere_by_a_model_or_a_service(otoscope, backend, folder, tmp_path):
    out = tmp_path / "out"
    done = otoscope("transcribe", *backend, "--out-dir", out, "--format", "json", folder)
    assert done.code == 0, done.err
    read = {name: json.loads(text)["text"] for name, text in texts(out, ".json").items()}
    assert read == {name.replace(".txt", ".json"): HEARD for name in ALL}
    assert not texts(folder)
    again = otoscope("transcribe", *backend, "--out-dir", out, "-f", "json", "--resume", folder)
    assert "3 recordings transcribed before" in again.err


def test_recordings_of_one_name_keep_their_suffixes(otoscope, folder):
    shutil.copy(folder / "one.flac", folder / "one.wav")
    assert otoscope("transcribe", "--jobs", 1, folder).code == 0
    assert set(texts(folder)) == {*ALL, "one.flac.txt", "one.wav.txt"} - {"one.txt"}


def test_going_on_does_what_is_new_or_has_changed(otoscope, folder, sample):
    resume = ("transcribe", "--jobs", 1, "--resume", folder)
    assert otoscope(*resume).err.startswith("otoscope: 3 recordings transcribed")
    (folder / "one.flac").write_bytes(sample.read_bytes() + b"\0")  # other content, the same sound
    (folder / "day two/three.txt").unlink()
    shutil.copy(sample, folder / "new.flac")
    done = otoscope(*resume)
    assert done.err.startswith("otoscope: 3 recordings transcribed: ")
    assert "otoscope: 1 recording transcribed before\n" in done.err
    assert texts(folder) == {**ALL, "new.txt": HEARD}


def test_going_on_with_other_options_is_another_job(otoscope, folder):
    resume = ("transcribe", "--jobs", 1, "--resume", folder)
    otoscope(*resume)
    done = otoscope(*resume, "--decoder", "greedy")
    assert done.err.startswith("otoscope: 3 recordings transcribed")
    assert texts(folder).keys() == ALL.keys()
    assert HEARD not in texts(folder).values()


def test_a_line_that_broke_off_tells_nothing(otoscope, folder):
    otoscope("transcribe", "--jobs", 1, folder)
    journal = folder / FILE_NAME
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:2]) + lines[2][:40])
    unfinished = folder / json.loads(lines[2])["output"]
    unfinished.unlink()
    done = otoscope("transcribe", "--jobs", 1, "--resume", folder)
    assert done.err.startswith("otoscope: 1 recording transcribed")
    again = otoscope("transcribe", "--jobs", 1, "--resume", folder)
    assert again.err.startswith("otoscope: 0 recordings transcribed")


def test_texts_of_others_stay(otoscope, folder):
    (folder / "one.txt").write_text("what was really said")
    done = otoscope("transcribe", folder)
    assert (done.code, "1 failed: 1 output-taken" in done.err) == (1, True)
    assert f"otoscope: {folder}/one.flac: {folder}/one.txt exists" in done.err
    assert texts(folder) == {**ALL, "one.txt": "what was really said"}


def test_corrected_texts_stay(otoscope, folder):
    otoscope("transcribe", folder)
    (folder / "one.txt").write_text("what was really said")
    for more in ((), ("--resume",)):
        assert "1 failed: 1 output-taken" in otoscope("transcribe", *more, folder).err
        assert texts(folder)["one.txt"] == "what was really said"


def test_failures_are_counted_by_kind(otoscope, folder):
    (folder / "empty.wav").touch()
    (folder / "text.mp3").write_text("no audio")
    (folder / "text.wav").write_text("no audio")
    done = otoscope("transcribe", folder)
    assert done.code == 1
    assert "otoscope: 3 failed: 2 audio-unreadable, 1 audio-empty\n" in done.err
    assert f"otoscope: {folder}/empty.wav: expected an audio file, got 0 bytes\n" in done.err
    assert texts(folder) == ALL


def test_several_at_a_time_are_written_in_order(otoscope, backend, sample, tmp_path):
    names = [tmp_path / f"{number}.flac" for number in range(5)]
    for name in names:
        shutil.copy(sample, name)
    names[1].write_text("no audio")
    done = otoscope("transcribe", *backend, "--jobs", 2, *names)
    lines = [f"{name}: {HEARD}" for name in names if name != names[1]]
    assert (done.code, done.out.decode().splitlines()) == (1, lines)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["talks", "--out", "a.txt"], "--out-dir DIR for a folder"),
        (["talks", "talks/one.flac"], "folders alone, got talks/one.flac"),
        (["talks", "-"], "got - for standard input"),
        (["talks", "talks", "--out-dir", "b"], "would both be written to"),
        (["talks/one.flac", "--resume"], "--out-dir DIR"),
        (["talks", "--jobs", "0"], "--jobs: expected at least 1, got 0"),
        (["empty"], "expected recordings, got 1 files that are not named as such"),
        (["talks", "--model", "none.onnx"], "none.onnx"),
        (["talks", "--n-best", "3", "--beam-width", "2"], "n_best 3"),
    ],
)
def test_wrong_arguments(otoscope, folder, monkeypatch, arguments, words):
    monkeypatch.chdir(folder.parent)
    Path("empty").mkdir()
    Path("empty/notes.md").touch()
    done = otoscope("transcribe", *arguments)
    assert (done.code, done.out) == (2, b""), done
    assert words in done.err
    assert not texts(folder)


def test_a_model_that_can_not_be_used_is_said_at_once(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"no model")
    with pytest.raises(ModelFileError, match="expected an ONNX model"):
        Workers(2, tmp_path / "model.onnx", None)


def test_a_worker_that_is_killed_is_replaced(sentence_model, sample, monkeypatch):
    killed = []
    run = JobProcess.run

    def kill_first(self, job, check):
        if not killed:
            killed.append(self._process.pid)
            self._process.send_signal(signal.SIGKILL)
        return run(self, job, check)

    monkeypatch.setattr(JobProcess, "run", kill_first)
    with Workers(1, sentence_model, None) as workers:
        assert workers.transcribe(sample, DecodingOptions(), None).text == HEARD
    assert killed


def test_a_recording_that_kills_every_worker_is_given_up(sentence_model, sample, monkeypatch):
    def die(self, *_):
        self.kill()
        raise EOFError

    with Workers(1, sentence_model, None) as workers:
        with monkeypatch.context() as patch:
            patch.setattr(JobProcess, "run", die)
            with pytest.raises(WorkerLostError, match="and another one too"):
                workers.transcribe(sample, DecodingOptions(), None)
        assert workers.transcribe(sample, DecodingOptions(), None).text == HEARD


@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_a_command_that_is_ended_goes_on(sentence_model, sample, tmp_path, end):
    folder, recordings = tmp_path / "many", 24
    folder.mkdir()
    for number in range(recordings):
        (folder / f"{number}.flac").write_bytes(sample.read_bytes() + bytes([number]))
    options = {"cwd": ROOT, "stderr": subprocess.PIPE, "text": True, "start_new_session": True}
    # What was started in the background ignores it, and so would what that starts.
    options["preexec_fn"] = lambda: signal.signal(signal.SIGINT, signal.default_int_handler)
    command = [*COMMAND, "--model", str(sentence_model), "--resume", str(folder), "--jobs", "2"]
    first = subprocess.Popen(command, **options)
    while len(texts(folder)) < 5 and first.poll() is None:
        time.sleep(0.01)
    os.killpg(first.pid, end)
    first.communicate(timeout=60)  # ends with the last process that holds the pipe
    assert first.returncode == (130 if end == signal.SIGINT else -signal.SIGKILL)
    done_before = len(texts(folder))
    assert 5 <= done_before < recordings
    second = subprocess.run(command, **options, check=True, timeout=120)
    assert set(texts(folder).values()) == {HEARD}
    assert len(texts(folder)) == recordings
    lines = [line.split() for line in second.stderr.splitlines() if "transcribed" in line]
    new, held = (int(words[1]) for words in lines)
    assert (new + held, abs(held - done_before) <= 2) == (recordings, True)
