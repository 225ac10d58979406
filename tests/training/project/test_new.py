"""`python -m training new`: from recordings in any form to a run that needs its name alone."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from onnx_export.export import export
from onnx_export.int8 import quantize
from otoscope.errors import ManifestError, ModelFileError
from otoscope.vocabulary import Alphabet
from training.__main__ import main
from training.config_file import read_config
from training.data.alphabets import propose_alphabet
from training.data.utterances import Utterance
from training.project import plan
from training.project.find import find
from training.project.survey import listen, survey
from training.weights.checkpoint import load_exportable


def write(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def record(path: Path, seconds: float = 1.0, rate_hz: int = 16000, level: float = 0.1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(0).standard_normal(round(seconds * rate_hz))
    soundfile.write(path, level * noise, rate_hz)


def test_common_voice_gives_what_is_validated_but_not_kept_back(tmp_path: Path) -> None:
    head = "client_id\tpath\tsentence\n"
    rows = [f"{n}\t{n}.mp3\tSatz {n}\n" for n in range(6)]
    for name, chosen in (
        ("validated", rows),
        ("train", rows[:1]),
        ("dev", rows[4:5]),
        ("test", rows[5:]),
        ("invalidated", ["9\t9.mp3\tfalsch\n"]),
        ("other", ["8\t8.mp3\tneu\n"]),
    ):
        write(tmp_path / f"{name}.tsv", head + "".join(chosen))
    write(tmp_path / "clip_durations.tsv", "clip\tduration[ms]\n")
    (tmp_path / "clips").mkdir()
    found = find(tmp_path)
    assert [one.audio.name for one in found.train] == ["0.mp3", "1.mp3", "2.mp3", "3.mp3"]
    assert [one.audio.name for one in found.dev] == ["4.mp3"]
    assert found.train[0].audio.parent.name == "clips"


def test_parts_of_a_recording_are_divided_as_the_manifests_say(tmp_path: Path) -> None:
    def rows(*starts_s: float) -> str:
        parts = (
            {"audio_filepath": "a.wav", "offset": s, "duration": 1.0, "text": "a"} for s in starts_s
        )
        return "".join(json.dumps(part) + "\n" for part in parts)

    write(tmp_path / "train.jsonl", rows(0.0, 1.0, 2.5, 3.0))
    write(tmp_path / "dev.jsonl", rows(3.0))
    found = find(tmp_path)
    assert [one.start_s for one in found.train] == [0.0, 1.0]
    assert [one.start_s for one in found.dev] == [3.0]
    assert "2 to learn from are left out: they are kept back" in found.words


def test_texts_side_by_side_ljspeech_kaldi_and_folders_of_manifests(tmp_path: Path) -> None:
    for speaker in ("anna", "bernd"):
        record(tmp_path / "pairs" / speaker / "1.wav")
        write(tmp_path / "pairs" / speaker / "1.txt", "Guten\nTag\n")
    record(tmp_path / "pairs/anna/2.wav")
    found = find(tmp_path / "pairs")
    assert [(one.speaker, one.text) for one in found.train] == [
        ("anna", "Guten Tag"),
        ("bernd", "Guten Tag"),
    ]
    assert "1 recordings have no .txt" in found.words[1]
    record(tmp_path / "lj/wavs/a.wav")
    write(tmp_path / "lj/metadata.csv", "a|3 Tage|drei Tage\n")
    assert find(tmp_path / "lj").train[0].text == "drei Tage"
    write(tmp_path / "kaldi/wav.scp", "u1 u1.wav\n")
    write(tmp_path / "kaldi/text", "u1 hallo\n")
    assert find(tmp_path / "kaldi").train[0].text == "hallo"
    for name in ("train", "dev"):
        row = {"audio_filepath": f"{name}.wav", "text": name}
        write(tmp_path / "nemo/one" / f"{name}.jsonl", json.dumps(row) + "\n")
    both = find(tmp_path / "nemo")
    assert ([one.text for one in both.train], [one.text for one in both.dev]) == (
        ["train"],
        ["dev"],
    )
    for nothing in ("pairs/anna/2.wav/x", "clips"):
        (tmp_path / "clips").mkdir(exist_ok=True)
        with pytest.raises(ManifestError, match="expected"):
            find(tmp_path / nothing)


def test_the_alphabet_is_the_letters_of_the_texts_without_those_of_rare_names() -> None:
    texts = ["Grüße, wie geht\u2019s?", "Über Größe: 12 ﬁndet", "Don't"] * 2000 + ["Łódź"]
    proposed = propose_alphabet(texts)
    assert proposed is not None
    assert set("grüßewihts'bö ") <= set(proposed.symbols)
    assert not set("ŁłźóD12?,Gﬁ") & set(proposed.symbols)
    assert propose_alphabet(["12", "?"]) is None
    for text, used in (("s' éléngé", True), ("'Ja!', rief er", False), ("sagt 'ja'", False)):
        alphabet = propose_alphabet([text] * 10)
        assert alphabet is not None
        assert ("'" in alphabet.symbols) == used
    assert propose_alphabet(["नमस्ते"]).normalize("नमस्ते") == "नमस्ते"  # marks are letters there


def test_what_is_left_out_is_said_with_its_reason(tmp_path: Path) -> None:
    record(tmp_path / "good.wav", 3.0, 8000)
    record(tmp_path / "silent.wav", level=0.0)
    record(tmp_path / "long.wav", 30.0)
    record(tmp_path / "fast.wav", 0.3)
    write(tmp_path / "torn.wav", "no audio")
    names = ["good", "silent", "long", "fast", "torn", "none"]
    texts = dict.fromkeys(names, "ein satz") | {"fast": "viel zu viel text " * 5}
    utterances = [Utterance(tmp_path / f"{name}.wav", texts[name]) for name in names]
    utterances.append(Utterance(tmp_path / "good.wav", "42"))
    alphabet = Alphabet(tuple("abcdefghijklmnopqrstuvwxyz "))
    seen = survey(utterances, listen(utterances), alphabet)
    assert [one.audio.name for one in seen.utterances] == ["good.wav"]
    report = seen.report("train")
    for reason in (
        "silent",
        "too short or too long",
        "fewer frames",
        "not readable",
        "no such file",
    ):
        assert reason in report
    assert "'2' in 1, '4' in 1" in report
    assert "8000 Hz: 1" in report
    assert "what is above half their rate is missing" in report
    assert "no speakers are named" in report


@pytest.mark.parametrize("hours", [0.1, 1.0, 10.0, 200.0])
def test_schedules_are_sized_to_the_data(hours: float) -> None:
    goal = plan.Goal("x", "de", Alphabet(tuple("ab ")), hours)
    for stages in (plan.from_nothing(goal), plan.from_encoder(goal, "base", "base.pt")):
        for stage in stages:
            loop, optimiser = stage.config.loop, stage.config.optimiser
            steps = loop.epochs * hours * 3600 / loop.batch_s
            assert steps >= 300
            assert 5 * optimiser.warmup_steps <= steps + 5
            assert optimiser.average_decay**steps < 0.01  # the first weights are forgotten
    head, whole = plan.from_encoder(goal, "base", "base.pt")
    assert head.config.model.frozen_layers == 6 > whole.config.model.frozen_layers > 0
    assert (head.config.start, whole.config.start) == ("base.pt", "stage-1/best.pt")
    once = plan.without_speeds([head])
    assert [stage.config.corpus.speeds for stage in once] == [(1.0,)]
    shorter = plan.fit_into([head, whole], [4.0, 4.0], 4.0)
    assert [s.config.loop.epochs for s in shorter] == [
        round(s.config.loop.epochs / 2) for s in (head, whole)
    ]


def test_a_model_that_goes_on_has_dropout_and_masks() -> None:
    goal = plan.Goal("x", "de", Alphabet(tuple("ab ")), 1.0)
    [stage] = plan.from_encoder(goal, "base", "base.pt")[:1]
    bare = replace(
        stage.config,
        model=replace(stage.config.model, dropout=0.0),
        augment=replace(stage.config.augment, time_masks_per_s=0.0),
    )
    [goes_on] = plan.from_model(goal, bare, "model.onnx")
    assert goes_on.config.model.dropout > 0
    assert goes_on.config.augment.time_masks_per_s > 0


def test_from_new_to_a_run_with_the_name_alone(
    tones: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    rows = (tones / "train.jsonl").read_text().splitlines()[:30]
    for row in map(json.loads, rows):
        shutil.copy(tones / row["audio_filepath"], data)
    write(data / "all.jsonl", "\n".join(rows))
    monkeypatch.chdir(tmp_path)
    arguments = ["new", "tones", "--data", str(data), "--language", "de"]
    assert main(arguments) == 0
    folder = tmp_path / "runs/tones"
    said = capsys.readouterr().out
    assert "alphabet: 'abcd '" in said
    assert "make train NAME=tones" in said
    assert (folder / "report.txt").read_text() == said
    assert (folder / "data.png").read_bytes().startswith(b"\x89PNG")
    parts = [(folder / f"{name}.jsonl").read_text().splitlines() for name in ("train", "dev")]
    assert [len(part) > 0 for part in parts] == [True, True]
    assert sum(map(len, parts)) == 30
    config = read_config(folder / "stage-1.toml")
    assert (config.name, config.language, config.alphabet.joined) == ("tones", "de", "abcd ")
    assert main(arguments) == 2  # what is there is not written over unasked
    assert "--force" in capsys.readouterr().err
    write(folder / "stage-2.toml", "of another plan")
    part = {"audio_filepath": json.loads(rows[0])["audio_filepath"], "offset": 0.1, "duration": 0.2}
    write(data / "noise.jsonl", json.dumps({**part, "text": ""}))
    assert main([*arguments, "--force", "--noise", str(data / "noise.jsonl")]) == 0
    noise = json.loads((folder / "noise.jsonl").read_text())
    assert (noise["offset"], noise["duration"]) == (0.1, 0.2)
    assert not (folder / "stage-2.toml").exists()  # or it would be trained, too
    short = folder / "stage-1.toml"
    text = short.read_text()
    short.write_text(text.replace(f"epochs = {config.loop.epochs}", "epochs = 1"))
    assert main(["fit", str(short), "--threads", "1"]) == 0
    assert (folder / "stage-1/best.pt").is_file()


def test_it_goes_on_from_an_exported_model(whole_run: Path, tones: Path, tmp_path: Path) -> None:
    best = load_exportable(whole_run / "best.pt")
    (tmp_path / "mine").mkdir()
    export(best, tmp_path / "model.onnx")
    quantize(tmp_path / "model.onnx", tmp_path / "mine/model.int8.onnx")
    folder = tmp_path / "run"
    arguments = ["new", "more", "--data", str(tones / "train.jsonl"), "--language", "de"]
    arguments += ["--start", str(tmp_path / "mine"), "--folder", str(folder)]
    assert main(arguments) == 0
    config = read_config(folder / "stage-1.toml")
    assert config.start == str(tmp_path / "mine/model.int8.onnx")
    assert (config.model, config.alphabet) == (best.config.model, best.config.alphabet)


def test_the_state_of_a_run_is_no_model(whole_run: Path) -> None:
    with pytest.raises(ModelFileError, match=r"expected best\.pt of a run"):
        load_exportable(whole_run / "last.pt")


def test_a_model_that_goes_on_learns_the_letters_that_it_lacks(
    whole_run: Path, tones: Path, tmp_path: Path
) -> None:
    best = whole_run / "best.pt"
    known = load_exportable(best).config.alphabet.symbols[0]
    rows = [json.loads(line) for line in (tones / "train.jsonl").read_text().splitlines()]
    for row in rows:
        row["audio_filepath"] = str(tones / row["audio_filepath"])
        row["text"] = row["text"].replace(known, "ü")
    write(tmp_path / "umlauts.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    for manifest, letters, asked in (
        (tmp_path / "umlauts.jsonl", "ü", []),
        (tones / "train.jsonl", "xyz", ["--alphabet", "xyz abcdefgh"]),
    ):
        folder = tmp_path / letters
        arguments = ["new", "more", "--data", str(manifest), "--language", "de", *asked]
        assert main([*arguments, "--start", str(best), "--folder", str(folder)]) == 0
        config = read_config(folder / "stage-1.toml")
        assert set(letters) <= set(config.alphabet.symbols)
    short = folder / "stage-1.toml"
    short.write_text(re.sub(r"epochs = \d+", "epochs = 1", short.read_text()))
    assert main(["fit", str(short), "--threads", "1"]) == 0
    assert load_exportable(folder / "stage-1/best.pt").config.alphabet == config.alphabet


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["../x", "--language", "de"], "name"),
        (["x", "--language", "German"], "language"),
        (["x", "--language", "de", "--encoder", "a", "--start", "b"], "--start"),
    ],
)
def test_wrong_arguments_are_named(
    tmp_path: Path, arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", *arguments, "--data", str(tmp_path)]) == 2
    assert named in capsys.readouterr().err
