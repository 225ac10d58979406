"""The page of a run: what is in it, that it can be made again, and how large it can be."""

import base64
import io
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tone_runs import EPOCHS, fit_arguments

from otoscope import Alphabet
from training.__main__ import main
from training.config import CorpusConfig, TrainingConfig
from training.data.feature_cache import FeaturePack
from training.data.prepare import DevSet
from training.data.utterances import Utterance
from training.run import page_curves, page_examples, page_utterances, records
from training.run.page import MOST_BYTES, render


def contents(page: Path) -> dict:
    """What the page's script reads."""
    [found] = re.findall(
        r'<script type="application/json" id="data">(.*?)</script>', page.read_text()
    )
    return json.loads(found)


def seconds(data_url: str) -> float:
    kind, encoded = data_url.split(",")
    assert kind == "data:audio/mpeg;base64"
    return soundfile.info(io.BytesIO(base64.b64decode(encoded))).duration


def test_a_finished_run_leaves_its_page(whole_run: Path, tones: Path) -> None:
    data = contents(whole_run / "page.html")
    dev = [json.loads(line) for line in (tones / "dev.jsonl").read_text().splitlines()]
    facts = dict(data["facts"])
    assert data["name"] == "tones"
    assert facts["best epoch"].endswith(f"of {EPOCHS}")
    rows = [json.loads(line) for line in (whole_run / "history.jsonl").read_text().splitlines()]
    best = min(row["dev_cer"] for row in rows if "dev_cer" in row)
    assert facts["dev CER"] == f"{100 * best:.1f} %"
    assert [chart["title"][:4] for chart in data["curves"]] == ["CTC ", "dev ", "lear"]
    assert "train.jsonl: 120 utterances" in data["report"]
    said = {row["text"] for row in dev}
    shown = [*data["worst"], *data["best"]]
    assert {"".join(a for a, _ in one["pairs"]) for one in shown} <= said
    assert all(a["rate"] >= b["rate"] for a in data["worst"] for b in data["best"])
    for one in shown:
        [row] = [row for row in dev if row["audio_filepath"] in one["where"]]
        whole = soundfile.info(tones / row["audio_filepath"]).duration
        assert seconds(one["sound"]) == pytest.approx(whole, abs=0.2)


def test_it_shows_how_it_learned(whole_run: Path) -> None:
    examples = contents(whole_run / "page.html")["examples"]
    assert len(examples) == 4
    for one in examples:
        assert [step["epoch"] for step in one["steps"]] == list(range(1, EPOCHS + 1))
        assert one["symbols"][-1] == "<blank>"
        shape = (one["columns"], len(one["symbols"]))
        for step in one["steps"]:
            levels = np.frombuffer(base64.b64decode(step["levels"]), np.uint8).reshape(shape)
            assert levels.sum(axis=1).max() <= 255 + len(one["symbols"])
            path = [one["symbols"][row] for row in levels.argmax(axis=1)]
            collapsed = [a for a, b in zip(path, [None, *path], strict=False) if a != b]
            assert "".join(a for a in collapsed if a != "<blank>").strip() == step["heard"]
        mel = one["mel"]
        assert len(base64.b64decode(mel["levels"])) == mel["rows"] * mel["columns"]
        assert mel["columns"] * one["hop_s"] == pytest.approx(seconds(one["sound"]), abs=0.2)
    assert any(one["steps"][0]["heard"] != one["steps"][-1]["heard"] for one in examples)


def test_it_is_made_again(whole_run: Path, config_path: Path, tones: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(whole_run, run)
    before = contents(run / "page.html")
    arguments = ["page", *fit_arguments(config_path, tones, run)[1:-2]]
    (run / "page.html").unlink()
    assert main(arguments) == 0
    assert contents(run / "page.html") == before
    # A run of before there were pages: best.pt is asked.
    (run / "heard.json").unlink()
    shutil.rmtree(run / "steps")
    assert main(arguments) == 0
    again = contents(run / "page.html")
    best = int(dict(before["facts"])["best epoch"].split()[0])
    assert all([step["epoch"] for step in one["steps"]] == [best] for one in again["examples"])
    for key in ("worst", "best", "confusions", "curves"):
        assert again[key] == before[key]


def test_nothing_of_other_texts_is_shown(whole_run: Path, tmp_path: Path) -> None:
    shutil.copytree(whole_run / "steps", tmp_path / "steps")
    shutil.copy(whole_run / "heard.json", tmp_path)
    texts = tuple(
        a for a, _ in json.loads((tmp_path / "heard.json").read_text())["sets"]["dev.jsonl"]
    )
    dev = noise_set(texts, tmp_path, seconds_each=1.0, name="dev.jsonl")
    assert records.load_dev_texts(tmp_path, [dev]) is not None
    assert len(records.load_steps(tmp_path, [dev])) == 4
    others = replace(dev, texts=("x", *texts[1:-1], "y"))
    assert records.load_dev_texts(tmp_path, [others]) is None
    assert all(one.text in texts for one, _ in records.load_steps(tmp_path, [others]))
    assert len(records.load_steps(tmp_path, [others])) < 4


def noise_set(
    texts: tuple[str, ...], folder: Path, seconds_each: float, name: str = "noise.jsonl"
) -> DevSet:
    """A dev set of noise with these texts."""
    rng = np.random.default_rng(0)
    path = folder / "noise.wav"
    soundfile.write(path, 0.1 * rng.standard_normal(round(16000 * seconds_each)), 16000)
    frames = round(100 * seconds_each)
    count = len(texts)
    pack = FeaturePack(
        rng.standard_normal((count * frames, 80)).astype(np.float32), frames * np.arange(count + 1)
    )
    labels = (np.zeros(0, dtype=np.int64),) * count
    utterances = tuple(Utterance(path, text, speaker="s" * 3000) for text in texts)
    return DevSet(name, pack, tuple(range(count)), texts, labels, utterances)


def test_its_size_is_bounded(tmp_path: Path) -> None:
    """Long recordings and texts, many symbols, epochs, steps and sets."""
    symbols = tuple(chr(0x4E00 + number) for number in range(800))
    config = TrainingConfig(CorpusConfig((), ()), alphabet=Alphabet(symbols))
    rng = np.random.default_rng(1)
    texts = tuple("".join(rng.choice(symbols, 3000)) for _ in range(12))
    dev = noise_set(texts, tmp_path, seconds_each=30.0)
    (tmp_path / "steps").mkdir()
    for epoch in range(1, 21):
        kept = {}
        for number in range(4):
            kept[f"probs-{number}"] = rng.integers(256, size=(750, 801), dtype=np.uint8)
            kept[f"texts-{number}"] = np.array(
                [dev.name, str(number), texts[number], texts[number]]
            )
        np.savez(tmp_path / "steps" / f"epoch-{epoch:03d}.npz", **kept)
    recognized = records.DevTexts(20, {dev.name: [(text, text[::-1]) for text in texts]})
    rates = {f"{kind}/set-{number}": 0.5 for kind in ("cer", "wer") for number in range(40)}
    rows = [{"step": step, "loss": 1 / step, "learning_rate": 1e-3} for step in range(1, 20001)]
    rows += [{"step": 10 * epoch, "dev_cer": 0.5, **rates} for epoch in range(1, 2001)]
    data = {
        "name": "large",
        "facts": [],
        "curves": page_curves.curves(rows),
        "examples": page_examples.described(tmp_path, [dev], config),
        **page_utterances.described(recognized, [dev], config),
        "report": "",
    }
    for one in data["examples"]:
        assert len(one["steps"]) == page_examples.MOST_STEPS
        assert [one["steps"][0]["epoch"], one["steps"][-1]["epoch"]] == [1, 20]
        assert len(one["symbols"]) <= page_examples.MOST_SYMBOLS + 1
        assert one["columns"] * one["frame_s"] <= page_examples.MOST_S
        assert seconds(one["sound"]) <= page_examples.MOST_SOUND_S + 0.2
    lines = [line for chart in data["curves"] for line in chart["lines"]]
    assert [line["label"] for line in lines] == ["characters", "all", "learning rate"]
    assert all(len(line["points"]) <= page_curves.MOST_POINTS for line in lines)
    assert len(data["confusions"]["counts"]) == page_examples.MOST_SYMBOLS + 1
    size = len(render(data).encode())
    assert 1_000_000 < size < MOST_BYTES


def test_curves_keep_what_few_points_say() -> None:
    rows = [{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0}, {"step": 2, "cer/a": 0.25}]
    loss, errors = page_curves.curves(rows)
    assert loss["lines"] == [{"label": "characters", "points": [[1, 2.0], [2, 1.0]]}]
    assert errors["lines"] == [{"label": "a", "points": [[2, 25.0]]}]
