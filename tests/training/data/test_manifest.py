import json
from pathlib import Path

import pytest

from otoscope.errors import ManifestError
from otoscope.vocabulary import ENGLISH
from training.data.manifest import read_manifest, select
from training.data.utterances import Utterance


def test_json_lines_csv_and_tsv_say_the_same(tmp_path: Path) -> None:
    row = {"audio_filepath": "a/b.wav", "text": "Hi, there", "speaker": "x", "duration": 1.5}
    (tmp_path / "m.jsonl").write_text(json.dumps(row) + "\n\n")
    for suffix, mark in (("csv", ","), ("tsv", "\t")):
        values = mark.join(f'"{value}"' for value in row.values())
        (tmp_path / f"m.{suffix}").write_text(mark.join(row) + "\n" + values + "\n")
    expected = [Utterance(tmp_path / "a/b.wav", "Hi, there", "x")]
    for name in ("m.jsonl", "m.csv", "m.tsv"):
        assert read_manifest(tmp_path / name) == expected


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("m.jsonl", '{"text": "x"}\n', "m.jsonl:1.*audio_filepath"),
        ("m.jsonl", '{"audio_filepath": "x", "text": "y"}\n{oops\n', "m.jsonl:2.*JSON"),
        ("m.jsonl", "[1]\n", "JSON object"),
        ("m.csv", "audio_filepath,duration\nx,1\n", "m.csv:2.*text"),
        ("m.xml", "", "jsonl"),
    ],
)
def test_a_wrong_manifest_is_refused_with_its_line(
    tmp_path: Path, name: str, content: str, said: str
) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(ManifestError, match=said):
        read_manifest(path)


def test_a_missing_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"nowhere\.jsonl"):
        read_manifest(tmp_path / "nowhere.jsonl")


def test_what_cannot_be_learned_is_counted() -> None:
    texts = ["hello", "route 66", "...", "hello", "hello", "a"]
    # "hello" needs 5 symbols and a blank between its l's: 6 output frames, 24 feature frames.
    frames = [24, 100, 100, 20, 5000, 3]
    utterances = [Utterance(Path("x"), text) for text in texts]
    selection = select(utterances, frames, ENGLISH, 4, (5, 2000))
    assert selection.kept == (0,)
    assert selection.labels[0].tolist() == ENGLISH.encode("hello").tolist()
    assert selection.report("set").splitlines() == [
        "set: 1 utterances; left out: 1 text outside the alphabet, 1 no text, "
        "1 fewer frames than the text needs, 2 too short or too long",
        "  text outside the alphabet: 'route 66' (x)",
        "  no text: '...' (x)",
        "  fewer frames than the text needs: 'hello' (x)",
        "  too short or too long: 'hello' (x), 'a' (x)",
        "  characters that the alphabet lacks: '6' in 1",
    ]


def test_the_first_examples_and_the_most_frequent_characters_are_shown() -> None:
    texts = [*(f"{number} \u20ac" for number in range(10, 40)), "caf\u00e9"]
    utterances = [Utterance(Path(f"{n}.wav"), text) for n, text in enumerate(texts)]
    lines = select(utterances, [500] * 31, ENGLISH, 4).report("set", ", of which more").splitlines()
    assert lines[0] == ("set: 1 utterances, of which more; left out: 30 text outside the alphabet")
    assert lines[1] == (
        "  text outside the alphabet: '10 \u20ac' (0.wav), '11 \u20ac' (1.wav), '12 \u20ac' (2.wav)"
    )
    assert lines[2].startswith("  characters that the alphabet lacks: '\u20ac' in 30, '1' in 12")


def test_silence_is_kept_only_where_texts_may_be_empty() -> None:
    utterances = [Utterance(Path("x"), text) for text in ("", " ", "...", "a")]
    frames = [100] * 4
    assert select(utterances, frames, ENGLISH, 4).kept == (3,)
    selection = select(utterances, frames, ENGLISH, 4, silence=True)
    assert selection.kept == (0, 1, 3)
    assert [labels.size for labels in selection.labels] == [0, 0, 1]


def test_the_last_partial_frame_counts() -> None:
    # 21 feature frames at stride 4 are 6 output frames.
    assert select([Utterance(Path("x"), "hello")], [21], ENGLISH, 4).kept == (0,)
    assert select([Utterance(Path("x"), "hello")], [20], ENGLISH, 4).kept == ()
