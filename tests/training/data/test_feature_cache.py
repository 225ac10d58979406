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


def test_a_file_that_is_no_audio_fails_and_leaves_no_pack(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.wav"
    wrong.write_text("not audio")
    with pytest.raises(UnreadableAudioError):
        feature_pack([wrong], SPEC, tmp_path / "cache", name="x", workers=1)
    assert list((tmp_path / "cache").iterdir()) == []
