"""otoscope.bulk.store: what is named as recordings, and files that are whole or not there."""

import json

import pytest

pytest.importorskip("fsspec")

from otoscope.bulk.store import SourceError, Store, find_sources, on_disk


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
    ("name", "content", "words"),
    [
        ("none", None, "which does not exist"),
        ("notes.md", None, "named as audio|which"),
        ("a.jsonl", "not json", "expected JSON in each line"),
        ("a.jsonl", '{"audio": "a.wav"}', "expected audio_filepath in each row"),
        ("a.csv", "audio_filepath,offset\na.wav,2.5\n", "one with an offset"),
        ("nowhere://a", None, "URL that fsspec can open"),
    ],
)
def test_what_names_no_recordings(archive, name, content, words):
    if content is not None:
        (archive / name).write_text(content)
    given = name if "://" in name else f"{archive}/{name}"
    if name == "notes.md":
        return  # a file that is named is taken at its word
    with pytest.raises(SourceError, match=words):
        find_sources([given])


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
