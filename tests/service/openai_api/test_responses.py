import math
import zlib
from dataclasses import replace

import numpy as np
import pytest

from otoscope import ENGLISH, FrameClock, ModelSpec, Posteriors, Provenance, greedy
from otoscope.written.text import WrittenText, WrittenToken
from otoscope.written.writer import Written
from service.openai_api.responses import json_answer, model_card, verbose_answer

SPEC = ModelSpec(name="english", provenance=Provenance(created="2024-02-29"))
FRAME_S = 0.04
SURE = 0.9


def heard(path):
    """Posteriors of a path of characters, "_" for the blank, one a frame.

    The chosen class has probability 0.9 everywhere; the others share what is left.
    """
    classes = [ENGLISH.blank_index if c == "_" else ENGLISH.symbols.index(c) for c in path]
    probs = np.full((len(path), ENGLISH.size), (1 - SURE) / (ENGLISH.size - 1))
    probs[np.arange(len(path)), classes] = SURE
    clock = FrameClock(FRAME_S, len(path) * FRAME_S)
    return Posteriors(np.log(probs).astype(np.float32), ENGLISH, clock)


def told(path, *, logprobs):
    posteriors = heard(path)
    return json_answer(Written(greedy(posteriors)), posteriors.clock.duration_s, logprobs=logprobs)


def told_with_times(path, spec=SPEC, granularities=()):
    posteriors = heard(path)
    return verbose_answer(Written(greedy(posteriors)), posteriors, spec, granularities)


def test_logprobs_spell_the_text():
    answer = told("_  _h_e_l_lo_ _ __yes_ _", logprobs=True)
    assert answer.text == "hello yes"
    assert "".join(each.token for each in answer.logprobs) == "hello yes"
    assert all(each.logprob == pytest.approx(math.log(SURE), abs=1e-5) for each in answer.logprobs)
    assert answer.logprobs[0].bytes == [ord("h")]


def test_logprobs_of_silence_are_empty_and_otherwise_absent():
    assert told("__ _", logprobs=True).logprobs == []
    assert told("_a_", logprobs=False).logprobs is None


def test_usage_is_the_length_rounded_up():
    assert told("_" * 51, logprobs=False).usage.seconds == 3


def test_a_segment_by_hand():
    answer = told_with_times("___to_ _be____")
    assert (answer.task, answer.language, answer.text) == ("transcribe", "english", "to be")
    assert answer.duration == pytest.approx(14 * FRAME_S)
    assert answer.words is None
    [segment] = answer.segments
    assert (segment.id, segment.seek, segment.temperature) == (0, 0, 0)
    assert segment.start == pytest.approx(1.5 * FRAME_S)
    assert segment.end == pytest.approx(9.5 * FRAME_S)
    assert segment.text == " to be"
    assert ENGLISH.decode(segment.tokens) == "to be"
    assert segment.avg_logprob == pytest.approx(math.log(SURE), abs=1e-5)
    assert segment.compression_ratio == pytest.approx(5 / len(zlib.compress(b"to be")), abs=1e-4)
    other = (1 - SURE) / (ENGLISH.size - 1)  # frames 2 to 9: _ t o _ space _ b e
    assert segment.no_speech_prob == pytest.approx(SURE**3 * other**5, rel=1e-4)


def test_no_speech_prob_at_the_edges_of_a_recording():
    [segment] = told_with_times("a").segments
    assert segment.no_speech_prob == pytest.approx((1 - SURE) / (ENGLISH.size - 1), rel=1e-4)


def test_a_pause_of_a_second_begins_a_segment():
    short, long = "_" * 25, "_" * 26  # the pause is from the end of one to the start of the next
    assert len(told_with_times(f"a {short}b").segments) == 2
    assert len(told_with_times(f"a{short[:-1]} b").segments) == 1
    parts = told_with_times(f"a{long} b{long} c").segments
    assert [(part.id, part.text) for part in parts] == [(0, " a"), (1, " b"), (2, " c")]


def test_no_segment_is_longer_than_half_a_minute():
    answer = told_with_times("a_b_ _" * 400)  # 96 s without a pause
    assert len(answer.segments) == 4
    assert all(segment.end - segment.start <= 30 for segment in answer.segments)
    assert "".join(segment.text for segment in answer.segments) == f" {answer.text}"


@pytest.mark.parametrize(
    ("granularities", "expected"),
    [((), (True, False)), (("segment",), (True, False)), (("word",), (False, True))],
)
def test_granularities_choose_segments_and_words(granularities, expected):
    answer = told_with_times("to_ _be", granularities=granularities)
    assert (answer.segments is not None, answer.words is not None) == expected


def test_words_have_the_transcripts_times():
    answer = told_with_times("_to_ _be", granularities=("word", "segment"))
    assert len(answer.segments) == 1
    for word, expected in zip(answer.words, greedy(heard("_to_ _be")).words, strict=True):
        assert word.word == expected.word
        assert word.start == pytest.approx(expected.start_s, abs=1e-3)
        assert word.end == pytest.approx(expected.end_s, abs=1e-3)


def test_silence_has_no_segments():
    answer = told_with_times("____", granularities=("word", "segment"))
    assert (answer.text, answer.segments, answer.words) == ("", [], [])


def test_a_model_that_does_not_name_its_language():
    assert told_with_times("a", ModelSpec(name="tiny")).language == "unknown"


def test_model_card_tells_when_the_model_was_made():
    assert model_card(SPEC, "english").created == 1709164800  # 2024-02-29T00:00:00Z
    assert model_card(ModelSpec(), "any").created == 0


def test_avg_logprob_is_of_posteriors_whatever_words_are_calibrated_to():
    posteriors = heard("__to_ _be" + "_" * 30 + " _or_ _not")
    plain = greedy(posteriors)
    calibrated = replace(plain, words=tuple(replace(word, confidence=0.5) for word in plain.words))
    segments = verbose_answer(Written(calibrated), posteriors, SPEC, ()).segments
    assert [segment.text for segment in segments] == [" to be", " or not"]
    for segment in segments:
        assert segment.avg_logprob == pytest.approx(math.log(SURE), abs=1e-5)


def written_answer(path, *tokens, granularities=("word", "segment")):
    """Of tokens (text, heard words, mark)."""
    posteriors = heard(path)
    made, place = [], 0
    for text, words, mark in tokens:
        made.append(WrittenToken(text, place, place + words, mark))
        place += words
    said = Written(greedy(posteriors), WrittenText(tuple(made)))
    return said.heard, verbose_answer(said, posteriors, SPEC, granularities)


def test_segments_of_written_text_are_sentences_whatever_pauses_there_are():
    long = "_" * 30
    plain, answer = written_answer(
        f"at_ _ten_ _am{long} _he_ _left_ _go",
        *(("At", 1, ""), ("10 a.m.", 2, "."), ("He", 1, ""), ("left!", 1, "!"), ("Go", 1, "")),
    )
    assert answer.text == "At 10 a.m. He left! Go"
    assert [segment.text for segment in answer.segments] == [" At 10 a.m.", " He left!", " Go"]
    assert [ENGLISH.decode(segment.tokens) for segment in answer.segments] == [
        *("at ten am", "he left", "go")
    ]
    for segment, (first, last) in zip(answer.segments, ((0, 2), (3, 4), (5, 5)), strict=True):
        assert segment.start == pytest.approx(plain.words[first].start_s, abs=1e-3)
        assert segment.end == pytest.approx(plain.words[last].end_s, abs=1e-3)
        assert segment.avg_logprob == pytest.approx(math.log(SURE), abs=1e-5)
    _, answer = written_answer(f"a{long} _b", ("A", 1, ""), ("b", 1, ""))
    assert [segment.text for segment in answer.segments] == [" A b"]


def test_words_are_those_of_the_written_text():
    plain, answer = written_answer(
        "at_ _ten_ _am_ _he", ("At", 1, ""), ("10 a.m.", 2, "."), ("He", 1, "")
    )
    assert [word.word for word in answer.words] == ["At", "10 a.m.", "He"]
    assert answer.words[1].start == pytest.approx(plain.words[1].start_s, abs=1e-3)
    assert answer.words[1].end == pytest.approx(plain.words[2].end_s, abs=1e-3)


def test_no_sentence_is_longer_than_half_a_minute():
    path = "a_b_ _" * 400
    tokens = [("ab", 1, "")] * len(greedy(heard(path)).words)
    _, answer = written_answer(path, *tokens)
    assert len(answer.segments) == 4
    assert "".join(segment.text for segment in answer.segments) == f" {answer.text}"


def test_logprobs_are_of_what_was_heard():
    posteriors = heard("_b_b_c_")
    said = Written(greedy(posteriors), WrittenText((WrittenToken("BBC.", 0, 1, "."),)))
    answer = json_answer(said, posteriors.clock.duration_s, logprobs=True)
    assert (answer.text, "".join(each.token for each in answer.logprobs)) == ("BBC.", "bbc")
