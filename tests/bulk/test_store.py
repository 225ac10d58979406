"""otoscope.bulk.store: what is named as recordings, and files that are whole or not there."""

import json
import os
from pathlib import Path

import pytest

pytest.importorskip("fsspec")

from otoscope.bulk.store import SourceError, Store, find_sources, on_disk
from otoscope.errors import ManifestError


def test_folders_globs_files_and_manifests(archive):
    audio = ["0.flac", "1.flac", "2.flac", "empty.mp3", "more/copy.flac", "text.wav"]
    assert find_sources([str(archive)]) == [f"{archive}/{name}" for name in audio]
    assert find_sources([f"{archive}/?.flac"]) == [f"{archive}/{n}.flac" for n in range(3)]
    rows = [{"audio_filepath": "1.flac", "text": ""}, {"audio_filepath": f"{archive}/2.flac"}]
    manifest = archive / "some.jsonl"
    manifest.write_text("\n".join(map(json.dumps, rows)))
    (archive / "some.tsv").write_text("audio_filepath\tspeaker\nmore/copy.flac\tann\n")
    named = [str(manifest), f"{archive}/some.tsv", f"{archive}/1.flac"]
    expected = [f"{archive}/{name}" for name in ("1.flac", "2.flac", "more/copy.flac")]
    assert find_sources(named) == expected


def test_urls(archive):
    import fsspec  # noqa: PLC0415

    memory = fsspec.filesystem("memory")
    memory.pipe_file("/bucket/a.flac", (archive / "0.flac").read_bytes())
    [source] = find_sources(["memory://bucket"])
    assert source == "memory:///bucket/a.flac"
    with on_disk(source) as path:
        assert path.read_bytes() == (archive / "0.flac").read_bytes()
    assert not path.exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("none", "which does not exist"),
        ("more/notes", "named as audio"),
        ("nowhere://a", "URL that fsspec can open"),
    ],
)
def test_what_names_no_recordings(archive, given, words):
    (archive / "more/notes").mkdir()
    with pytest.raises(SourceError, match=words):
        find_sources([given if "://" in given else f"{archive}/{given}"])


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.jsonl", "not json", "1: expected a JSON object"),
        pytest.param("a.jsonl", "[" * 100_000, "1: expected a JSON object", id="nested"),
        ("a.jsonl", '{"audio": "a.wav"}', "1: expected 'audio_filepath'"),
        ("a.jsonl", '{"audio_filepath": "a.wav", "offset": "soon"}', "1: offset: expected seconds"),
        ("a.jsonl", r'{"audio_filepath": "a\u0000.wav"}', "1: expected the name of a file"),
        ("a.jsonl", r'{"audio_filepath": "a\ud800.wav"}', "1: expected the name of a file"),
        ("a.csv", "audio_filepath,offset\na.wav,2.5\n", "2: .* one with an offset"),
        ("a.csv", 'audio_filepath,text\na.wav,"Stop\nb.wav,go"\n', "3: .*one line each"),
        ("a.tsv", "audio_filepath\ttext\na.wav\n", "2: expected 2 fields"),
    ],
)
def test_rows_that_name_no_recording(tmp_path, name, content, words):
    (tmp_path / name).write_text(content)
    with pytest.raises(ManifestError, match=rf"{name}:{words}"):
        find_sources([f"{tmp_path}/{name}"])


def test_no_quote_hides_a_row_of_a_table(tmp_path):
    manifest = tmp_path / "m.tsv"
    manifest.write_text('audio_filepath\ttext\na.wav\t"Stop, she said\nb.wav\tgo\nc.wav\tfine"\n')
    assert find_sources([str(manifest)]) == [f"{tmp_path}/{name}.wav" for name in "abc"]


@pytest.mark.parametrize("offset", ["", "0", "0.0"])
def test_a_recording_from_its_beginning_on_is_whole(tmp_path, offset):
    manifest = tmp_path / "m.csv"
    manifest.write_text(f"audio_filepath,offset,duration\na.wav,{offset},2.5\n")
    assert find_sources([str(manifest)]) == [f"{tmp_path}/a.wav"]


@pytest.mark.parametrize("kind", ["file", "folder", "manifest"])
def test_signs_of_globs_in_names_that_are_there(sample, tmp_path, kind):
    folder = tmp_path / "talks [2024] *?"
    folder.mkdir()
    recording = folder / "talk [abc].flac"
    recording.write_bytes(sample.read_bytes())
    manifest = folder / "all.jsonl"
    manifest.write_text(json.dumps({"audio_filepath": recording.name}))
    given = {"file": recording, "folder": folder, "manifest": manifest}[kind]
    assert find_sources([str(given)]) == [str(recording)]
    with on_disk(str(recording)) as path:
        assert path.read_bytes() == sample.read_bytes()


def test_a_folder_that_cannot_be_listed_is_an_error(archive, monkeypatch):
    monkeypatch.chdir(archive)
    for _ in range(20):  # in the end, more characters than a path may have
        Path("a" * 250).mkdir()
        os.chdir("a" * 250)
    with pytest.raises(OSError, match="File name too long"):
        find_sources([str(archive)])


@pytest.mark.parametrize("url", ["folder", "memory://results"])
def test_files_are_written_read_and_removed(tmp_path, url):
    store = Store(url if "://" in url else str(tmp_path / url))
    assert store.names("a") == []
    store.write("a/b.txt", b"one")
    store.write("a/b.txt", b"two")
    assert (store.read("a/b.txt"), store.names("a")) == (b"two", ["a/b.txt"])
    assert store.exists("a/b.txt")
    store.remove("a/b.txt")
    assert not store.exists("a/b.txt")
