"""What every store gives back, and to whom: the same tests for each kind."""

import os
import re
import subprocess
import sys
from contextlib import closing

import numpy as np
import pytest
from stores import TTL_S, put, with_phonemes

from otoscope import ARPABET, FeatureSpec, PhonemeSet
from service.errors import UnknownResultError
from service.settings import Settings
from service.store.base import ID_PATTERN, new_id
from service.store.open import open_store

WRITER = """
import sys
import numpy as np
from otoscope import ENGLISH, FeatureMatrix, FeatureSpec, FrameClock, Posteriors
from service.settings import load_settings
from service.store.base import new_id
from service.store.open import open_store

sys.stdin.readline()  # all writers wait here, to start together
store = open_store(load_settings())
for frames in range(1, 31):
    values = np.full((frames, ENGLISH.size), float(sys.argv[1]), dtype=np.float32)
    result_id = new_id()
    posteriors = Posteriors(values, ENGLISH, FrameClock(0.04, 1.0))
    features = FeatureMatrix(np.full((4 * frames, 80), frames, np.float32), FeatureSpec())
    store.put(result_id, posteriors, features, "sha", transcription=result_id.encode())
    assert store.get(result_id).log_probs.shape[0] == frames
    assert store.features(result_id).values.shape[0] == 4 * frames
    assert store.transcription(result_id) == result_id.encode()
    print(result_id, frames)
"""


def test_ids_differ_and_fit_their_pattern():
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch(ID_PATTERN, each) for each in ids)


def test_check_passes(stores):
    stores.open().check()


@pytest.mark.parametrize("frames", [0, 50])
def test_posteriors_come_back_bit_for_bit(stores, make_posteriors, frames):
    store, kept = stores.open(), make_posteriors(frames=frames)
    found = store.get(put(store, kept))
    assert found.log_probs.dtype == np.float32
    assert found.log_probs.shape == kept.log_probs.shape
    np.testing.assert_array_equal(found.log_probs, kept.log_probs)
    assert (found.alphabet, found.clock, found.phonemes) == (kept.alphabet, kept.clock, None)


@pytest.mark.parametrize(
    "spec",
    [
        FeatureSpec(),
        FeatureSpec(kind="mfcc", n_mfcc=13),
        FeatureSpec(
            n_mels=2, normalisation="corpus", corpus_mean=(0.1, -0.2), corpus_std=(1.5, 2.0)
        ),
    ],
    ids=["log-mel", "mfcc", "corpus"],
)
def test_features_come_back_bit_for_bit(stores, make_posteriors, make_features, spec):
    store, kept = stores.open(), make_features(spec=spec)
    found = store.features(put(store, make_posteriors(), kept))
    assert found.spec == spec
    assert found.values.dtype == np.float32
    np.testing.assert_array_equal(found.values, kept.values)


@pytest.mark.parametrize("frames", [0, 50])
def test_phonemes_come_back_beside_the_characters(stores, make_posteriors, frames):
    store = stores.open()
    for phonemes in (ARPABET, PhonemeSet(("x", "y"))):
        kept = with_phonemes(make_posteriors(frames=frames), phonemes)
        found = store.get(put(store, kept))
        np.testing.assert_array_equal(found.log_probs, kept.log_probs)
        np.testing.assert_array_equal(found.phonemes.log_probs, kept.phonemes.log_probs)
        assert found.phonemes.phonemes == phonemes


def test_an_hour_of_both_matrices_comes_back(stores, make_posteriors):
    """10 MB of characters and 14 MB of phonemes."""
    store = stores.open(max_bytes=2**30)
    kept = with_phonemes(make_posteriors(frames=90_000))
    found = store.get(put(store, kept))
    np.testing.assert_array_equal(found.log_probs, kept.log_probs)
    np.testing.assert_array_equal(found.phonemes.log_probs, kept.phonemes.log_probs)


def test_transcription_comes_back_byte_for_byte(stores, make_posteriors):
    store = stores.open()
    text = '{"text": "naïve"}'.encode()
    assert store.transcription(put(store, make_posteriors(), transcription=text)) == text


def test_what_is_known_without_the_matrices(stores, make_posteriors):
    store = stores.open()
    result_id = put(store, make_posteriors())
    stores.advance(TTL_S / 2)
    kept = store.find(result_id)
    assert (kept.model_sha256, kept.duration_s) == ("sha", 2.0)
    assert 0 < kept.expires_in_s <= TTL_S / 2


def test_reopened_store_still_has_it(stores, make_posteriors):
    result_id = put(stores.open(), make_posteriors())
    assert stores.open().get(result_id).log_probs.shape == (50, 29)


@pytest.mark.parametrize("ask", ["find", "get", "features", "transcription"])
def test_id_that_never_was(stores, ask):
    with pytest.raises(UnknownResultError):
        getattr(stores.open(), ask)(new_id())


def chosen(stores):
    """Settings of these stores."""
    return {name.removeprefix("OTOSCOPE_").lower(): at for name, at in stores.variables.items()}


def test_processes_share_one_store(stores):
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, f"-{level}.5"],
            env={**os.environ, **stores.variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for level in range(2)
    ]
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    outputs = [writer.communicate(timeout=60)[0] for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0]
    with closing(open_store(Settings(**chosen(stores)))) as store:
        assert store.usage().results == 60
        for level, output in enumerate(outputs):
            lines = output.splitlines()
            assert len(lines) == 30
            for line in lines:
                result_id, frames = line.split()
                log_probs = store.get(result_id).log_probs
                assert log_probs.shape == (int(frames), 29)
                assert (log_probs == -(level + 0.5)).all()
