import json

import pytest

from service.errors import StartError
from service.model_reports import read_reports

SHA = "ab" * 32


def write(folder, name, **document):
    (folder / name).write_text(json.dumps({"model_sha256": SHA, **document}))


def score(manifest, errors, size, decoder="greedy"):
    rates = {"cer": errors / size, "wer": errors / size, "characters": size, "words": size}
    return {"manifest": manifest, "decoder": decoder, "rates": rates}


def test_reports_that_are_not_there_are_none(tmp_path):
    reports = read_reports(tmp_path / "model.onnx", SHA, SHA)
    assert (reports.evaluation, reports.parity, reports.dev_rate("wer")) == (None, None, None)


def test_reports_are_read_from_beside_the_model(tmp_path):
    write(tmp_path, "parity.json", max_difference=1e-6)
    reports = read_reports(tmp_path / "model.onnx", SHA, SHA)
    assert reports.parity["max_difference"] == 1e-6


def test_parity_is_that_of_the_exact_model(tmp_path):
    write(tmp_path, "parity.json", max_difference=1e-6)
    assert read_reports(tmp_path / "model.int8.onnx", "cd" * 32, SHA).parity is not None
    assert read_reports(tmp_path / "model.int8.onnx", SHA, "cd" * 32).parity is None


def test_dev_rates_count_every_dev_word_once(tmp_path):
    sets = [score("a/dev", 10, 100), score("b/dev", 60, 200), score("b/test", 9, 10)]
    sets.append(score("b/dev", 5, 200, decoder="beam + LM"))
    write(tmp_path, "evaluation.json", sets=sets)
    reports = read_reports(tmp_path / "model.onnx", SHA, SHA)
    assert reports.dev_rate("wer") == pytest.approx(70 / 300)
    assert reports.dev_rate("cer") == pytest.approx(70 / 300)


def test_no_dev_manifest_is_no_dev_rate(tmp_path):
    write(tmp_path, "evaluation.json", sets=[score("b/test", 9, 10)])
    assert read_reports(tmp_path / "model.onnx", SHA, SHA).dev_rate("cer") is None


def test_reports_about_other_weights_are_not_used(tmp_path, caplog):
    write(tmp_path, "evaluation.json", sets=[score("a/dev", 10, 100)])
    reports = read_reports(tmp_path / "model.onnx", "cd" * 32, SHA)
    assert reports.evaluation is None
    assert "evaluation.json is not used" in caplog.text


@pytest.mark.parametrize(
    "text", ["{", "[]", "\ufeff", json.dumps({"model_sha256": SHA, "sets": [1]})]
)
def test_broken_reports_stop_the_start(tmp_path, text):
    (tmp_path / "evaluation.json").write_text(text)
    with pytest.raises(StartError, match=r"evaluation\.json: expected"):
        read_reports(tmp_path / "model.onnx", SHA, SHA)
