"""Parts of transcripts, and transcripts one after another."""

import pytest

from otoscope import greedy
from otoscope.transcript import Transcript, characters_by_word, joined, moved


@pytest.fixture
def said(make_posteriors):
    """Of noise, so with spaces of all kinds: doubled, first and last."""
    return greedy(make_posteriors(frames=400, seed=3))


def spelled(transcript):
    return [
        "".join(each.character for each in word)
        for word in characters_by_word(transcript.characters)
    ]


def check_is_whole(transcript):
    words = [word.word for word in transcript.words]
    assert transcript.text == " ".join(words)
    assert spelled(transcript) == words


def test_parts_have_the_words_and_their_own_characters(said):
    for start, stop in ((0, 1), (2, 5), (0, len(said.words))):
        part = said.part(start, stop)
        check_is_whole(part)
        assert part.words == said.words[start:stop]
        inside = [each for each in said.characters if each in part.characters]
        assert part.characters == tuple(inside)
    assert said.part(1, 3).confidence == pytest.approx(
        (said.words[1].confidence + said.words[2].confidence) / 2
    )


def test_parts_join_to_the_whole(said):
    whole = joined([said.part(0, 3), said.part(3, 4), said.part(4, len(said.words))])
    check_is_whole(whole)
    assert whole.words == said.words
    letters = [each for each in whole.characters if each.character != " "]
    assert letters == [each for each in said.characters if each.character != " "]
    mean = sum(word.confidence for word in said.words) / len(said.words)
    assert whole.confidence == pytest.approx(mean)
    for before, space in zip(whole.characters, whole.characters[1:], strict=False):
        assert space.start_s >= before.start_s


def test_silence_adds_nothing(said):
    silence = Transcript("", None, (), ())
    assert joined([silence, said, silence]) is said
    assert joined([]) == joined([silence, silence]) == silence


def test_later(said):
    for before, after in zip(said.words, moved(said.words, 2.5), strict=True):
        assert (after.start_s, after.end_s) == (before.start_s + 2.5, before.end_s + 2.5)
        assert (after.word, after.confidence) == (before.word, before.confidence)
