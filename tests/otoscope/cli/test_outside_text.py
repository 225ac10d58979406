"""File names, arguments and texts in other encodings than UTF-8."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SAID = "it was a long time before he came home to his father"
HEARD = "was a long time before he came home to his father"


@pytest.fixture
def latin_name(tmp_path, sample):
    """A recording whose name is not in UTF-8."""
    path = os.fsencode(tmp_path) + b"/caf\xe9.flac"
    shutil.copy(sample, path)
    return os.fsdecode(path)


def test_a_name_that_is_not_utf8(otoscope, backend, sample, latin_name):
    done = otoscope("transcribe", *backend, latin_name, sample)
    assert done == (0, os.fsencode(f"{latin_name}: {HEARD}\n{sample}: {HEARD}\n"), "")


def test_such_a_name_in_json(otoscope, sample, latin_name):
    lines = otoscope("transcribe", "-f", "json", latin_name, sample).out.decode().splitlines()
    assert [Path(json.loads(line)["file"]).name for line in lines] == [
        "caf\ufffd.flac",
        "sample.flac",
    ]
    facts = json.loads(otoscope("info", "-f", "json", latin_name).out.decode())
    assert Path(facts["files"][0]["file"]).name == "caf\ufffd.flac"
    assert "caf\ufffd.flac" in otoscope("info", latin_name).out.decode()


def test_such_a_name_in_messages_and_outputs(otoscope, sample, latin_name, tmp_path):
    Path(latin_name).write_bytes(b"no audio")
    done = otoscope("transcribe", latin_name, sample)
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "caf\ufffd.flac: expected audio" in done.err
    shutil.copy(sample, latin_name)
    assert otoscope("transcribe", "--out-dir", tmp_path / "texts", latin_name).code == 0
    assert [path.name for path in (tmp_path / "texts").iterdir()] == ["caf\udce9.txt"]


@pytest.mark.slow
def test_such_a_name_with_an_ascii_locale(latin_name, sample):
    environment = {**os.environ, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "otoscope.cli", "info", latin_name, "café.wav"],
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert "caf\ufffd.flac" in done.stdout.decode()
    assert b"No such file" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("beside", [True, False])
def test_texts_in_unicode_are_read(otoscope, sample, tmp_path, encoding, beside):
    shutil.copy(sample, tmp_path / "a.flac")
    text = tmp_path / "a.txt"
    text.write_bytes(f"It was a long time\u2028before he\r\n{SAID[29:]}".encode(encoding))
    if encoding in ("utf-16-le", "utf-16-be"):  # only plain characters show what it is
        text.write_bytes(SAID.encode(encoding))
    source = () if beside else ("--text-file", text)
    done = otoscope("align", *source, tmp_path / "a.flac")
    assert (done.code, json.loads(done.out)["text"]) == (0, SAID)


def test_another_encoding_is_one_line_and_the_next_file_is_done(otoscope, sample, tmp_path):
    for name, text in (("a", b"caf\xe9 it was"), ("b", SAID.encode())):
        shutil.copy(sample, tmp_path / f"{name}.flac")
        (tmp_path / f"{name}.txt").write_bytes(text)
    done = otoscope("align", tmp_path / "a.flac", tmp_path / "b.flac")
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "a.txt: expected text in UTF-8" in done.err
    assert "0xe9 at byte 3" in done.err
    assert json.loads(done.out)["file"] == str(tmp_path / "b.flac")


def test_a_text_file_for_all_in_another_encoding_begins_nothing(otoscope, sample, tmp_path):
    (tmp_path / "words.txt").write_bytes(b"caf\xe9")
    done = otoscope("align", "--text-file", tmp_path / "words.txt", sample)
    assert (done.code, done.out, done.err.count("\n")) == (2, b"", 1)
    assert "expected text in UTF-8" in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("align", "--text", "caf\udce9"),
        ("transcribe", "--hotwords", "caf\udce9"),
        ("transcribe", "--phrases", "caf\udce9"),
    ],
)
def test_arguments_that_are_not_utf8(otoscope, sample, arguments):
    done = otoscope(*arguments, sample)
    assert (done.code, done.out) == (2, b"")
    assert f"argument {arguments[1]}: expected text in UTF-8, got caf\\xe9" in done.err


def test_digits_are_read_and_what_has_no_sound_is_warned_of(otoscope, backend, sample):
    done = otoscope("align", *backend, "--text", "it was 1 long time \u6771\u4eac", sample)
    assert (done.code, json.loads(done.out)["text"]) == (0, "it was one long time")
    assert "warning: left out of the text" in done.err
