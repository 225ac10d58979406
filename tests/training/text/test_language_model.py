import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from otoscope import ENGLISH
from otoscope.decoding.ngram import NgramModel
from training.text import language_model
from training.text.language_model import EstimationError, build, measure

PHRASE = "the old man sat in the sun"


def novel() -> str:
    """A phrase said often, among seeded words of unequal frequency; one sentence has a digit."""
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("aeioulmnrst"), size=4)) for _ in range(400)]
    lines = []
    for _ in range(600):
        chosen = [words[min(int(rank), 399)] for rank in rng.zipf(1.3, size=8)]
        lines.append(f"{' '.join(chosen).capitalize()}. He said: {PHRASE}! He had 3 dogs.\n")
    return "".join(lines)


HAS_IRSTLM = (language_model.IRSTLM / "bin" / "build-lm.sh").exists()


@pytest.fixture
def sources(tmp_path: Path) -> tuple[list[Path], list[Path]]:
    with gzip.open(tmp_path / "novel.txt.gz", "wt") as file:
        file.write(novel())
    (tmp_path / "train.jsonl").write_text('{"audio_filepath": "x", "text": "Sit in the sun!"}\n')
    return [tmp_path / "novel.txt.gz"], [tmp_path / "train.jsonl"]


def manifest(folder: Path, *texts: str) -> Path:
    path = folder / "dev.jsonl"
    rows = [json.dumps({"audio_filepath": "x", "text": text}) + "\n" for text in texts]
    path.write_text("".join(rows))
    return path


@pytest.mark.skipif(not HAS_IRSTLM, reason="needs irstlm: apt-get install irstlm")
def test_it_learns_what_follows_what(
    sources: tuple[list[Path], list[Path]], tmp_path: Path
) -> None:
    dev = manifest(tmp_path, "the old man sat", "the zebra sat", "Sit in the sun")
    report = build(*sources, ENGLISH, [dev], tmp_path / "out" / "lm.npz", min_count=2)
    model = NgramModel.load(tmp_path / "out" / "lm.npz")
    assert (
        model.log_prob(["the", "old", "man", "sat"])
        > model.log_prob(["man", "the", "sat", "old"]) + 3
    )
    assert "sit" not in model.vocabulary
    assert "dogs" not in model.vocabulary  # a digit stands beside them
    assert report.sentences == 600 * 2  # and what the dev set says is left out as well
    [known] = report.dev
    assert known.unknown_share == pytest.approx(2 / 11)
    written = json.loads((tmp_path / "out" / "lm.json").read_text())
    assert written["dev"][0]["perplexity"] == pytest.approx(known.perplexity)
    expected = measure(model, dev, ENGLISH)
    assert expected == known


@pytest.mark.skipif(not HAS_IRSTLM, reason="needs irstlm: apt-get install irstlm")
def test_too_little_text_is_said(tmp_path: Path) -> None:
    # Each n-gram occurs 30 times or not at all: nothing to estimate discounts from.
    (tmp_path / "note.txt").write_text(f"{PHRASE}. Who is there, {PHRASE}?\n" * 30)
    with pytest.raises(EstimationError, match="enough text"):
        build([tmp_path / "note.txt"], [], ENGLISH, [], tmp_path / "lm.npz", min_count=1)


def test_a_missing_irstlm_is_named(
    sources: tuple[list[Path], list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(language_model, "IRSTLM", tmp_path / "nowhere")
    with pytest.raises(EstimationError, match="apt-get install irstlm"):
        build(*sources, ENGLISH, [], tmp_path / "lm.npz")
