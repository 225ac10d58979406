"""Fitting what confidences mean."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from otoscope import Recognizer
from otoscope.calibration import Calibration, Curve
from otoscope.sidecars import read_sidecar
from otoscope.transcript import Transcript, Word
from training.__main__ import main
from training.evaluation.calibrate import ScoredWords, fit, score_words


def drawn(curve: Curve, count: int, seed: int) -> ScoredWords:
    """Words that are right as often as `curve` says."""
    rng = np.random.default_rng(seed)
    confidences = rng.uniform(0.02, 0.98, count)
    chances = np.array([curve.probability(one) for one in confidences])
    return ScoredWords(confidences, rng.random(count) < chances)


def test_the_curve_behind_the_words_is_found() -> None:
    behind = Curve(0.6, -0.8)
    found = fit([drawn(behind, 4000, 1), drawn(behind, 4000, 2)])
    assert found.slope == pytest.approx(behind.slope, abs=0.05)
    assert found.intercept == pytest.approx(behind.intercept, abs=0.08)


def test_few_words_make_no_curve_that_is_sure_and_none_falls() -> None:
    one_right = ScoredWords(np.append(np.full(200, 0.3), 0.9), np.arange(201) == 200)
    curve = fit([one_right])
    assert 0 <= curve.slope < 5
    assert 0.001 < curve.probability(0.3) < 0.05
    rng = np.random.default_rng(0)
    confidences = rng.random(500)
    assert fit([ScoredWords(confidences, rng.random(500) > confidences)]).slope == 0


def test_every_set_counts_the_same() -> None:
    sure, unsure = ScoredWords(np.full(900, 0.5), np.ones(900, bool)), np.zeros(100, bool)
    curve = fit([sure, ScoredWords(np.full(100, 0.5), unsure)])
    assert curve.probability(0.5) == pytest.approx(0.5, abs=0.01)


def test_the_calibration_error_is_the_gap_between_sure_and_right() -> None:
    right = np.arange(100) < 50
    assert ScoredWords(np.full(100, 0.9), right).error() == pytest.approx(0.4)
    assert ScoredWords(np.full(100, 0.5), right).error() == pytest.approx(0.0)
    honest = drawn(Curve(1.0, 0.0), 20000, 3)
    assert honest.error() < 0.02


def test_words_are_right_where_the_alignment_says_so() -> None:
    heard = "the cat sat on on mat"
    words = tuple(Word(word, 0.0, 0.1, 0.5) for word in heard.split())
    scored = score_words(Transcript(heard, 0.5, words, ()), "a cat sat on the mat")
    assert scored.right.tolist() == [False, True, True, True, False, True]
    assert score_words(Transcript("", None, (), ()), "a cat").right.size == 0


def test_the_command_writes_curves_report_and_picture(
    sentence_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = Path(__file__).parents[3]
    model = shutil.copy(sentence_model, tmp_path / "model.onnx")
    said = "it was a long time before he came home to his father"
    row = {"audio_filepath": str(root / "examples" / "sample.flac"), "text": said}
    (tmp_path / "dev.jsonl").write_text(json.dumps(row) + "\n")
    assert main(["calibrate", str(tmp_path / "dev.jsonl"), "--model", str(model)]) == 0
    sha256 = Recognizer(model).sha256
    calibration = read_sidecar(tmp_path / "calibration.json", sha256, Calibration)
    assert calibration is not None
    assert list(calibration.curves) == ["greedy"]
    report = json.loads((tmp_path / "reliability.json").read_text())
    assert report["model_sha256"] == calibration.model_sha256
    [row] = report["sets"]
    assert row["words"] > 8
    assert 0 <= row["ece"] <= 1
    assert row["ece_unseen"] is None
    assert (tmp_path / "reliability.png").read_bytes().startswith(b"\x89PNG")
    assert "calibration error" in capsys.readouterr().out
