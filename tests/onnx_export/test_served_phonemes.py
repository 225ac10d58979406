"""A model with a phoneme head behind the service: both matrices of one transcription."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from fastapi.testclient import TestClient

from onnx_export.export import export
from otoscope import ARPABET, Recognizer, load
from service.app import create_app
from service.inference.recognition import RecordingRecognizer
from service.inference.threaded_model import model_threads
from service.inference.warmup import run_warmup
from service.settings import Settings
from training.config import CorpusConfig, LossConfig, ModelConfig, TrainingConfig
from training.model.network import AcousticModel
from training.weights.checkpoint import Exportable, model_spec

CONFIG = TrainingConfig(
    CorpusConfig((), ()),
    model=ModelConfig(conv_channels=4, hidden=16, layers=2, phoneme_layer=1),
    loss=LossConfig(phoneme_weight=0.3),
)


@pytest.fixture(scope="module")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.onnx"
    torch.manual_seed(0)
    bins = CONFIG.features.bins
    model = AcousticModel(CONFIG.model, bins, CONFIG.alphabet.size, ARPABET.size).eval()
    export(Exportable(model, model_spec(CONFIG, model, 0.0, 0, 1.0), CONFIG), path)
    return path


@pytest.fixture(scope="module")
def client(model_path: Path) -> Iterator[TestClient]:
    settings = Settings(model_path=model_path, store_path=model_path.with_name("store.sqlite3"))
    with TestClient(create_app(settings)) as client:
        yield client


@pytest.fixture(scope="module")
def wav() -> bytes:
    buffer = io.BytesIO()
    samples = 0.1 * np.random.default_rng(0).standard_normal(24000)
    soundfile.write(buffer, samples, 16000, format="WAV")
    return buffer.getvalue()


def test_both_units_of_one_transcription(client: TestClient, model_path: Path, wav: bytes) -> None:
    result_id = client.post("/transcribe", files={"file": wav}).json()["id"]
    characters, phonemes = (
        client.get("/probs", params={"id": result_id, "unit": unit}).json()
        for unit in ("character", "phoneme")
    )
    assert characters["shape"] == [38, 29]
    assert phonemes["shape"] == [38, 40]
    assert phonemes["unit"] == "phoneme"
    assert phonemes["symbols"] == [*ARPABET.symbols, "<blank>"]
    [posteriors] = Recognizer(model_path).posteriors([load(wav, 16000).samples])
    assert posteriors.phonemes is not None
    np.testing.assert_allclose(np.array(phonemes["probs"]), posteriors.phonemes.probs, atol=2e-6)
    np.testing.assert_allclose(np.array(characters["probs"]), posteriors.probs, atol=2e-6)


def test_every_format_of_phonemes(client: TestClient, wav: bytes) -> None:
    result_id = client.post("/transcribe", files={"file": wav}).json()["id"]
    query = {"id": result_id, "unit": "phoneme"}
    rows = client.get("/probs", params=query).json()["probs"]
    npy = client.get("/probs", params={**query, "format": "npy"})
    np.testing.assert_allclose(np.load(io.BytesIO(npy.content)), rows, atol=1e-6)
    header, first, *_ = client.get("/probs", params={**query, "format": "csv"}).text.splitlines()
    assert header.split(",") == ["time_s", *ARPABET.symbols, "blank"]
    assert [float(cell) for cell in first.split(",")] == [0.0, *rows[0]]
    png = client.get("/probs", params={**query, "format": "png"})
    assert png.content.startswith(b"\x89PNG")
    assert png.content != client.get("/probs", params={"id": result_id, "format": "png"}).content
    chosen = client.get("/probs", params={**query, "symbols": "NG,blank", "top_k": 1}).json()
    assert chosen["symbols"] == ["NG", "<blank>"]


def test_the_model_names_its_phonemes(client: TestClient) -> None:
    spec = client.get("/model").json()["spec"]
    assert spec["phonemes"] == {"symbols": list(ARPABET.symbols)}


def test_the_warm_up_looks_at_both(model_path: Path) -> None:
    with model_threads(1) as threads:
        assert run_warmup(RecordingRecognizer(Recognizer(model_path), threads, 60.0)).frames == 25
