"""Sentences as they are finished, by a model of pauses: half a second ends one."""

import pytest
from pause_punctuator import write_pause_punctuator

from otoscope import Character, ModelSpec, Transcript, Word
from otoscope.decoding.decoder import DecodeResult
from otoscope.written.punctuator import FILE_NAME
from otoscope.written.sentences import _LOOK_AHEAD_WORDS, _MOST_WORDS, SentenceWriter
from otoscope.written.writer import open_writer


@pytest.fixture
def writer(tmp_path):
    write_pause_punctuator(tmp_path / FILE_NAME)
    return open_writer(ModelSpec(), tmp_path / "model.onnx", None)


@pytest.fixture
def unwritten(tmp_path):
    return open_writer(ModelSpec(), tmp_path / "model.onnx", None)


def result(count, start=0, pauses_s=(0.0, 0.0, 0.0, 0.0, 0.0, 0.2, 0.0, 0.7)):
    """So many words of 0.3 s, as they would be in a long recording from the word `start` on."""
    words, characters, at_s = [], [], 0.0
    for index in range(start + count):
        if index >= start:
            words.append(Word("xy", at_s, at_s + 0.3, 0.5 + 0.01 * (index % 40)))
            if characters:
                characters.append(Character(" ", at_s, at_s, 0.9))
            characters += [Character(each, at_s, at_s + 0.3, 0.9) for each in "xy"]
        at_s += 0.3 + pauses_s[index % len(pauses_s)]
    text = " ".join(word.word for word in words)
    return DecodeResult("greedy", Transcript(text, 0.5, tuple(words), tuple(characters)))


def tell(sentences, sizes):
    told, start = [], 0
    for number, size in enumerate(sizes, start=1):
        said = sentences.feed(result(size, start), last=number == len(sizes))
        told += [] if said is None else [said]
        start += size
    return told


@pytest.mark.parametrize("sizes", [[90], [30, 30, 30], [5] * 18, [1] * 90, [0, 50, 0, 40, 0]])
def test_sentences_told_early_are_those_of_the_whole(writer, sizes):
    sentences = SentenceWriter(writer, None)
    told = tell(sentences, sizes)
    whole, expected = sentences.whole(result(90)), writer.write(result(90))
    assert whole == expected
    assert " ".join(each.text for each in told) == expected.text
    assert [word for each in told for word in each.heard.words] == list(result(90).transcript.words)
    assert [word for each in told for word in each.words] == list(expected.words)
    assert all(each.text.endswith(".") for each in told[:-1])
    assert len(told) > len(sizes) / 20


def test_the_last_words_wait_for_what_follows_them(writer):
    sentences = SentenceWriter(writer, None)
    assert sentences.feed(result(8 + _LOOK_AHEAD_WORDS - 1)) is None
    assert len(sentences.feed(result(1, 8 + _LOOK_AHEAD_WORDS - 1)).heard.words) == 8


def test_who_never_ends_a_sentence_is_told_all_the_same(writer):
    sentences = SentenceWriter(writer, None)
    told = [sentences.feed(result(10, start, pauses_s=(0.0,))) for start in range(0, 300, 10)]
    lengths = [len(each.heard.words) for each in told if each is not None]
    assert lengths == [_MOST_WORDS + 10]


@pytest.mark.parametrize(("style", "warnings"), [(None, 0), ("verbatim", 0), ("written", 1)])
def test_without_a_model_all_is_told_at_once(unwritten, style, warnings):
    sentences = SentenceWriter(unwritten, style)
    told = tell(sentences, [7, 0, 6])
    assert [len(each.heard.words) for each in told] == [7, 6]
    whole = sentences.whole(result(13))
    assert (whole.written, len(whole.warnings), whole.text) == (
        None,
        warnings,
        " ".join(["xy"] * 13),
    )


def test_silence(writer):
    sentences, silence = SentenceWriter(writer, None), result(0)
    assert sentences.feed(silence) is sentences.feed(silence, last=True) is None
    assert sentences.whole(silence) == writer.write(silence)
    assert sentences.whole(silence).words == ()
