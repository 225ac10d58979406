from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from otoscope import FeatureSpec, audio, features
from otoscope.errors import UnreadableAudioError
from training.data.feature_cache import feature_pack

SPEC = FeatureSpec()


@pytest.fixture
def recordings(tmp_path: Path) -> list[Path]:
    rng = np.random.default_rng(0)
    paths = [tmp_path / f"{n}.wav" for n in (1600, 4000, 200)]
    for path in paths:
        soundfile.write(path, 0.1 * rng.standard_normal(int(path.stem)), 16000)
    return paths


def test_a_pack_holds_raw_log_mel(tmp_path: Path, recordings: list[Path]) -> None:
    pack = feature_pack(recordings, SPEC, tmp_path / "cache", name="x", workers=1)
    assert len(pack) == 3
    samples = audio.load(recordings[1], 16000).samples
    np.testing.assert_array_equal(pack[1], features.log_mel(samples, SPEC))
    assert pack.frames.tolist() == [10, 25, 2]  # the last is padded to one window


def test_content_definition_and_speed_make_new_packs(
    tmp_path: Path, recordings: list[Path]
) -> None:
    cache = tmp_path / "cache"

    def packs() -> int:
        return len(list(cache.glob("*.offsets.npy")))

    feature_pack(recordings, SPEC, cache, name="x", workers=1)
    feature_pack(recordings, replace(SPEC, kind="mfcc"), cache, name="x", workers=1)
    assert packs() == 1  # MFCC starts from the same log-mel
    feature_pack(recordings, replace(SPEC, preemphasis=0.0), cache, name="x", workers=1)
    assert packs() == 2
    fast = feature_pack(recordings, SPEC, cache, name="x", speed=2.0, workers=1)
    assert packs() == 3
    assert fast.frames.tolist()[:2] == [5, 12]
    soundfile.write(recordings[0], np.zeros(1600), 16000)
    feature_pack(recordings, SPEC, cache, name="x", workers=1)
    assert packs() == 4


@pytest.mark.parametrize("speed", [0.9, 1.1])
def test_at_any_speed_what_changes_the_features_makes_a_new_pack(
    tmp_path: Path, recordings: list[Path], speed: float
) -> None:
    cache = tmp_path / "cache"

    def pack(paths: list[Path], spec: FeatureSpec = SPEC) -> np.ndarray:
        return feature_pack(paths, spec, cache, name="x", speed=speed, workers=1).rows

    before = pack(recordings)
    swapped = pack(recordings[::-1])
    assert swapped.shape == before.shape
    assert not np.array_equal(swapped, before)
    assert not np.array_equal(pack(recordings, replace(SPEC, preemphasis=0.0)), before)
    soundfile.write(recordings[1], np.zeros(4000), 16000)
    assert not np.array_equal(pack(recordings), before)


def test_speeds_that_begin_alike_have_packs_of_their_own(
    tmp_path: Path, recordings: list[Path]
) -> None:
    speeds = (0.9, 0.95, 1.05, 1.1)
    packs = [
        feature_pack(recordings, SPEC, tmp_path, name="x", speed=speed, workers=1)
        for speed in speeds
    ]
    assert [pack.frames[1] for pack in packs] == [27, 26, 23, 22]


def test_a_file_that_is_no_audio_fails_and_leaves_no_pack(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.wav"
    wrong.write_text("not audio")
    with pytest.raises(UnreadableAudioError):
        feature_pack([wrong], SPEC, tmp_path / "cache", name="x", workers=1)
    assert not (tmp_path / "cache").exists()
