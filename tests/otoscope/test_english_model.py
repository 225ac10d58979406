"""The shipped model: what every caller may rely on."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from signals import babble, noise, tone

from otoscope import ENGLISH, Recognizer

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


@pytest.fixture(scope="module")
def english(english_model):
    return Recognizer(english_model)


@pytest.fixture(scope="module")
def exact():
    """With the weights that the 8-bit model was made from: it alone runs batches as batches."""
    recognizer = Recognizer(ROOT / "models/english/model.onnx")
    assert not recognizer.quantized
    return recognizer


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


def test_a_batch_equals_its_items_alone(exact):
    for samples, together in zip(WAVEFORMS, exact.posteriors(WAVEFORMS), strict=True):
        [alone] = exact.posteriors([samples])
        assert together.log_probs.shape == alone.log_probs.shape
        assert np.abs(together.log_probs - alone.log_probs).max() <= TOLERANCE
        assert together.clock == alone.clock


def test_neighbours_do_not_matter(exact):
    item = exact.features(babble(1.1))
    generator = np.random.default_rng(9)
    [expected] = exact.run_heads([item])
    for frames in (1, 57, 400):
        garbage = (1e3 * generator.standard_normal((frames, item.shape[1]))).astype(np.float32)
        for batch, place in (([item, garbage], 0), ([garbage, garbage, item], 2)):
            for found, one in zip(exact.run_heads(batch)[place], expected, strict=True):
                assert np.abs(found - one).max() <= TOLERANCE


def test_neither_order_nor_repetition_matters(exact):
    forwards = exact.posteriors([WAVEFORMS[0], WAVEFORMS[2], WAVEFORMS[0]])
    backwards = exact.posteriors([WAVEFORMS[2], WAVEFORMS[0]])
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


def test_threads_of_onnxruntime_do_not_change_the_result(english, english_model):
    two = Recognizer(english_model, threads=2)
    [first], [second] = english.posteriors(WAVEFORMS[:1]), two.posteriors(WAVEFORMS[:1])
    np.testing.assert_allclose(first.log_probs, second.log_probs, atol=TOLERANCE)


def test_recognition_needs_no_compiler_no_torch_and_no_home(english_model):
    """librosa brings numba, which wants seconds and a writable cache; torch is not installed."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(english_model)],
        cwd=ROOT,
        env={**environment, "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["frames"] == 25
    loaded = {name.partition(".")[0] for name in result["modules"]}
    assert "onnxruntime" in loaded
    assert loaded.isdisjoint({"librosa", "numba", "torch", "sklearn", "onnx", "fastapi"})


def test_nothing_is_recorded_for_anyone(english_model, tmp_path):
    """onnxruntime's telemetry would leave an identifier and an event file in the home."""
    names = ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME")
    environment = {name: value for name, value in os.environ.items() if name not in names}
    subprocess.run(
        [sys.executable, "-c", SCRIPT, str(english_model)],
        cwd=ROOT,
        env={**environment, "HOME": str(tmp_path)},
        check=True,
        capture_output=True,
    )
    assert list(tmp_path.rglob("*")) == []
