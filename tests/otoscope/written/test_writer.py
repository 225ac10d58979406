import json
import shutil
from contextlib import contextmanager
from dataclasses import replace

import pytest
from pause_punctuator import SPEC, write_pause_punctuator

from otoscope import Alphabet, ModelSpec, Transcript, Word
from otoscope.decoding.decoder import DecodeResult
from otoscope.errors import ModelFileError
from otoscope.written.punctuator import FILE_NAME
from otoscope.written.spec import PunctuationSpec
from otoscope.written.writer import open_writer

HEARD = (("we", 0.0), ("left", 0.5), ("london", 1.5), ("rained", 1.9))
"""Words of 0.4 s and their starts: a pause of 0.6 s is after the second."""


def result(decoder="greedy"):
    words = tuple(Word(word, start_s, start_s + 0.4, 0.9) for word, start_s in HEARD)
    return DecodeResult(decoder, Transcript(" ".join(w.word for w in words), 0.9, words, ()))


def writer(folder, spec=SPEC, model=None, **others):
    write_pause_punctuator(folder / FILE_NAME, spec)
    return open_writer(model or ModelSpec(), folder / "model.onnx", None, **others)


@pytest.mark.parametrize("style", [None, "written"])
def test_pauses_between_words_are_read(tmp_path, style):
    written = writer(tmp_path).write(result(), style)
    assert written.text == "We left. London rained"
    assert [(word.word, word.start_s) for word in written.words] == [
        *(("We", 0.0), ("left.", 0.5), ("London", 1.5), ("rained", 1.9))
    ]
    assert (written.heard, written.warnings) == (result().transcript, ())


def test_verbatim_is_what_was_heard(tmp_path):
    written = writer(tmp_path).write(result(), "verbatim")
    assert (written.written, written.warnings) == (None, ())
    assert (written.text, written.words) == ("we left london rained", result().transcript.words)


def test_nothing_said_is_nothing_written(tmp_path):
    silence = DecodeResult("greedy", Transcript("", None, (), ()))
    written = writer(tmp_path).write(silence)
    assert written.written is not None
    assert (written.text, written.words) == ("", ())


def test_phrases_of_a_list_stay_as_they_are(tmp_path):
    written = writer(tmp_path).write(result("phrases"))
    assert (written.written, written.text, written.warnings) == (None, "we left london rained", ())
    [warning] = writer(tmp_path).write(result("phrases"), "written").warnings
    assert "phrases of a closed list" in warning


@pytest.mark.parametrize(("style", "warnings"), [(None, 0), ("verbatim", 0), ("written", 1)])
def test_without_a_model_the_text_is_as_heard(tmp_path, style, warnings):
    nobody = open_writer(ModelSpec(), tmp_path / "model.onnx", tmp_path / "lm.npz")
    written = nobody.write(result(), style)
    assert (nobody.punctuator, written.written, written.text) == (
        None,
        None,
        result().transcript.text,
    )
    assert len(written.warnings) == warnings
    assert all(FILE_NAME in warning for warning in written.warnings)


def test_what_is_written_is_timed(tmp_path):
    entered = []

    @contextmanager
    def stage():
        entered.append(1)
        yield

    timed = writer(tmp_path, stage=stage)
    timed.write(result(), "verbatim")
    assert entered == []
    timed.write(result())
    assert entered == [1]


def test_models_of_one_language_may_share_it_as_they_share_the_language_model(tmp_path):
    english, small = tmp_path / "english", tmp_path / "small"
    english.mkdir()
    small.mkdir()
    write_pause_punctuator(english / FILE_NAME)
    shared = open_writer(ModelSpec(), small / "model.onnx", english / "lm.npz")
    assert shared.punctuator.spec.name == "pauses"
    assert open_writer(ModelSpec(), small / "model.onnx", None).punctuator is None
    write_pause_punctuator(small / FILE_NAME, replace(SPEC, name="own"))
    own = open_writer(ModelSpec(), small / "model.onnx", english / "lm.npz")
    assert own.punctuator.spec.name == "own"


@pytest.mark.parametrize(
    ("language", "of_model", "alphabet", "expected"),
    [
        ("", "de", "abc '", "the symbols"),
        ("de", "en", None, "texts in 'en', got one of 'de'"),
        ("en", "de", None, "texts in 'de', got one of 'en'"),
    ],
)
def test_one_of_another_language_is_refused(tmp_path, language, of_model, alphabet, expected):
    spec = replace(SPEC, language=language)
    if alphabet:
        spec = replace(spec, alphabet=Alphabet(tuple(alphabet)))
    with pytest.raises(ModelFileError, match=rf"punctuation\.onnx: expected a punct.*{expected}"):
        writer(tmp_path, spec, ModelSpec(language=of_model))


@pytest.mark.parametrize(("language", "of_model"), [("", "en"), ("en", ""), ("en", "en")])
def test_a_language_that_is_not_known_may_be_any(tmp_path, language, of_model):
    found = writer(tmp_path, replace(SPEC, language=language), ModelSpec(language=of_model))
    assert found.punctuator.spec.language == language


def test_a_damaged_file_is_refused(tmp_path, sentence_model):
    (tmp_path / FILE_NAME).write_bytes(b"nothing")
    with pytest.raises(ModelFileError, match=r"punctuation\.onnx: expected an ONNX model"):
        open_writer(ModelSpec(), tmp_path / "model.onnx", None)
    shutil.copyfile(sentence_model, tmp_path / FILE_NAME)
    with pytest.raises(ModelFileError, match=r"punctuation\.onnx: expected metadata"):
        open_writer(ModelSpec(), tmp_path / "model.onnx", None)


def test_a_file_that_does_not_say_its_language_is_read():
    document = json.loads(SPEC.to_json())
    del document["language"]
    assert PunctuationSpec.from_json(json.dumps(document)) == SPEC
