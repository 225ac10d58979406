"""Manifests as other programs write them."""

import json
from pathlib import Path

import pytest

from otoscope.errors import EncodingError, ManifestError
from training.data.manifest import read_manifest
from training.data.utterances import Utterance

ROWS = 'a.wav\t"Stop it, she said\nb.wav\tgood morning\nc.wav\tfine"\nd.wav\tgood night\n'


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def texts(path: Path, content: str | bytes) -> list[str]:
    return [one.text for one in read_manifest(written(path, content))]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_quotes_in_a_tsv_are_text(tmp_path: Path, end: str) -> None:
    content = ("audio_filepath\ttext\n" + ROWS).replace("\n", end)
    assert texts(tmp_path / "m.tsv", content) == [
        '"Stop it, she said',
        "good morning",
        'fine"',
        "good night",
    ]


def test_fields_of_a_tsv_may_be_quoted_whole(tmp_path: Path) -> None:
    content = 'audio_filepath\ttext\n"a.wav"\t"he said ""no"" twice"\nb.wav\t"a" and "b"\n'
    assert texts(tmp_path / "m.tsv", content) == ['he said "no" twice', '"a" and "b"']


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("m.tsv", "audio_filepath\ttext\na.wav\tone\ttwo\n", r"m\.tsv:2: expected 2 fields"),
        ("m.tsv", "audio_filepath\ttext\na.wav\n", r"m\.tsv:2: expected 2 fields"),
        ("m.tsv", "text\ttext\n", "different columns"),
        ("m.tsv", "", "names of columns"),
        ("m.csv", 'audio_filepath,text\na.wav,"Stop\nb.wav,go\n', r"m\.csv:3"),
        ("m.csv", 'audio_filepath,text\na.wav,"Stop\nb.wav,go"\n', r"m\.csv:3.*one line each"),
        ("m.csv", 'audio_filepath,text\na.wav,"Stop" it\n', r"m\.csv:2: expected CSV"),
        ("m.csv", "audio_filepath,text\na.wav,stop, he said\n", r"m\.csv:2: expected 2 fields"),
        ("m.jsonl", '{"audio_filepath": ["l.wav", "r.wav"], "text": "x"}', "a string"),
        ("m.jsonl", '{"audio_filepath": "", "text": "x"}', "a string as 'audio_filepath'"),
        ("m.jsonl", '{"audio_filepath": "a.wav", "text": 7}', "a string as 'text', got 7"),
    ],
)
def test_rows_that_do_not_fit_are_refused(
    tmp_path: Path, name: str, content: str, said: str
) -> None:
    with pytest.raises(ManifestError, match=said):
        read_manifest(written(tmp_path / name, content))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", ["m.csv", "m.tsv", "m.jsonl"])
def test_byte_order_marks(tmp_path: Path, name: str, encoding: str) -> None:
    mark = "," if name == "m.csv" else "\t"
    content = f"audio_filepath{mark}text\r\na.wav{mark}caf\u00e9\r\n"
    if name == "m.jsonl":
        content = json.dumps({"audio_filepath": "a.wav", "text": "caf\u00e9"}, ensure_ascii=False)
    assert texts(tmp_path / name, content.encode(encoding)) == ["caf\u00e9"]


def test_another_encoding_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "m.csv", "audio_filepath,text\na.wav,caf\u00e9\n".encode("latin-1"))
    with pytest.raises(EncodingError, match=r"m\.csv: expected text in UTF-8"):
        read_manifest(path)


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c"])
@pytest.mark.parametrize("name", ["m.jsonl", "m.tsv", "m.csv"])
def test_only_line_feeds_end_lines(tmp_path: Path, name: str, separator: str) -> None:
    text = f"one{separator}two"
    mark = "," if name == "m.csv" else "\t"
    content = f"audio_filepath{mark}text\na.wav{mark}{text}\n"
    if name == "m.jsonl":
        ascii_only = ord(separator) < 32  # which JSON wants escaped
        content = json.dumps({"audio_filepath": "a.wav", "text": text}, ensure_ascii=ascii_only)
    assert texts(tmp_path / name, content) == [text]


def test_parts_of_a_recording(tmp_path: Path) -> None:
    rows = [
        {"offset": 12.5, "duration": 2.0},
        {"offset": 0, "duration": 1},
        {"offset": 3.0},
        {"offset": 3.0, "duration": None},
        {"offset": None, "duration": 20.0},
        {"duration": 20.0},  # of the whole file, for people
        {},
    ]
    parts = [(12.5, 2.0), (0.0, 1.0), (3.0, None), (3.0, None)] + 3 * [(0.0, None)]
    common = {"audio_filepath": "long.wav", "text": "x"}
    lines = "\n".join(json.dumps({**common, **row}) for row in rows)
    utterances = read_manifest(written(tmp_path / "m.jsonl", lines))
    assert [(one.start_s, one.duration_s) for one in utterances] == parts
    table = "audio_filepath\ttext\toffset\tduration\n" + "".join(
        f"long.wav\tx\t{row.get('offset', '')}\t{row.get('duration', '')}\n".replace("None", "")
        for row in rows
    )
    assert read_manifest(written(tmp_path / "m.tsv", table)) == utterances


@pytest.mark.parametrize(
    "fields",
    [
        {"offset": -1},
        {"offset": "soon"},
        {"offset": True},
        {"offset": [1]},
        {"offset": 1, "duration": 0},
        {"offset": 1, "duration": -2},
        {"offset": 1, "duration": "nan"},
        {"start": 1.0, "end": 2.0},
        {"start_time": 1.0},
        {"end_s": 0},
        {"channel": 1},
    ],
)
def test_parts_that_are_wrong_or_said_otherwise_are_refused(
    tmp_path: Path, fields: dict[str, object]
) -> None:
    row = {"audio_filepath": "a.wav", "text": "x", **fields}
    with pytest.raises(ManifestError, match=r"m\.jsonl:1: .*(offset|duration)"):
        read_manifest(written(tmp_path / "m.jsonl", json.dumps(row)))


CV = "client_id\tpath\tsentence\tup_votes\tdown_votes\tage\tlocale\tsegment\n"


def test_common_voice(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    content = (
        f'{CV}abc\tcv_1.mp3\t"Who?", she asked.\t2\t0\t\ten\t\nd\tcv_2.mp3\tNo "\t2\t0\t\ten\t\n'
    )
    assert read_manifest(written(tmp_path / "validated.tsv", content)) == [
        Utterance(tmp_path / "clips/cv_1.mp3", '"Who?", she asked.', "abc"),
        Utterance(tmp_path / "clips/cv_2.mp3", 'No "', "d"),
    ]


def test_common_voice_without_a_folder_of_clips(tmp_path: Path) -> None:
    content = f"{CV}abc\tcv_1.mp3\tYes.\t2\t0\t\ten\t\n"
    [utterance] = read_manifest(written(tmp_path / "dev.tsv", content))
    assert utterance.audio == tmp_path / "cv_1.mp3"


def test_ljspeech(tmp_path: Path) -> None:
    (tmp_path / "wavs").mkdir()
    for name in ("LJ001-0001", "LJ001-0002", "LJ001-0003"):
        (tmp_path / f"wavs/{name}.wav").touch()
    content = (
        'LJ001-0001|Printing, in "the|Printing, in "the\n'
        "LJ001-0002|in 1455|in fourteen fifty-five\r\n"
        "LJ001-0003.wav|only one text\n"
    )
    assert read_manifest(written(tmp_path / "metadata.csv", content)) == [
        Utterance(tmp_path / "wavs/LJ001-0001.wav", 'Printing, in "the'),
        Utterance(tmp_path / "wavs/LJ001-0002.wav", "in fourteen fifty-five"),
        Utterance(tmp_path / "wavs/LJ001-0003.wav", "only one text"),
    ]


@pytest.mark.parametrize(
    "content", ["a|x|y\nb|x|y\n", "a|x|y|z\n", "a|x\na\n", "audio|text|speaker\na|x|y\n"]
)
def test_other_tables_with_bars_are_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "wavs").mkdir()
    (tmp_path / "wavs/a.wav").touch()
    with pytest.raises(ManifestError, match=r"metadata\.csv:\d: expected LJSpeech's"):
        read_manifest(written(tmp_path / "metadata.csv", content))


def test_a_bar_in_a_csv_with_names_is_text(tmp_path: Path) -> None:
    assert texts(tmp_path / "m.csv", "audio_filepath,text\na.wav,one|two\n") == ["one|two"]
