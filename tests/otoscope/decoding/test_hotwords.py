"""otoscope.decoding.hotwords: boosts that are earned, and lost again."""

import itertools
import math

import numpy as np
import pytest
from beam_oracle import (
    ALPHABET,
    EXHAUSTIVE,
    MODEL,
    PLAIN,
    every_text,
    posteriors,
    random_posteriors,
)

from otoscope import ENGLISH, ctc
from otoscope.decoding.beam_decoder import BeamDecoder
from otoscope.decoding.hotwords import HotwordScorer, hotwords
from otoscope.decoding.options import BeamOptions
from otoscope.decoding.scorers import CharacterScorer, LanguageModel
from otoscope.decoding.trie import Trie
from otoscope.errors import SpecError, UnsupportedTextError
from otoscope.vocabulary import Alphabet

BOOSTS = {"ba": 2.0, "a b": 3.0}


def earned(text):
    """Boosts of the phrases in `text`."""
    spaced = f" {text} ".replace(" ", "  ")
    return sum(
        boost * spaced.count(f" {phrase.replace(' ', '  ')} ") for phrase, boost in BOOSTS.items()
    )


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("model", [None, MODEL], ids=["no model", "model"])
def test_an_exhaustive_beam_counts_boosts_as_they_are_defined(seed, model):
    given = random_posteriors(seed)
    options = BeamOptions(lm_weight=0.7, unknown_penalty=1.5, **EXHAUSTIVE)
    decoder = BeamDecoder(
        ALPHABET, options, model and LanguageModel(model, ALPHABET), hotwords(BOOSTS, ALPHABET)
    )

    def exact(text):
        labels = ALPHABET.encode(text)
        score = ctc.forward_log_prob(given.log_probs, labels, ALPHABET.blank_index) + earned(text)
        if model is None or not text.split():
            return score
        # "ba" and "b" are hot, and so no longer unknown.
        unknown = sum(word not in (*model.vocabulary, "ba", "b") for word in text.split())
        return score + 0.7 * model.log_prob(text.split()) - 1.5 * unknown

    best = max(every_text(), key=exact)
    [found] = decoder.decode(given)
    assert found.text == best.strip()
    assert found.score == pytest.approx(exact(best), abs=1e-4)


def test_a_boost_turns_what_sounds_alike():
    probs = np.full((4, 4), 1e-4)
    probs[0, 0], probs[0, 1] = 0.3, 0.7  # b rather than a
    probs[1, 3] = probs[3, 3] = 1.0
    probs[2, 1] = 1.0
    given = posteriors(np.log(probs))
    hot = hotwords({"ab": 3.0}, ALPHABET)
    assert BeamDecoder(ALPHABET, BeamOptions(**PLAIN)).decode(given)[0].text == "bb"
    [best] = BeamDecoder(ALPHABET, BeamOptions(**PLAIN), hot=hot).decode(given)
    assert best.text == "ab"
    assert best.bonus == pytest.approx(3.0)
    assert best.acoustic == pytest.approx(math.log(0.3), abs=1e-3)


def test_part_of_a_phrase_earns_nothing():
    probs = np.full((3, 4), 1e-9)
    for frame, label in enumerate((0, 2, 0)):  # "a a"
        probs[frame, label] = 1.0
    given = posteriors(np.log(probs))
    [best] = BeamDecoder(ALPHABET, BeamOptions(**PLAIN), hot=hotwords(BOOSTS, ALPHABET)).decode(
        given
    )
    assert best.text == "a a"
    assert best.bonus == 0.0


@pytest.mark.parametrize(
    ("text", "bonus"),
    [
        ("new york", 3.0),
        ("in new new york", 3.0),
        ("bank of england", 5.0),
        ("bank england", 5.0),
        ("bank of america england", 12.0),
        ("a bank of england", 5.0),
        ("banking of england", 5.0),
        ("new england", 5.0),
        ("south york", 0.0),
    ],
)
def test_a_phrase_may_begin_where_another_breaks_off(text, bonus):
    hot = hotwords({"new york": 3.0, "england": 5.0, "bank of america": 7.0}, ENGLISH)
    scorer = HotwordScorer(CharacterScorer(ENGLISH, BeamOptions()), hot)
    state = scorer.start()
    for label in ENGLISH.encode(text):
        state = scorer.extend(state, np.array([0]), np.array([label]))
    assert scorer.finish(state)[1][0] == pytest.approx(bonus)


def test_phrases_that_others_end_with_add_up():
    hot = hotwords({"york": 2.0, "new york": 3.0}, ENGLISH)
    assert _boost(hot, ENGLISH.encode("new york")) == 5.0


def test_phrases_are_normalized():
    hot = hotwords({"B-A!": 2.0, "a": 1.0}, ALPHABET)
    assert hot.phrases == ("b a", "a")
    assert hot.words == ("a", "b")


@pytest.mark.parametrize("boost", [0.0, -1.0, math.inf, math.nan])
def test_a_boost_is_above_zero(boost):
    with pytest.raises(SpecError, match="boost"):
        hotwords({"a": boost}, ALPHABET)


def test_phrases_without_words_are_refused():
    with pytest.raises(SpecError, match="words"):
        hotwords({"...": 1.0}, ALPHABET)
    with pytest.raises(UnsupportedTextError):
        hotwords({"c3": 1.0}, ALPHABET)
    with pytest.raises(SpecError, match="space"):
        hotwords({"a": 1.0}, Alphabet(("a", "b")))


def test_every_mix_of_hot_and_other_words_is_followed():
    hot = hotwords({"ab": 1.0, "abba": 2.0}, ALPHABET)
    ends = {tuple(path) for path in itertools.product((0, 1), repeat=4) if _boost(hot, path)}
    assert ends == {(0, 1, 1, 0)}


def _boost(hot, path):
    node = 1
    for label in path:
        [node] = hot.trie.follow(np.array([node]), np.array([label]))
    return hot.boosts[node]


def test_long_hot_words_take_time_in_proportion(monkeypatch):
    """The edges that a tree had before are looked up once for each of its nodes, and no others."""
    looked_up = []
    child = Trie._child

    def counted(trie, node, label):
        looked_up.append(node)
        return child(trie, node, label)

    monkeypatch.setattr(Trie, "_child", counted)
    phrases = {f"{first} {'bcdef ghi' * 100}": 8.0 for first in "jklmnopqrs"}
    hot = hotwords(phrases, ENGLISH)
    characters = sum(map(len, hot.phrases))
    assert characters > 9000
    assert len(looked_up) <= characters + 64
