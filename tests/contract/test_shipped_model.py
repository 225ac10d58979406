"""The shipped English models: what every caller may rely on, and that they hear English.

8-bit numbers differ between processors, so words are compared with a margin.
"""

import hashlib
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jiwer
import numpy as np
import pytest
from fastapi.testclient import TestClient
from sentence_model import SAID
from signals import RATE_HZ, babble, noise, tone

from otoscope import ENGLISH, Recognizer, greedy, load
from otoscope.decoding.options import BeamOptions, DecodingOptions
from service.app import create_app
from service.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
TOLERANCE = 1e-5
WAVEFORMS = [
    babble(3.3),
    noise(0.025),  # one window
    babble(0.4, seed=3),
    tone(440, 1.7),
    np.zeros(16000, dtype=np.float32),
    noise(2.123, amplitude=0.9, seed=4).clip(-1, 1),
]
SCRIPT = """
import json, sys
import numpy as np
from otoscope import Recognizer, greedy
recognizer = Recognizer(sys.argv[1])
samples = 0.1 * np.random.default_rng(0).standard_normal(16000).astype(np.float32)
[posteriors] = recognizer.posteriors([samples])
greedy(posteriors)
print(json.dumps({"frames": len(posteriors.log_probs), "modules": sorted(sys.modules)}))
"""


def test_it_is_what_its_reports_are_about(english, decoder):
    """Calibration and search options lie beside it."""
    assert english.quantized
    assert english.spec.provenance.parameters > 10**6
    assert english.spec.provenance.audio_hours > 1
    assert len(decoder.language_model.ngrams.vocabulary) > 10_000
    assert sorted(decoder.calibration.curves) == ["beam", "beam + LM", "greedy"]
    assert decoder.pronunciations is not None
    assert decoder.beam != BeamOptions()


def test_it_hears_the_sample(english, decoder):
    [posteriors] = english.posteriors([load(ROOT / "examples/sample.flac", RATE_HZ).samples])
    decoded = decoder.decode(posteriors, DecodingOptions())
    assert decoded.decoder == "beam + LM"
    assert jiwer.wer(SAID, decoded.transcript.text) <= 0.2
    assert jiwer.cer(SAID, greedy(posteriors).text) <= 0.2


def test_a_setting_serves_it(shipped_model, tmp_path):
    settings = Settings(
        model_path=shipped_model,
        lm_path=ROOT / "models/english/lm.npz",
        search_processes=0,
        store_path=tmp_path / "results.sqlite3",
    )
    with TestClient(create_app(settings)) as client:
        sent = {"file": (ROOT / "examples/sample.flac").read_bytes()}
        answer = client.post("/transcribe", files=sent).json()
    assert answer["decoder"] == "beam + LM"
    assert answer["model"]["sha256"] == hashlib.sha256(shipped_model.read_bytes()).hexdigest()
    assert jiwer.wer(SAID, answer["text"]) <= 0.2


def test_the_command_finds_it():
    said = ("transcribe", "--style", "verbatim", "examples/sample.flac")
    command = [sys.executable, "-m", "otoscope.cli", *said]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert jiwer.wer(SAID, done.stdout) <= 0.2


def test_its_alphabet_is_english_with_the_blank_last(english):
    assert english.spec.alphabet == ENGLISH


def test_each_row_is_a_distribution(english):
    for posteriors in english.posteriors(WAVEFORMS):
        assert posteriors.log_probs.dtype == np.float32
        assert posteriors.log_probs.shape[1] == 29
        assert (posteriors.log_probs <= TOLERANCE).all()
        np.testing.assert_allclose(posteriors.probs.sum(axis=1), 1, atol=1e-4)


def test_frames_are_the_stride_apart(english):
    stride = english.spec.frame_stride
    for samples, posteriors in zip(WAVEFORMS, english.posteriors(WAVEFORMS), strict=True):
        frames = english.spec.features.frames(samples.size)
        assert posteriors.log_probs.shape[0] == -(-frames // stride)
        assert posteriors.clock.frame_s == pytest.approx(stride * 0.01)
        *_, last_s = posteriors.clock.centers_s(slice(0, len(posteriors.log_probs)))
        assert last_s <= samples.size / 16000


def test_a_batch_equals_its_items_alone(english):
    for samples, together in zip(WAVEFORMS, english.posteriors(WAVEFORMS), strict=True):
        [alone] = english.posteriors([samples])
        assert together.log_probs.shape == alone.log_probs.shape
        assert np.abs(together.log_probs - alone.log_probs).max() <= TOLERANCE
        assert together.clock == alone.clock


def test_neighbours_do_not_matter(english):
    item = english.features(babble(1.1))
    generator = np.random.default_rng(9)
    [expected] = english.run_heads([item])
    for frames in (1, 57, 400):
        garbage = (1e3 * generator.standard_normal((frames, item.shape[1]))).astype(np.float32)
        for batch, place in (([item, garbage], 0), ([garbage, garbage, item], 2)):
            for found, one in zip(english.run_heads(batch)[place], expected, strict=True):
                assert np.abs(found - one).max() <= TOLERANCE


def test_neither_order_nor_repetition_matters(english):
    forwards = english.posteriors([WAVEFORMS[0], WAVEFORMS[2], WAVEFORMS[0]])
    backwards = english.posteriors([WAVEFORMS[2], WAVEFORMS[0]])
    for left, right in ((0, 1), (1, 0), (2, 1)):
        difference = forwards[left].log_probs - backwards[right].log_probs
        assert np.abs(difference).max() <= TOLERANCE


def test_different_sounds_give_different_posteriors(english):
    first, second = english.posteriors([babble(1.0), noise(1.0)])
    assert np.abs(first.log_probs - second.log_probs).max() > 1e-3


def test_several_threads_may_call_one_recognizer(english):
    expected = [english.posteriors([samples])[0].log_probs for samples in WAVEFORMS]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda samples: english.posteriors([samples])[0], WAVEFORMS * 3))
    for index, posteriors in enumerate(found):
        np.testing.assert_allclose(
            posteriors.log_probs, expected[index % len(expected)], atol=TOLERANCE
        )


def test_threads_of_onnxruntime_do_not_change_the_result(english, shipped_model):
    two = Recognizer(shipped_model, threads=2)
    [first], [second] = english.posteriors(WAVEFORMS[:1]), two.posteriors(WAVEFORMS[:1])
    np.testing.assert_allclose(first.log_probs, second.log_probs, atol=TOLERANCE)


def recognized_with(model, home):
    """What SCRIPT tells of a model where the home folder is all that this user could write to."""
    unset = ("NUMBA_CACHE_DIR", "ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME")
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(model)],
        cwd=ROOT,
        env={**environment, "HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_recognition_needs_no_compiler_no_torch_and_no_home(shipped_model):
    """librosa brings numba, which wants seconds and a writable cache; torch is not installed."""
    result = recognized_with(shipped_model, "/nonexistent")
    assert result["frames"] == 25
    loaded = {name.partition(".")[0] for name in result["modules"]}
    assert "onnxruntime" in loaded
    assert loaded.isdisjoint({"librosa", "numba", "torch", "sklearn", "onnx", "fastapi"})


def test_nothing_is_recorded_for_anyone(shipped_model, tmp_path):
    """onnxruntime's telemetry would leave an identifier and an event file in the home."""
    recognized_with(shipped_model, tmp_path)
    assert list(tmp_path.rglob("*")) == []
