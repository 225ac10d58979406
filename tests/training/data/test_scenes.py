"""Scenes: what is said stands in the text, and where nothing is said nothing stands there."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from otoscope import load
from otoscope.errors import OtoscopeError
from training.data.manifest import read_manifest
from training.data.scenes import RATE_HZ, make_scenes


@pytest.fixture(scope="module")
def utterances(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three tones of 2 s, each of a pitch of its own, as utterances."""
    folder = tmp_path_factory.mktemp("utterances")
    rows = []
    for pitch_hz in (500, 900, 1400):
        seconds = np.arange(2 * RATE_HZ) / RATE_HZ
        soundfile.write(folder / f"{pitch_hz}.wav", np.sin(2 * np.pi * pitch_hz * seconds), RATE_HZ)
        rows.append({"audio_filepath": f"{pitch_hz}.wav", "text": f"tone {pitch_hz}"})
    manifest = folder / "train.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return manifest


def loudest_hz(samples: np.ndarray) -> list[float]:
    """The strongest frequency of each 0.25 s."""
    parts = samples[: samples.size // 4000 * 4000].reshape(-1, 4000)
    peaks = np.abs(np.fft.rfft(parts * np.hanning(4000))).argmax(axis=1) * RATE_HZ / 4000
    return list(peaks)


def test_a_scene_has_its_utterances_in_the_order_of_the_text(
    utterances: Path, tmp_path: Path
) -> None:
    out = tmp_path / "scenes.jsonl"
    hours = make_scenes([utterances], None, out, count=12, silent_share=0.0)
    scenes = read_manifest(out)
    total_s = 0.0
    for scene in scenes:
        samples = load(scene.audio, RATE_HZ).samples
        total_s += samples.size / RATE_HZ
        peaks = loudest_hz(samples)
        at = 0
        for pitch in scene.text.replace("tone ", "").split():
            near = [abs(peak - int(pitch)) <= 8 for peak in peaks[at:]]
            assert sum(near) >= 6, (scene.text, peaks)
            at += near.index(True) + 6
    assert hours == pytest.approx(total_s / 3600, rel=0.01)
    assert len({scene.audio.suffix for scene in scenes}) >= 3


def test_silent_scenes_have_no_text_and_the_seed_decides(utterances: Path, tmp_path: Path) -> None:
    noise = utterances.with_name("noise.jsonl")
    noise.write_text(json.dumps({"audio_filepath": "500.wav", "text": ""}) + "\n")
    made = []
    for name in ("one", "two"):
        out = tmp_path / name / "scenes.jsonl"
        make_scenes([utterances], noise, out, count=20, silent_share=0.5)
        made.append([(each.text, each.audio.read_bytes()) for each in read_manifest(out)])
    assert [text for text, _ in made[0]] == [text for text, _ in made[1]]
    assert 4 <= sum(not text for text, _ in made[0]) <= 16
    flac = [(one, two) for one, two in zip(*made, strict=True) if one[1].startswith(b"fLaC")]
    assert flac
    assert all(one == two for one, two in flac)  # Ogg draws serial numbers of its own


def test_manifests_without_texts_are_refused(utterances: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_text(json.dumps({"audio_filepath": "x.wav", "text": ""}) + "\n")
    with pytest.raises(OtoscopeError, match="expected utterances with texts"):
        make_scenes([empty], None, tmp_path / "out.jsonl", count=1, silent_share=0.0)
