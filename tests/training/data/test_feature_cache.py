from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from otoscope import FeatureSpec, audio, features
from otoscope.errors import ManifestError
from training.data.feature_cache import feature_pack
from training.data.utterances import Clip

SPEC = FeatureSpec()


@pytest.fixture
def recordings(tmp_path: Path) -> list[Clip]:
    rng = np.random.default_rng(0)
    paths = [tmp_path / f"{n}.wav" for n in (1600, 4000, 200)]
    for path in paths:
        soundfile.write(path, 0.1 * rng.standard_normal(int(path.stem)), 16000)
    return [Clip(path) for path in paths]


def test_a_pack_holds_raw_log_mel(tmp_path: Path, recordings: list[Clip]) -> None:
    pack = feature_pack(recordings, SPEC, tmp_path / "cache", name="x", workers=1)
    assert len(pack) == 3
    samples = audio.load(recordings[1].audio, 16000).samples
    np.testing.assert_array_equal(pack[1], features.log_mel(samples, SPEC))
    assert pack.frames.tolist() == [10, 25, 2]  # the last is padded to one window


def test_content_definition_and_speed_make_new_packs(
    tmp_path: Path, recordings: list[Clip]
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
    soundfile.write(recordings[0].audio, np.zeros(1600), 16000)
    feature_pack(recordings, SPEC, cache, name="x", workers=1)
    assert packs() == 4


@pytest.mark.parametrize("speed", [0.9, 1.1])
def test_at_any_speed_what_changes_the_features_makes_a_new_pack(
    tmp_path: Path, recordings: list[Clip], speed: float
) -> None:
    cache = tmp_path / "cache"

    def pack(clips: list[Clip], spec: FeatureSpec = SPEC) -> np.ndarray:
        return feature_pack(clips, spec, cache, name="x", speed=speed, workers=1).rows

    before = pack(recordings)
    swapped = pack(recordings[::-1])
    assert swapped.shape == before.shape
    assert not np.array_equal(swapped, before)
    assert not np.array_equal(pack(recordings, replace(SPEC, preemphasis=0.0)), before)
    soundfile.write(recordings[1].audio, np.zeros(4000), 16000)
    assert not np.array_equal(pack(recordings), before)


def test_speeds_that_begin_alike_have_packs_of_their_own(
    tmp_path: Path, recordings: list[Clip]
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
    with pytest.raises(ManifestError, match=r"1 that are not: .*wrong\.wav"):
        feature_pack([Clip(wrong)], SPEC, tmp_path / "cache", name="x", workers=1)
    assert not (tmp_path / "cache").exists()


def test_parts_of_a_recording_have_their_own_features(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path = tmp_path / "long.wav"
    soundfile.write(path, 0.1 * rng.standard_normal(32000), 16000, subtype="FLOAT")
    clips = [Clip(path, 0.5, 0.25), Clip(path, 1.25), Clip(path), Clip(path, 0, 0.25)]
    pack = feature_pack(clips, SPEC, tmp_path / "cache", name="x", workers=1)
    assert pack.frames.tolist() == [25, 75, 200, 25]
    samples = audio.load(path, 16000).samples
    for index, part in enumerate((samples[8000:12000], samples[20000:], samples, samples[:4000])):
        np.testing.assert_array_equal(pack[index], features.log_mel(part, SPEC))
    fast = feature_pack(clips, SPEC, tmp_path / "cache", name="x", speed=2.0, workers=1)
    assert fast.frames.tolist() == [12, 37, 100, 12]


def test_other_parts_make_a_new_pack(tmp_path: Path, recordings: list[Clip]) -> None:
    names = {
        feature_pack([clip], SPEC, tmp_path / "cache", name="x", workers=1).name
        for clip in (
            recordings[1],
            replace(recordings[1], start_s=0.1),
            replace(recordings[1], start_s=0.1, duration_s=0.1),
            replace(recordings[1], duration_s=0.1),
        )
    }
    assert len(names) == 4


@pytest.mark.parametrize("clip", [(2.5, 1.0), (1.0, 2.0), (2.0, None)])
def test_a_part_beyond_the_end_is_refused(tmp_path: Path, clip: tuple[float, float | None]) -> None:
    path = tmp_path / "two.wav"
    soundfile.write(path, np.zeros(32000), 16000)
    with pytest.raises(
        ManifestError, match=r"two\.wav: expected speech from .* got a file of 2.00"
    ):
        feature_pack([Clip(path, *clip)], SPEC, tmp_path / "cache", name="x", workers=1)


def test_ends_may_be_rounded(tmp_path: Path) -> None:
    path = tmp_path / "two.wav"
    soundfile.write(path, np.zeros(32000), 16000)
    pack = feature_pack([Clip(path, 1.0, 1.04)], SPEC, tmp_path / "cache", name="x", workers=1)
    assert pack.frames.tolist() == [100]
