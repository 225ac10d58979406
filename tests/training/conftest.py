"""A run that has learned a language of tones, and another that has learned its phonemes as well."""

import itertools
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="training needs torch")

from tone_runs import CONFIG, EPOCHS, config_path, tones, whole_run

__all__ = ["config_path", "tones", "whole_run"]

PHONEMES = {"a": "LOW1", "b": "MID", "c": "HIGH0", "d": "TOP"}
UNKNOWN = "dd"
"""The one word of the tones that no dictionary lists."""


def write_dictionary(path: Path) -> None:
    """Pronounce every word of up to four letters but one, a phoneme a letter."""
    words = ["".join(w) for n in range(1, 5) for w in itertools.product("abcd", repeat=n)]
    lines = [f"{word} {' '.join(PHONEMES[c] for c in word)}" for word in words if word != UNKNOWN]
    path.write_text("# tones\n" + "\n".join(lines) + "\n", encoding="utf-8")


WEIGHTS = "phoneme_weight = 0.3\nintermediate_weight = 0.1\nconsistency_weight = 0.1"


@pytest.fixture(scope="session")
def phoneme_config_path(tones: Path) -> Path:
    """A configuration that learns the tones as letters and as phonemes."""
    write_dictionary(tones / "tones.dict")
    path = tones / "phonemes.toml"
    text = CONFIG.format(epochs=EPOCHS)
    for old, new in (
        ('noise = "noise.jsonl"', 'noise = "noise.jsonl"\npronunciations = "tones.dict"'),
        ('name = "tones"', 'name = "tones"\nphonemes = ["LOW", "MID", "HIGH", "TOP"]'),
        ("layers = 1", "layers = 1\nphoneme_layer = 1\nintermediate_layer = 1"),
        ("[loop]", f"[loss]\n{WEIGHTS}\n\n[loop]"),
    ):
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return path
