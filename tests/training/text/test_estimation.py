"""training.text.kneser_ney, mixture and pruning on small texts, against the definitions."""

import itertools
from collections import Counter

import numpy as np
import pytest

from otoscope.decoding.ngram import END, MARKS, START, UNKNOWN, build_model
from training.text.backoff import keep, log_probs, ngrams_of, with_backoffs
from training.text.corpus import encode, read_sources
from training.text.kneser_ney import count, estimate
from training.text.mixture import mix, weigh
from training.text.pruning import prune

ORDER = 3
LEAST = (1, 1, 1)
BACKWARDS = "jihgfedcba"


def text(seed, words="abcdefghij", sentences=300):
    """Seeded sentences in which words tend to go on in the alphabet's order."""
    rng = np.random.default_rng(seed)
    lines = []
    for _ in range(sentences):
        place, line = int(rng.integers(len(words))), []
        for _ in range(int(rng.integers(1, 9))):
            line.append(words[place])
            place = int(place + 1 + (rng.random() < 0.3) * rng.integers(len(words))) % len(words)
        lines.append(" ".join(line))
    return lines


@pytest.fixture(scope="module")
def sources():
    return read_sources({"one": text(0), "two": text(1, BACKWARDS)}, min_count=1, most=100)


@pytest.fixture(scope="module")
def models(sources):
    words, texts = sources
    return [estimate(each.tokens, len(words) + MARKS, LEAST) for each in texts]


def ngrams(level_ngrams, words):
    names = ["<s>", "</s>", "<unk>", *words]
    return [tuple(names[word] for word in row) for row in level_ngrams.words]


def test_all_ngrams_are_counted(sources):
    words, (one, _) = sources
    levels = count(one.tokens, len(words) + MARKS, ORDER)
    for length, (level, rows) in enumerate(zip(levels[1:], ngrams_of(levels), strict=True), 2):
        spoken = [["<s>", *line.split(), "</s>"] for line in text(0)]
        expected = Counter(
            tuple(line[at : at + length]) for line in spoken for at in range(len(line) - length + 1)
        )
        found = dict(zip(ngrams(rows, words), level.counts.tolist(), strict=True))
        assert found == expected
        suffixes = ngrams_of(levels)[length - 3].words if length > 2 else np.arange(20)[:, None]
        np.testing.assert_array_equal(suffixes[level.suffixes], rows.words[:, 1:])


def sums(levels, words):
    """What the probabilities of all words sum to after each of many histories."""
    size = len(words) + MARKS
    for length in range(3):
        for history in itertools.islice(itertools.permutations(words, length), 0, None, 17):
            before = encode([" ".join(history)], words)[:-1]
            rows = np.array([[*before, word] for word in range(END, size)], dtype=np.int32)
            found = log_probs(levels, rows.ravel()).reshape(rows.shape)[:, -1]
            yield float(np.exp(found).sum())


def assert_sums_are_one(levels, words):
    found = list(sums(levels, words))
    assert len(found) == 8
    assert found == pytest.approx([1.0] * 8)


def test_probabilities_sum_to_one(sources, models):
    words, _ = sources
    for levels in (*models, mix(models, np.array([0.7, 0.3])), prune(models[0], 60)):
        assert_sums_are_one(levels, words)


def test_counts_are_discounted_and_continuations_count(sources):
    """Modified Kneser-Ney by hand: the bigrams of a text of two words, fallback discounts."""
    words, [source] = read_sources({"x": ["a b", "a b", "a a"]}, min_count=1, most=9)
    levels = estimate(source.tokens, len(words) + MARKS, (1, 1))
    # Continuations: a after <s> and a (2), b after a (1), </s> after a and b (2): 5.
    unigram = {"a": (2 - 1.0) / 5, "b": (1 - 0.5) / 5, END: (2 - 1.0) / 5}
    left = (1 - sum(unigram.values())) / 4  # over a, b, </s>, <unk>
    # After a: b twice, a once, </s> once.
    expected = (2 - 1.0) / 4 + (1.0 + 0.5 + 0.5) / 4 * (unigram["b"] + left)
    found = log_probs(levels, encode(["a b"], words))
    assert np.exp(found[2]) == pytest.approx(expected)
    assert words == ("a", "b")


def test_rare_ngrams_may_be_left_out(sources):
    words, (one, _) = sources
    levels = estimate(one.tokens, len(words) + MARKS, (1, 2, 3))
    assert levels[1].counts.min() == 2
    assert levels[2].counts.min() == 3
    assert_sums_are_one(levels, words)


def perplexity(levels, tokens):
    return float(np.exp(-log_probs(levels, tokens).sum() / (tokens != START).sum()))


def test_a_mixture_predicts_what_either_source_may_say(sources, models):
    words, _ = sources
    dev = [encode(text(2, sentences=60), words)] * 3 + [
        encode(text(3, BACKWARDS, sentences=60), words)
    ]
    weights = weigh(models, dev)
    assert weights.sum() == pytest.approx(1)
    assert 0.6 < weights[0] < 0.9  # three of four texts are like it, and each counts alike
    mixed = mix(models, weights)
    together = np.concatenate(dev)
    assert perplexity(mixed, together) < min(perplexity(each, together) for each in models)
    # What the mixture has as n-grams of its own is the mean of its parts.
    rows = ngrams_of(mixed)[-1].words
    rows = rows[(rows[:, 0] == START)].astype(np.int32)
    parts = [np.exp(log_probs(each, rows.ravel())[2::3]) for each in models]
    expected = weights @ np.stack(parts)
    np.testing.assert_allclose(np.exp(log_probs(mixed, rows.ravel())[2::3]), expected, rtol=1e-6)


def test_pruning_keeps_what_is_missed_most(sources, models):
    _, (one, _) = sources
    sizes = [400, 150, 50, 10, 0]
    pruned = [prune(models[0], most) for most in sizes]
    for most, levels in zip(sizes, pruned, strict=True):
        assert sum(level.keys.size for level in levels[1:]) <= most
    found = [perplexity(levels, one.tokens) for levels in pruned]
    assert found == sorted(found)
    rng = np.random.default_rng(0)
    whole = models[0]
    at_random = [np.ones(whole[0].keys.size, bool), rng.random(whole[1].keys.size) < 0.5]
    at_random.append(at_random[1][whole[2].prefixes] & (rng.random(whole[2].keys.size) < 0.5))
    worse = keep(with_backoffs(whole, at_random), at_random)
    better = prune(whole, sum(int(each.sum()) for each in at_random[1:]))
    assert perplexity(better, one.tokens) < perplexity(worse, one.tokens)


def test_the_packed_model_says_the_same(sources, models):
    words, _ = sources
    levels = prune(mix(models, np.array([0.5, 0.5])), 120)
    unigrams = np.stack((levels[0].log_probs, levels[0].log_backoffs), axis=1)
    model = build_model(words, unigrams, ngrams_of(levels))
    for line in text(5, sentences=20):
        expected = log_probs(levels, encode([line], words)).sum()
        assert model.log_prob(line.split()) == pytest.approx(expected, abs=0.3)


def test_rare_words_are_unknown_and_so_are_those_beyond_the_most_frequent():
    texts = {"book": ["a a a b b c", "d b"], "said": ["e"]}
    words, (book, said) = read_sources(texts, min_count=2, most=2, always=("said",))
    assert words == ("a", "e")
    a, e = MARKS, MARKS + 1
    assert said.tokens.tolist() == [START, e, END]
    unknown = [UNKNOWN] * 3
    assert book.tokens.tolist() == [START, a, a, a, *unknown, END, START, *unknown[:2], END]
    assert (book.words, book.sentences) == (8, 2)
