"""What a model is scored on."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from otoscope import FeatureSpec, ModelSpec
from otoscope.errors import AudioTooShortError, ManifestError
from otoscope.spec import Provenance
from otoscope.vocabulary import ENGLISH
from training.evaluation.evaluate import read_references


@pytest.fixture
def spec() -> ModelSpec:
    provenance = Provenance(architecture="none", created="2026-01-01", corpora=())
    return ModelSpec("none", FeatureSpec(), ENGLISH, 4, provenance)


@pytest.fixture
def long(tmp_path: Path) -> np.ndarray:
    samples = 0.1 * np.random.default_rng(0).standard_normal(48000).astype(np.float32)
    soundfile.write(tmp_path / "long.wav", samples, 16000, subtype="FLOAT")
    return samples


def manifest(folder: Path, *rows: dict[str, object]) -> Path:
    path = folder / "m.jsonl"
    path.write_text(
        "".join(json.dumps({"audio_filepath": "long.wav", **row}) + "\n" for row in rows)
    )
    return path


def test_parts_are_scored_against_their_own_texts(
    tmp_path: Path, long: np.ndarray, spec: ModelSpec, capsys: pytest.CaptureFixture[str]
) -> None:
    path = manifest(
        tmp_path,
        {"offset": 1.0, "duration": 0.5, "text": "hello"},
        {"offset": 2.0, "text": "World."},
        {"offset": 0, "duration": 1, "text": "7 \u20ac"},
    )
    references = read_references(path, spec)
    assert (references.references, references.left_out) == (("hello", "world"), 1)
    for waveform, expected in zip(
        references.waveforms, (long[16000:24000], long[32000:]), strict=True
    ):
        np.testing.assert_array_equal(waveform, expected)
    assert capsys.readouterr().out.splitlines() == [
        f"{tmp_path.name}/m: 2 utterances; left out: 1 text outside the alphabet",
        "  text outside the alphabet: '7 \u20ac' (long.wav)",
        "  characters that the alphabet lacks: '7' in 1, '\u20ac' in 1",
    ]


def test_a_part_of_no_length_or_beyond_the_end_is_refused(
    tmp_path: Path, long: np.ndarray, spec: ModelSpec
) -> None:
    for row, error in (
        ({"offset": 1.0, "duration": 0.01}, AudioTooShortError),
        ({"offset": 2.0, "duration": 3.0}, ManifestError),
        ({"text": "..."}, ManifestError),
    ):
        with pytest.raises(error):
            read_references(manifest(tmp_path, {"text": "x", **row}), spec)
