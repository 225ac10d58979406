import io
import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from fastapi.testclient import TestClient

from otoscope import Recognizer, load
from otoscope.decoding.arpa import from_arpa
from service.app import create_app
from service.settings import Settings
from training.evaluation.decoders import model_decoder, our_systems

SAMPLE = Path(__file__).parents[3] / "examples" / "sample.flac"
ARPA = "\\1-grams:\n-99 <s>\n-1 </s>\n-3 <unk>\n-1 was\n-1 time\n-1 home\n-1 father\n"


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    return load(SAMPLE, 16000).samples


def test_ours_are_greedy_and_with_a_model_two_beams(
    sentence_model: Path, samples: np.ndarray, tmp_path: Path
) -> None:
    arpa, lm = tmp_path / "lm.arpa", tmp_path / "lm.npz"
    arpa.write_text(ARPA)
    from_arpa(arpa).save(lm)
    recognizer = Recognizer(sentence_model)
    greedy = model_decoder(recognizer, sentence_model, None, {})
    assert list(our_systems(recognizer, greedy)) == ["greedy"]
    search = {"lm_weight": 1.0, "unknown_penalty": 30.0}
    decoder = model_decoder(recognizer, sentence_model, lm, search)
    systems = our_systems(recognizer, decoder)
    assert list(systems) == ["greedy", "beam", "beam + LM"]
    assert set(systems["beam + LM"](samples).split()) <= {"was", "time", "home", "father"}


FORMS = {
    "greedy": {"decoder": "greedy"},
    "beam": {"decoder": "beam", "language_model": "false"},
    "beam + LM": {},
}


@pytest.mark.slow
def test_what_is_evaluated_is_what_is_served(
    sentence_model: Path, samples: np.ndarray, tmp_path: Path
) -> None:
    """The sample, silence, and the sample so often that it is cut for the model and the search."""
    recognizer = Recognizer(sentence_model)
    decoder = model_decoder(recognizer, sentence_model, sentence_model.with_name("lm.npz"), {})
    recordings = [samples, np.zeros(48000, dtype=np.float32), np.tile(samples, 14)]
    settings = Settings(model_path=sentence_model, store_path=tmp_path / "results.sqlite3")
    with TestClient(create_app(settings)) as client:
        systems = our_systems(recognizer, decoder)
        for (name, system), recording in itertools.product(systems.items(), recordings):
            file = io.BytesIO()
            soundfile.write(file, recording, 16000, format="WAV", subtype="FLOAT")
            answer = client.post(
                "/transcribe", files={"file": file.getvalue()}, data=FORMS[name]
            ).json()
            assert answer["decoder"] == name
            assert answer["text"] == system(recording)
            assert bool(answer["text"]) == bool(recording.any())


def test_options_of_a_search_go_before_the_model_s(sentence_model: Path) -> None:
    recognizer, lm = Recognizer(sentence_model), sentence_model.with_name("lm.npz")
    own = model_decoder(recognizer, sentence_model, lm, {}).beam
    assert (own.lm_weight, own.acoustic_scale, own.unknown_penalty) == (0.7, 0.8, 25.0)
    other = model_decoder(recognizer, sentence_model, lm, {"lm_weight": 0.1}).beam
    assert other == replace(own, lm_weight=0.1)
