"""Kaldi's data directories."""

from pathlib import Path

import pytest

from otoscope.errors import ManifestError
from training.data.manifest import read_manifest
from training.data.utterances import Utterance


def directory(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("wav_scp", "wav.scp")).write_text(content, encoding="utf-8")
    return folder


def test_a_recording_an_utterance(tmp_path: Path) -> None:
    folder = directory(
        tmp_path / "train",
        wav_scp="spk1-1 /data/a.wav\nspk1-2   sub dir/b.wav \n",
        text='spk1-1 IT WAS "A LONG\nspk1-2\n',
        utt2spk="spk1-1 spk1\nspk1-2 spk1\n",
    )
    assert read_manifest(folder) == [
        Utterance(Path("/data/a.wav"), 'IT WAS "A LONG', "spk1"),
        Utterance(folder / "sub dir/b.wav", "", "spk1"),
    ]


def test_segments(tmp_path: Path) -> None:
    folder = directory(
        tmp_path / "train",
        wav_scp="call /data/call.wav\nunused /data/unused.wav\n",
        text="u1 hello\nu2 world\n",
        segments="u1 call 12.5 14.5\nu2 call 14.50 -1\nu3 call 0 1.25\n",
    )
    call = Path("/data/call.wav")
    assert read_manifest(folder) == [
        Utterance(call, "hello", "", 12.5, 2.0),
        Utterance(call, "world", "", 14.5, None),
        Utterance(call, "", "", 0.0, 1.25),
    ]


def test_paths_below_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads/a.wav").touch()
    folder = directory(tmp_path / "data/train", wav_scp="a downloads/a.wav\n", text="a x\n")
    assert read_manifest(folder)[0].audio == tmp_path / "downloads/a.wav"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"wav_scp": "a sph2pipe -f wav -p a.sph |\n"}, r"wav\.scp:1: expected an audio file"),
        ({"wav_scp": "a\n"}, r"wav\.scp:1: expected an audio file, got 'nothing'"),
        ({"wav_scp": "a a.wav\na b.wav\n"}, r"wav\.scp:2: .*different names, got 'a' again"),
        ({"text": "a x\nb y\n"}, r"text:2: expected an utterance with audio, got 'b'"),
        ({"segments": "a nowhere 0 1\n"}, r"segments:1: expected a recording of wav\.scp"),
        ({"segments": "a a 0 1 2\n"}, "segments:1: expected utterance, recording, start and end"),
        ({"segments": "a a zero 1\n"}, "segments:1: expected utterance"),
        ({"segments": "a a 2 1\n"}, "segments:1: expected 0 <= start < end"),
        ({"segments": "a a nan 1\n"}, "segments:1: expected 0 <= start < end"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, files: dict[str, str], said: str) -> None:
    folder = directory(tmp_path / "train", **{"wav_scp": "a a.wav\n", "text": "a x\n", **files})
    with pytest.raises(ManifestError, match=said):
        read_manifest(folder)


@pytest.mark.parametrize("missing", ["wav.scp", "text"])
def test_a_file_that_is_missing_is_named(tmp_path: Path, missing: str) -> None:
    folder = directory(tmp_path / "train", wav_scp="a a.wav\n", text="a x\n")
    (folder / missing).unlink()
    with pytest.raises(ManifestError, match=missing):
        read_manifest(folder)
