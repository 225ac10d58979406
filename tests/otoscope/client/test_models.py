"""Both clients against a service of two models, and files of several sounds."""

from dataclasses import replace

import pytest
from running_service import running_service
from sentence_model import SPEC, write_sentence_model

from otoscope.client import ProblemError

TEXT = "home to his father"


@pytest.fixture(scope="module")
def two_models(tmp_path_factory, sentence_model):
    german = replace(SPEC, name="german", language="de")
    variables = {
        "OTOSCOPE_MODEL_PATH": str(sentence_model),
        "OTOSCOPE_MODELS": str(write_sentence_model(tmp_path_factory.mktemp("german"), german)),
        "OTOSCOPE_SEARCH_PROCESSES": "0",
    }
    with running_service(tmp_path_factory.mktemp("two") / "store.sqlite3", **variables) as address:
        yield address


def test_a_model_is_chosen(talk, two_models, sample):
    def ask(do):
        return talk(two_models, do)

    assert ask(lambda client: client.model()).name == "english"
    for model in (
        ask(lambda client: client.model("german")),
        ask(lambda client: client.align(sample, TEXT, model="german")).model,
    ):
        assert model.name == "german"
    probs = ask(lambda client: client.probs_of_file(sample, model="german"))
    assert probs.symbols == SPEC.alphabet.class_names
    for do in (
        lambda client: client.model("french"),
        lambda client: client.probs_of_file(sample, model="french"),
        lambda client: client.write_probs(sample, "npy", model="french"),
    ):
        with pytest.raises(ProblemError, match="expected 'english' or 'german', got 'french'"):
            ask(do)


@pytest.mark.parametrize("options", [{"track": 9}, {"channel": 2}])
def test_a_sound_is_chosen_to_align(ask, sample, options):
    with pytest.raises(ProblemError, match=next(iter(options))):
        ask(lambda client: client.align(sample, TEXT, **options))
