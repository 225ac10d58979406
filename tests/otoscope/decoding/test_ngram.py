"""otoscope.decoding.ngram against a model of dictionaries, and on files that are damaged."""

import itertools
import pickle

import numpy as np
import pytest

from otoscope.decoding.ngram import (
    END,
    MARKS,
    START,
    UNKNOWN,
    History,
    NgramModel,
    Ngrams,
    build_model,
    quantize,
)
from otoscope.decoding.ngram_table import build_table, extend_hashes, hash_words
from otoscope.errors import ModelFileError

WORDS = ("a", "b", "c", "d", "e", "f", "g", "ß")
VALUES = -np.arange(1, 40) / 8
"""Few enough for a code book to hold them as they are; float16 does, too."""


def random_model(order, seed=0):
    """n-gram -> log probability and back-off weight; each but its last word is there, too."""
    rng = np.random.default_rng(seed)
    size = MARKS + len(WORDS)
    known = {(word,): tuple(rng.choice(VALUES, 2)) for word in range(size)}
    contexts = list(known)
    for _ in range(2, order + 1):
        longer = [(*context, word) for context in contexts for word in range(size)]
        contexts = [longer[place] for place in rng.permutation(len(longer))[: 3 * size]]
        known |= {ngram: tuple(rng.choice(VALUES, 2)) for ngram in contexts}
    return known


def packed(known):
    rows = np.array([known[(word,)] for word in range(MARKS + len(WORDS))])
    levels = []
    for length in range(2, max(map(len, known)) + 1):
        ngrams = [ngram for ngram in known if len(ngram) == length]
        values = np.array([known[ngram] for ngram in ngrams])
        levels.append(Ngrams(np.array(ngrams), values[:, 0], values[:, 1]))
    return build_model(WORDS, rows, levels)


def log_prob(known, words):
    """Of the last of `words`, by Katz's recursion."""
    if words in known:
        return known[words][0]
    weight = known.get(words[:-1], (0.0, 0.0))[1] if len(words) > 1 else 0.0
    return weight + log_prob(known, words[1:])


@pytest.mark.parametrize("order", [2, 3, 4, 5])
def test_every_history_backs_off_as_the_definition_says(order):
    known = random_model(order)
    model = packed(known)
    assert model.order == order
    rng = np.random.default_rng(1)
    histories = [[]] + [list(rng.integers(1, MARKS + len(WORDS), 6)) for _ in range(300)]
    for before in histories:
        state, spoken = model.start(), (START,)
        for word in before:
            found, state = model.score(state, np.array([word]))
            spoken = (*spoken, int(word))
            expected = log_prob(known, spoken[-order:])
            assert found[0] == pytest.approx(expected, abs=1e-5), spoken


def test_many_texts_at_once_are_scored_as_one_by_one():
    model = packed(random_model(4))
    sentences = list(itertools.product(range(1, MARKS + 3), repeat=3))
    start = model.start()
    state = History(*(np.repeat(each, len(sentences), axis=1) for each in start))
    for step in range(3):
        words = np.array([sentence[step] for sentence in sentences])
        together, state = model.score(state, words)
    for place, sentence in enumerate(sentences):
        one = start
        for word in sentence:
            alone, one = model.score(one, np.array([word]))
        assert together[place] == alone[0]


@pytest.fixture
def path(tmp_path):
    packed(random_model(3)).save(tmp_path / "lm.npz")
    return tmp_path / "lm.npz"


def test_it_survives_saving(path):
    model, again = packed(random_model(3)), NgramModel.load(path)
    assert again.words == model.words
    assert again.vocabulary == WORDS
    assert again.size == len(WORDS)
    for words in (["a", "b"], ["ß"], ["a", "x", "b"], []):
        assert again.log_prob(words) == model.log_prob(words)


def test_another_process_maps_the_same_file(path):
    model = NgramModel.load(path)
    assert not model.table.cells.flags.owndata
    assert not model.table.cells.flags.writeable
    sent = pickle.dumps(model)
    assert len(sent) < 500
    assert pickle.loads(sent).log_prob(["a", "b"]) == model.log_prob(["a", "b"])
    unsaved = packed(random_model(3))
    assert pickle.loads(pickle.dumps(unsaved)).log_prob(["c"]) == unsaved.log_prob(["c"])


def test_a_damaged_file_is_refused(path):
    whole = path.read_bytes()
    model = NgramModel.load(path)
    at = whole.index(model.table.cells.tobytes())
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    with pytest.raises(ModelFileError, match=r"lm\.npz: .*damaged|CRC"):
        NgramModel.load(path)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelFileError, match=r"lm\.npz"):
        NgramModel.load(path)


def test_what_is_no_model_file_is_named(path, tmp_path):
    with pytest.raises(ModelFileError, match="does not exist"):
        NgramModel.load(tmp_path / "none.npz")
    with np.load(path) as arrays:
        members = dict(arrays)
    np.savez_compressed(path, **members)
    with pytest.raises(ModelFileError, match="without compression"):
        NgramModel.load(path)
    np.savez(path, **{**members, "unigrams": members["unigrams"][1:]})
    with pytest.raises(ModelFileError, match="11 words and numbers of shape"):
        NgramModel.load(path)
    np.savez(path, **{**members, "format": np.array(1)})
    with pytest.raises(ModelFileError, match="expected format 2, got 1"):
        NgramModel.load(path)
    path.write_text("no zip")
    with pytest.raises(ModelFileError, match=r"lm\.npz"):
        NgramModel.load(path)


def test_a_table_finds_what_it_holds_and_next_to_nothing_else():
    rng = np.random.default_rng(0)
    ngrams = np.unique(rng.integers(0, 5000, (20_000, 2)), axis=0)
    others = rng.integers(5000, 9000, (200_000, 2))
    codes = rng.integers(0, 64, (2, len(ngrams)))
    hashes = extend_hashes(hash_words(ngrams[:, 1].copy()), ngrams[:, 0].copy())
    table = build_table(hashes, *codes)
    found, *stored = table.lookup(hashes)
    assert found.all()
    np.testing.assert_array_equal(stored, codes)
    found, *_ = table.lookup(extend_hashes(hash_words(others[:, 1].copy()), others[:, 0].copy()))
    assert 0.5 < found.mean() * 4096 < 2
    assert table.cells.size < 4.5 * len(ngrams)
    with pytest.raises(ValueError, match="different"):
        build_table(hashes[[0, 0]], *codes[:, :2])


def test_code_books_are_near_all_values():
    values = np.append(np.random.default_rng(0).normal(-3, 2, 50_000), np.zeros(1000))
    book, codes = quantize(values)
    assert book.size == 64
    assert (book[codes[-1000:]] == 0).all()
    assert np.abs(book[codes] - values).mean() < 0.06
    few = np.array([-1.5, -0.25, 0.0, 2.0])
    book, codes = quantize(few)
    np.testing.assert_array_equal(book[codes], few)


def test_a_sentence_has_an_end():
    known = random_model(2)
    assert packed(known).log_prob(["a"]) == pytest.approx(
        log_prob(known, (START, MARKS)) + log_prob(known, (MARKS, END)), abs=1e-5
    )
    assert packed(known).log_prob(["zebra"]) == pytest.approx(
        log_prob(known, (START, UNKNOWN)) + log_prob(known, (UNKNOWN, END)), abs=1e-5
    )
