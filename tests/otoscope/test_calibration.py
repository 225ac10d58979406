"""otoscope.calibration: curves over confidences, and their file by otoscope.sidecars."""

import json

import pytest

from otoscope.calibration import Calibration, Curve
from otoscope.errors import ModelFileError
from otoscope.sidecars import read_sidecar, write_sidecar
from otoscope.transcript import Transcript, Word

CURVE = Curve(slope=0.5, intercept=-1.0)
CALIBRATION = Calibration("ab" * 32, (0.1, 0.9), {"greedy": CURVE})


def transcript(*confidences):
    words = tuple(Word("a", 0.1 * n, 0.1 * n + 0.05, one) for n, one in enumerate(confidences))
    return Transcript(" ".join("a" for _ in words), 0.9 if words else None, words, ())


def test_a_neutral_curve_changes_nothing():
    neutral = Curve(1.0, 0.0)
    for confidence in (0.01, 0.5, 0.99):
        assert neutral.probability(confidence) == pytest.approx(confidence)


def test_order_stays_and_the_ends_stay_probabilities():
    calibrated = [CURVE.probability(c) for c in (0.0, 0.2, 0.5, 0.9, 1.0)]
    assert calibrated == sorted(calibrated)
    assert calibrated[0] > 0
    assert calibrated[-1] < 1
    assert CURVE.probability(0.5) == pytest.approx(0.2689, abs=1e-4)  # 1 / (1 + e)


def test_steep_curves_have_probabilities_everywhere():
    steep = Curve(208.0, -293.0)
    assert [steep.probability(c) for c in (0.0, 1e-6, 1.0)] == pytest.approx([0.0, 0.0, 1.0])


def test_words_are_calibrated_and_the_text_gets_their_mean():
    calibrated = CALIBRATION.apply(transcript(0.5, 0.9), "greedy")
    expected = [CURVE.probability(0.5), CURVE.probability(0.9)]
    assert [word.confidence for word in calibrated.words] == expected
    assert calibrated.confidence == pytest.approx(sum(expected) / 2)


def test_no_words_or_no_curve_is_left_alone():
    assert CALIBRATION.apply(transcript(), "greedy") == transcript()
    assert CALIBRATION.apply(transcript(0.5), "beam") == transcript(0.5)


def test_the_file_comes_back(tmp_path):
    path = tmp_path / "calibration.json"
    write_sidecar(path, CALIBRATION)
    assert read_sidecar(path, CALIBRATION.model_sha256, Calibration) == CALIBRATION


@pytest.mark.parametrize(
    "text", ["", "[]", json.dumps({"model_sha256": "a", "priors": [1.0], "curves": {"x": 1}})]
)
def test_another_file_is_refused(tmp_path, text):
    path = tmp_path / "calibration.json"
    path.write_text(text)
    with pytest.raises(ModelFileError, match=r"calibration\.json"):
        read_sidecar(path, "a", Calibration)


def test_a_missing_file_says_nothing(tmp_path):
    assert read_sidecar(tmp_path / "none.json", "a", Calibration) is None


def test_a_file_about_other_weights_is_not_used(tmp_path, caplog):
    path = tmp_path / "calibration.json"
    write_sidecar(path, CALIBRATION)
    assert read_sidecar(path, "cd" * 32, Calibration) is None
    assert f"{path} is not used" in caplog.text
