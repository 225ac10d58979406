"""Prefix beam search: the most probable texts, with a word language model or without.

Hannun et al. 2014 ("First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional
Recurrent DNNs"), algorithm 1: the probabilities of all alignments of a text add up, those that end
in a blank apart from those that end in its last letter. Texts are ranked by

    acoustic + lm_weight * lm + word_bonus * words

Letters of a word that is not in the language model's vocabulary may go on: the word then counts as
unknown and costs `unknown_penalty` besides. Until a word is complete, the best unigram that its
letters can still become stands in for it.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from otoscope import ctc
from otoscope.alphabet import Alphabet
from otoscope.decoding.lexicon import OUTSIDE, ROOT, Lexicon, build_lexicon
from otoscope.decoding.ngram import END, UNKNOWN, NgramModel, State
from otoscope.decoding.paths import transcript_of
from otoscope.errors import SpecError
from otoscope.posteriors import Posteriors
from otoscope.transcript import Transcript

_NEVER = float("-inf")


@dataclass(frozen=True)
class BeamOptions:
    """How to search.

    Attributes:
        beam_width: texts kept after each frame.
        lm_weight: of the language model's natural log probability.
        word_bonus: added for each word, against the model's love of few words.
        unknown_penalty: taken off for each word outside the vocabulary, besides its P(<unk>).
        n_best: hypotheses returned.
        min_log_prob: symbols less probable than this in a frame are not tried there.
        beam_threshold: texts this much behind the best are dropped; both natural logs.
    """

    beam_width: int = 60
    lm_weight: float = 0.6
    word_bonus: float = 0.0
    unknown_penalty: float = 15.0
    n_best: int = 1
    min_log_prob: float = -6.0
    beam_threshold: float = 14.0

    def __post_init__(self) -> None:
        """Refuse what can't be searched."""
        if not 1 <= self.n_best <= self.beam_width:
            raise SpecError(
                "expected beam_width >= n_best >= 1, "
                f"got beam_width {self.beam_width} and n_best {self.n_best}"
            )


@dataclass(frozen=True)
class Hypothesis:
    """One text that may have been said, with its score taken apart.

    Attributes:
        transcript: text, words and characters along the best alignment.
        acoustic: natural log P(text | X) as far as the search followed it.
        lm: natural log probability of the words; 0 without a language model.
        bonus: word_bonus and unknown_penalty of its words together.
        score: acoustic + lm_weight * lm + bonus.
    """

    transcript: Transcript
    acoustic: float
    lm: float
    bonus: float
    score: float


class LanguageModel:
    """An n-gram model and the lexicon of its words in an alphabet. Shared between threads."""

    def __init__(self, ngrams: NgramModel, alphabet: Alphabet) -> None:
        self.ngrams = ngrams
        letters = set(alphabet.symbols) - {" "}
        self.lexicon: Lexicon = build_lexicon(
            [
                (word, ngrams.numbers[word], float(ngrams.unigrams[ngrams.numbers[word], 0]))
                for word in ngrams.vocabulary
                if letters.issuperset(word)
            ]
        )

    @cached_property
    def unknown(self) -> int:
        """Number of <unk>."""
        return self.ngrams.numbers[UNKNOWN]

    @cached_property
    def end(self) -> int:
        """Number of </s>."""
        return self.ngrams.numbers[END]


class _Prefix:
    """A text that a path may have spelled so far.

    `blank` and `letter` are log probabilities of its alignments that end in a blank or in its last
    letter; `context` is what the language model adds to both.
    """

    __slots__ = (
        "blank", "bonus", "children", "context", "label", "letter", "lm", "next_blank",
        "next_letter", "node", "parent", "state",
    )  # fmt: skip

    def __init__(self, parent: "_Prefix | None", label: int) -> None:
        self.parent = parent
        self.label = label
        self.children: dict[int, _Prefix] = {}
        self.blank = self.letter = self.next_blank = self.next_letter = _NEVER
        self.lm = self.bonus = self.context = 0.0
        self.node = ROOT
        self.state: State = ()

    def labels(self) -> list[int]:
        out: list[int] = []
        prefix: _Prefix | None = self
        while prefix is not None and prefix.label >= 0:
            out.append(prefix.label)
            prefix = prefix.parent
        return out[::-1]


class BeamDecoder:
    """Posteriors -> the most probable texts. Safe to share between threads."""

    def __init__(
        self, alphabet: Alphabet, options: BeamOptions, language_model: LanguageModel | None = None
    ) -> None:
        self._alphabet = alphabet
        self._options = options
        self._model = language_model
        self._space = alphabet.symbols.index(" ") if " " in alphabet.symbols else -1

    def decode(self, posteriors: Posteriors) -> list[Hypothesis]:
        """The `n_best` most probable texts of one recording, best first, no text twice."""
        beam = self._search(posteriors)
        found: dict[str, Hypothesis] = {}
        for prefix in beam:
            hypothesis = self._hypothesis(prefix, posteriors)
            best = found.get(hypothesis.transcript.text)
            if best is None or best.score < hypothesis.score:
                found[hypothesis.transcript.text] = hypothesis
            if len(found) == self._options.n_best:
                break
        return sorted(found.values(), key=lambda one: -one.score)

    def _search(self, posteriors: Posteriors) -> list[_Prefix]:
        """All texts in the beam after the last frame, with their last words closed, best first."""
        options, blank = self._options, self._alphabet.blank_index
        root = _Prefix(None, -1)
        root.blank = 0.0
        if self._model:
            root.state = self._model.ngrams.start()
        beam = [root]
        for row in posteriors.log_probs:
            tried = np.flatnonzero(row > options.min_log_prob)
            candidates = [(label, float(row[label])) for label in tried.tolist() if label != blank]
            beam = self._prune(self._advance(beam, candidates, row, float(row[blank])))
        return sorted(beam, key=lambda prefix: -self._final(prefix)[0])

    def _advance(
        self,
        beam: list[_Prefix],
        candidates: list[tuple[int, float]],
        row: np.ndarray,
        blank: float,
    ) -> list[_Prefix]:
        """Every text of the beam with every symbol tried: scores of the next frame."""
        active: list[_Prefix] = []

        def activate(prefix: _Prefix) -> None:
            if prefix.next_blank == _NEVER and prefix.next_letter == _NEVER:
                active.append(prefix)

        for prefix in beam:
            total = _add(prefix.blank, prefix.letter)
            activate(prefix)
            prefix.next_blank = total + blank
            if prefix.label >= 0 and prefix.letter > _NEVER:
                stay = prefix.letter + float(row[prefix.label])
                prefix.next_letter = _add(prefix.next_letter, stay)
            for label, log_prob in candidates:
                source = prefix.blank if label == prefix.label else total
                if source == _NEVER or (label == self._space and prefix.label in (-1, label)):
                    continue
                child = prefix.children.get(label)
                if child is None:
                    child = self._extend(prefix, label)
                activate(child)
                child.next_letter = _add(child.next_letter, source + log_prob)
        return active

    def _prune(self, active: list[_Prefix]) -> list[_Prefix]:
        """Move to the next frame with the best of the texts."""
        ranked: list[tuple[float, int, _Prefix]] = []
        for order, prefix in enumerate(active):
            prefix.blank, prefix.letter = prefix.next_blank, prefix.next_letter
            prefix.next_blank = prefix.next_letter = _NEVER
            ranked.append((_add(prefix.blank, prefix.letter) + prefix.context, -order, prefix))
        ranked.sort(reverse=True)
        least = ranked[0][0] - self._options.beam_threshold
        kept = [p for score, _, p in ranked[: self._options.beam_width] if score >= least]
        for _, _, prefix in ranked[len(kept) :]:
            prefix.blank = prefix.letter = _NEVER
        return kept

    def _extend(self, prefix: _Prefix, label: int) -> _Prefix:
        """The text with one more symbol, and what the language model says of it."""
        child = _Prefix(prefix, label)
        prefix.children[label] = child
        if self._model is None:
            child.bonus = prefix.bonus + (self._options.word_bonus if label == self._space else 0.0)
            child.context = child.bonus
            return child
        options = self._options
        if label == self._space:
            child.lm, child.bonus, child.state = self._close_word(prefix, self._model)
            child.context = options.lm_weight * child.lm + child.bonus
            return child
        child.lm, child.bonus, child.state = prefix.lm, prefix.bonus, prefix.state
        lexicon = self._model.lexicon
        child.node = lexicon.step(prefix.node, self._alphabet.symbols[label])
        child.context = options.lm_weight * child.lm + child.bonus
        if child.node == OUTSIDE:
            hope = float(self._model.ngrams.unigrams[self._model.unknown, 0])
            child.context += options.lm_weight * hope - options.unknown_penalty
        else:
            child.context += options.lm_weight * lexicon.hopes[child.node]
        return child

    def _close_word(self, prefix: _Prefix, model: LanguageModel) -> tuple[float, float, State]:
        """Language model score, bonus and state once the word that `prefix` ends in is whole."""
        options = self._options
        number = model.lexicon.words.get(prefix.node)
        bonus = prefix.bonus + options.word_bonus
        if number is None:
            number = model.unknown
            bonus -= options.unknown_penalty
        log_prob, state = model.ngrams.score(prefix.state, number)
        return prefix.lm + log_prob, bonus, state

    def _final(self, prefix: _Prefix) -> tuple[float, float, float]:
        """Score, language model score and bonus at the end of the recording."""
        lm, bonus, state = prefix.lm, prefix.bonus, prefix.state
        in_word = prefix.label not in (-1, self._space)
        if self._model is None:
            bonus += self._options.word_bonus if in_word else 0.0
        else:
            if in_word:
                lm, bonus, state = self._close_word(prefix, self._model)
            lm += self._model.ngrams.score(state, self._model.end)[0]
        acoustic = _add(prefix.blank, prefix.letter)
        return acoustic + self._options.lm_weight * lm + bonus, lm, bonus

    def _hypothesis(self, prefix: _Prefix, posteriors: Posteriors) -> Hypothesis:
        score, lm, bonus = self._final(prefix)
        labels = np.array(prefix.labels(), dtype=np.int64)
        alignment = ctc.viterbi(posteriors.log_probs, labels, self._alphabet.blank_index)
        return Hypothesis(
            transcript=transcript_of(alignment.path, posteriors),
            acoustic=_add(prefix.blank, prefix.letter),
            lm=lm,
            bonus=bonus,
            score=score,
        )


def _add(a: float, b: float) -> float:
    """Log(exp(a) + exp(b))."""
    if a < b:
        a, b = b, a
    return a if b == _NEVER else a + math.log1p(math.exp(b - a))
