"""Training on the tones as letters and as phonemes, from the dictionary to the exported model."""

import json
from pathlib import Path

import numpy as np
import pytest
from tone_runs import fit_arguments

from onnx_export.__main__ import main as export_main
from otoscope import PhonemeSet, Recognizer, ctc, load
from training.__main__ import main
from training.config_file import read_config
from training.data.prepare import prepare
from training.weights import checkpoint


@pytest.fixture(scope="module")
def phoneme_run(
    phoneme_config_path: Path, tones: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    run = tmp_path_factory.mktemp("runs") / "phonemes"
    assert main(fit_arguments(phoneme_config_path, tones, run)) == 0
    return run


def test_prepare_counts_who_has_phonemes(
    phoneme_config_path: Path, tones: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = [json.loads(line)["text"] for line in (tones / "train.jsonl").read_text().splitlines()]
    unknown = sum("dd" in text.split() for text in texts)
    assert 0 < unknown < len(texts)
    where = ["--corpus", str(tones), "--cache", str(tones / "cache")]
    assert main(["prepare", str(phoneme_config_path), *where]) == 0
    [train, dev, *_] = capsys.readouterr().out.splitlines()
    assert train == (
        f"train.jsonl: {len(texts)} utterances; {len(texts) - unknown} have phoneme targets "
        f"(not: {unknown} with a word outside the dictionary)"
    )
    assert dev.startswith("dev.jsonl: 10 utterances to choose by; ")


def test_without_a_head_no_dictionary_is_opened(config_path: Path, tones: Path) -> None:
    prepared = prepare(read_config(config_path), tones, tones / "cache")
    assert all(example.phonemes.size == 0 for example in prepared.examples)
    assert "phoneme" not in prepared.report


def test_targets_fit_the_fastest_speed(phoneme_config_path: Path, tones: Path) -> None:
    config = read_config(phoneme_config_path)
    for example in prepare(config, tones, tones / "cache").examples:
        fewest = min(example.frames(speed) for speed in range(len(config.corpus.speeds)))
        assert -(-fewest // config.model.frame_stride) >= ctc.min_frames(example.phonemes)


def test_both_tasks_are_learned_and_logged(phoneme_run: Path) -> None:
    rows = [json.loads(line) for line in (phoneme_run / "history.jsonl").read_text().splitlines()]
    for key in ("loss", "phoneme_loss", "intermediate_loss"):
        losses = [row[key] for row in rows if key in row]
        assert losses[-1] < 0.3 * losses[0], key
    assert all(row["inconsistency"] > 0 for row in rows if "loss" in row)
    scores = [row for row in rows if "dev_per" in row]
    assert len(scores) == 4
    assert scores[-1]["dev_per"] < 0.1
    assert scores[-1]["dev_per"] == pytest.approx(scores[-1]["per/dev.jsonl"])
    assert scores[-1]["dev_cer"] < 0.1
    page = (phoneme_run / "page.html").read_text()
    assert all(label in page for label in ('"phonemes"', '"lower head"', '"disagreement of views"'))


def test_the_exported_model_gives_both(phoneme_run: Path, tones: Path, tmp_path: Path) -> None:
    model = tmp_path / "model.onnx"
    arguments = [str(phoneme_run / "best.pt"), "--out", str(model), "--name", "whistles"]
    assert export_main(arguments) == 0
    recognizer = Recognizer(model)
    assert recognizer.spec.name == "whistles"
    phonemes = PhonemeSet(("LOW", "MID", "HIGH", "TOP"))
    assert recognizer.spec.phonemes == phonemes
    rows = [json.loads(line) for line in (tones / "dev.jsonl").read_text().splitlines()]
    waveforms = [load(tones / row["audio_filepath"], 16000).samples for row in rows]
    right = 0
    for posteriors, row in zip(recognizer.posteriors(waveforms), rows, strict=True):
        assert posteriors.phonemes is not None
        path = posteriors.phonemes.log_probs.argmax(axis=1).astype(np.int64)
        heard = phonemes.decode(ctc.collapse(path, phonemes.blank_index))
        names = dict(zip("abcd", phonemes.symbols, strict=True))
        right += heard == tuple(names[c] for c in row["text"] if c != " ")
    assert right >= 8
    best = checkpoint.load_exportable(phoneme_run / "best.pt")
    assert "phonemes from layer 1" in best.spec.provenance.architecture
