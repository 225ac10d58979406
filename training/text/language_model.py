"""Texts -> a small word n-gram model of all of them, and how well it predicts the dev sets."""

import math
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from otoscope.arrays import Floats
from otoscope.decoding.arpa import from_arpa
from otoscope.decoding.ngram import MARKS, NgramModel, build_model
from otoscope.decoding.ngram_table import table_bytes
from otoscope.errors import OtoscopeError
from otoscope.sidecars import write_sidecar
from otoscope.vocabulary import Alphabet
from training.data.manifest import manifest_name, normalize_or_empty, read_manifest
from training.text.backoff import Level, ngrams_of
from training.text.corpus import Source, encode, read_sources
from training.text.kneser_ney import estimate, estimate_words
from training.text.mixture import mix, weigh
from training.text.pruning import prune
from training.text.sentences import held_out, listed_words, sentences

TRANSCRIPTS = "transcripts"
WORD_LISTS = "word lists"

_LARGE_WORDS = 5_000_000
"""N-grams of three words and more that a source of so many words holds just once are left out."""


_OTHER_BYTES = 10_000
"""Code books and headers."""


_LEAST_SHARE = 0.05
"""Of word lists in a mixture: they are given so that their words are found."""


class TextError(OtoscopeError):
    """There is nothing to learn from."""


@dataclass(frozen=True)
class MadeFor:
    """The models that a language model is for: those of an alphabet and a language.

    Attributes:
        language: an ISO 639 code; "" if it is not known.
    """

    alphabet: Alphabet
    language: str = ""


@dataclass(frozen=True)
class LmScore:
    """How well a language model predicts one manifest.

    Attributes:
        perplexity: of its words and sentence ends, sentences with unknown words left out.
        unknown_share: part of its words that are not in the vocabulary.
    """

    manifest: str
    words: int
    perplexity: float
    unknown_share: float

    def __str__(self) -> str:
        unknown = f"{100 * self.unknown_share:.1f} % unknown words"
        return f"{self.manifest}: perplexity {self.perplexity:.0f}, {unknown}"


@dataclass(frozen=True)
class LmSource:
    """One source of a language model, and its share in it."""

    name: str
    weight: float
    running_words: int
    sentences: int

    def __str__(self) -> str:
        return f"{self.name}: {self.running_words} words, weight {self.weight:.3f}"


@dataclass(frozen=True)
class Report:
    """For lm.json beside the model.

    Attributes:
        order: words of the longest n-grams.
        sources: none of a model that another tool has made.
    """

    vocabulary: int
    order: int
    size_bytes: int
    sources: tuple[LmSource, ...]
    dev: tuple[LmScore, ...]


@dataclass(frozen=True)
class LmOptions:
    """What a language model is to be.

    Attributes:
        order: words of the longest n-grams.
        min_count: words rarer than this are unknown words, but for those of transcripts and lists.
        most_words: words that are known at most, the most frequent ones.
        most_bytes: of the file.
    """

    order: int = 4
    min_count: int = 3
    most_words: int = 150_000
    most_bytes: int = 30_000_000


def build(
    texts: Sequence[Path],
    manifests: Sequence[Path],
    made_for: MadeFor,
    dev: Sequence[Path],
    out: Path,
    *,
    word_lists: Sequence[Path] = (),
    leave_out: Sequence[Path] = (),
    options: LmOptions = LmOptions(),
) -> Report:
    """Estimate, mix, prune and write `out` (.npz), and lm.json beside it.

    Args:
        texts: files of plain text, .xz and .gz too, a paragraph a line; each is a source.
        manifests: whose transcripts are one more source.
        made_for: the models that it is for, in whose alphabet sentences have to be written.
        dev: manifests by which sources are weighted; their sentences are left out wherever they
            stand, also where another speaker reads them in a training manifest: what a model is
            measured on must not be in it. Without any, sources count by their words.
        out: the language model.
        word_lists: files of a word a line, perhaps with how often it counts: known words, and if
            there are no texts, all that the model has.
        leave_out: further manifests whose sentences are left out.
        options: of the model.

    Raises:
        TextError: if there are no sentences.
    """
    alphabet = made_for.alphabet
    forbidden = held_out([*dev, *leave_out], alphabet)
    allowed = {
        **{str(path): _without(sentences([path], alphabet), forbidden) for path in texts},
        TRANSCRIPTS: _without(_transcripts(manifests, alphabet), forbidden),
    }
    if word_lists:
        allowed[WORD_LISTS] = listed_words(word_lists, alphabet)
    words, sources = read_sources(
        allowed,
        min_count=options.min_count,
        most=options.most_words,
        always=(TRANSCRIPTS, WORD_LISTS),
    )
    sources = [source for source in sources if source.sentences]
    if not sources:
        raise TextError("expected sentences in the alphabet's symbols, got none")
    spoken = [encode(each, words) for path in dev if (each := [*_sentences_of(path, alphabet)])]
    size = len(words) + MARKS
    models = [_model(each, size, options.order) for each in sources]
    weights = weigh(models, spoken) if spoken else _shares(sources)
    weights = _at_least(weights, [source.name == WORD_LISTS for source in sources])
    levels = prune(mix(models, weights), _most_ngrams(options.most_bytes - _bytes_of(words)))
    unigrams = np.stack((levels[0].log_probs, levels[0].log_backoffs), axis=1)
    used = [
        LmSource(Path(source.name).name, weight, source.words, source.sentences)
        for source, weight in zip(sources, weights.tolist(), strict=True)
    ]
    return _write(build_model(words, unigrams, ngrams_of(levels)), out, used, dev, made_for)


def _without(texts: Iterable[str], forbidden: Set[str]) -> Iterator[str]:
    return (sentence for sentence in texts if sentence not in forbidden)


def pack_arpa(arpa: Path, made_for: MadeFor, dev: Sequence[Path], out: Path) -> Report:
    """Write another tool's model to `out`, and lm.json beside it.

    Its words are spelled in the alphabet's symbols: many such models are in capitals.

    Raises:
        ModelFileError: if it is no ARPA file.
        TextError: if the alphabet can't write most of its words.
    """

    def spelled(word: str) -> str:
        normal = normalize_or_empty(word, made_for.alphabet)
        return word if " " in normal else normal or word

    model = from_arpa(arpa, spelled)
    odd = [word for word in model.vocabulary if not set(word) <= set(made_for.alphabet.symbols)]
    if 2 * len(odd) > len(model.vocabulary):
        raise TextError(
            f"{arpa}: expected words in the alphabet {made_for.alphabet.joined!r}, got "
            f"{len(odd)} of {len(model.vocabulary)} in other symbols: {', '.join(odd[:5])}"
        )
    return _write(model, out, [], dev, made_for)


def _write(
    model: NgramModel,
    out: Path,
    sources: Sequence[LmSource],
    dev: Sequence[Path],
    made_for: MadeFor,
) -> Report:
    out.parent.mkdir(parents=True, exist_ok=True)
    replace(model, language=made_for.language, symbols=made_for.alphabet.joined).save(out)
    saved = NgramModel.load(out)
    report = Report(
        saved.size,
        saved.order,
        out.stat().st_size,
        tuple(sources),
        tuple(measure(saved, path, made_for.alphabet) for path in dev),
    )
    write_sidecar(out.with_name("lm.json"), report)
    return report


def measure(model: NgramModel, manifest: Path, alphabet: Alphabet) -> LmScore:
    """Perplexity and share of unknown words on a manifest's texts."""
    events, words, unknown, log_prob = 0, 0, 0, 0.0
    for sentence in _sentences_of(manifest, alphabet):
        text = sentence.split()
        missing = sum(word not in model.numbers for word in text)
        words += len(text)
        unknown += missing
        if not missing:
            log_prob += model.log_prob(text)
            events += len(text) + 1
    perplexity = math.exp(-log_prob / events) if events else math.inf
    return LmScore(manifest_name(manifest), words, perplexity, unknown / max(words, 1))


def _model(source: Source, size: int, order: int) -> list[Level]:
    if source.name == WORD_LISTS:
        return estimate_words(source.tokens, size, order)
    return estimate(source.tokens, size, _least(source, order))


def _at_least(weights: Floats, listed: Sequence[bool]) -> Floats:
    """Weights among which word lists have their least share."""
    share = float(weights[list(listed)].sum())
    if not any(listed) or all(listed) or share >= _LEAST_SHARE:
        return weights
    others: Floats = weights * (1 - _LEAST_SHARE) / (1 - share)
    return np.where(listed, _LEAST_SHARE, others)


def _least(source: Source, order: int) -> list[int]:
    """How often n-grams of each length have to occur."""
    rare = 2 if source.words >= _LARGE_WORDS else 1
    return [1, 1, *[rare] * order][:order]


def _most_ngrams(size_bytes: int) -> int:
    """How many n-grams a table of so many bytes takes."""
    fits, too_many = 0, max(size_bytes, 1)
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        if table_bytes(middle) <= size_bytes:
            fits = middle
        else:
            too_many = middle
    return fits


def _bytes_of(words: Sequence[str]) -> int:
    """Of what a file holds besides the table."""
    return len("".join(words).encode()) + (1 + 2 * 2) * len(words) + _OTHER_BYTES


def _shares(sources: Sequence[Source]) -> Floats:
    words: Floats = np.array([source.words for source in sources], dtype=np.float64)
    shares: Floats = words / words.sum()
    return shares


def _transcripts(manifests: Sequence[Path], alphabet: Alphabet) -> Iterator[str]:
    for manifest in manifests:
        yield from _sentences_of(manifest, alphabet)


def _sentences_of(manifest: Path, alphabet: Alphabet) -> Iterator[str]:
    texts = (normalize_or_empty(each.text, alphabet) for each in read_manifest(manifest))
    return filter(None, texts)
