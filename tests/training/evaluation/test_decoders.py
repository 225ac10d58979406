from pathlib import Path

import numpy as np
import pytest

from otoscope import Recognizer, load
from otoscope.decoding.beam_decoder import BeamOptions
from otoscope.decoding.ngram import from_arpa
from training.evaluation.decoders import our_systems, pocketsphinx

SAMPLE = Path(__file__).parents[3] / "examples" / "sample.flac"
ARPA = "\\1-grams:\n-99 <s>\n-1 </s>\n-3 <unk>\n-1 was\n-1 time\n-1 home\n-1 father\n"


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    return load(SAMPLE, 16000).samples


def test_ours_are_greedy_and_with_a_model_two_beams(
    english_model: Path, samples: np.ndarray, tmp_path: Path
) -> None:
    arpa, lm = tmp_path / "lm.arpa", tmp_path / "lm.npz"
    arpa.write_text(ARPA)
    from_arpa(arpa).save(lm)
    recognizer = Recognizer(english_model)
    assert [one.name for one in our_systems(recognizer, None, BeamOptions())] == ["greedy"]
    options = BeamOptions(lm_weight=1.0, unknown_penalty=30.0)
    heard = {one.name: one.recognize(samples) for one in our_systems(recognizer, lm, options)}
    assert list(heard) == ["greedy", "beam", "beam + LM"]
    assert set(heard["beam + LM"].split()) <= {"was", "time", "home", "father"}


def test_the_peer_hears_the_sample(english_model: Path, samples: np.ndarray) -> None:
    pytest.importorskip("pocketsphinx")
    text = pocketsphinx(Recognizer(english_model)).recognize(samples)
    assert "father" in text.split()
