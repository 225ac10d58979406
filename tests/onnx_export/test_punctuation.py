import numpy as np
import onnx
import pytest
import torch

from onnx_export.punctuation import TOLERANCE, export_punctuation, main
from otoscope.errors import ModelFileError
from otoscope.written.punctuator import Punctuator
from otoscope.written.spec import PunctuationSpec
from training.punctuation.network import (
    PunctuationConfig,
    PunctuationModel,
    load_weights,
    save_model,
)
from training.punctuation.trainer import TorchPunctuator

SPEC = PunctuationSpec(table_rows=2048, window_words=24, overlap_words=8, lexicon={"ebay": "eBay"})


def _model():
    torch.manual_seed(0)
    config = PunctuationConfig(embedding=32, hidden=32, layers=2)
    return PunctuationModel(config, SPEC).eval()


def test_the_graph_is_the_trained_model_and_8_bits_are_near(tmp_path):
    path = tmp_path / "punctuation.onnx"
    exact, rounded = export_punctuation(_model(), path)
    assert exact.largest <= TOLERANCE
    assert exact.same == 1
    assert TOLERANCE < rounded.largest < 0.2
    assert rounded.same > 0.9
    assert Punctuator(path).spec == SPEC


def test_the_file_holds_bytes_for_weights(tmp_path):
    path = tmp_path / "punctuation.onnx"
    model = _model()
    export_punctuation(model, path)
    weights = sum(each.numel() for each in model.parameters())
    assert path.stat().st_size < 1.5 * weights + 20_000
    large = [each for each in onnx.load(path).graph.initializer if np.prod(each.dims) >= 4096]
    assert large
    assert {each.data_type for each in large} <= {onnx.TensorProto.INT8}


def test_windows_in_a_batch_do_not_change_one_another(tmp_path):
    path = tmp_path / "punctuation.onnx"
    export_punctuation(_model(), path)
    punctuator = Punctuator(path)
    words = [f"w{number % 37}" for number in range(70)]
    first = punctuator.log_probs(words[:24], np.full(24, np.nan))
    whole = punctuator.log_probs(words, np.full(70, np.nan))
    for one, other in zip(first, whole, strict=True):
        np.testing.assert_allclose(one[:20], other[:20], atol=1e-4)


def test_the_command(tmp_path, capsys):
    save_model(tmp_path / "punctuation.pt", _model())
    assert main([str(tmp_path / "punctuation.pt")]) == 0
    assert "MB" in capsys.readouterr().out
    assert main([str(tmp_path / "none.pt")]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_training_begins_with_an_exported_file(tmp_path):
    path = tmp_path / "punctuation.onnx"
    export_punctuation(_model(), path)
    torch.manual_seed(1)
    started = PunctuationModel(_model().config, SPEC).eval()
    load_weights(path, started)
    words, pauses_s = [f"w{number}" for number in range(20)], np.full(20, np.nan)
    told = TorchPunctuator(started).log_probs(words, pauses_s)
    for one, other in zip(told, Punctuator(path).log_probs(words, pauses_s), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
    other = PunctuationModel(PunctuationConfig(embedding=32, hidden=16), SPEC)
    with pytest.raises(ModelFileError, match="expected the shapes of a new model"):
        load_weights(path, other)
