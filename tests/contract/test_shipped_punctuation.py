"""The shipped punctuation model: people can read what it writes."""

from pathlib import Path

import pytest

from otoscope import Recognizer
from otoscope.written.punctuator import Punctuator
from otoscope.written.text import write
from otoscope.written.writer import open_writer

FOLDER = Path(__file__).resolve().parents[2] / "models/english"
TEXTS = {
    "how are you doctor smith i came to london on the third of may nineteen eighty four": (
        "How are you, Dr. Smith? I came to London on the 3rd of May 1984."
    ),
    "so what do you think about that i think it's great but we should wait until monday": (
        "So what do you think about that? I think it's great, but we should wait until Monday."
    ),
}


@pytest.fixture(scope="module")
def punctuator():
    return Punctuator(FOLDER / "punctuation.onnx")


@pytest.mark.parametrize("heard", TEXTS)
def test_it_writes_as_people_do(punctuator, heard):
    assert str(write(heard.split(), punctuator)) == TEXTS[heard]


@pytest.mark.parametrize("name", ["english", "english-small"])
def test_both_models_write_with_it(name):
    file = FOLDER.parent / name / "model.int8.onnx"
    writer = open_writer(Recognizer(file).spec, file, FOLDER / "lm.npz")
    assert writer.punctuator is not None
    assert writer.punctuator.spec.language == "en"


def test_it_is_small(punctuator):
    assert (FOLDER / "punctuation.onnx").stat().st_size < 6e6
    assert punctuator.spec.words > 10**7
