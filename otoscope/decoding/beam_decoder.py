"""Beam search: the most probable texts, with a word language model or without.

Texts are ranked by

    acoustic + lm_weight * lm + word_bonus * words - unknown_penalty * unknown words + boosts

where boosts are those of the hot phrases in the text, and acoustic is its log probability under the
scaled posteriors (`otoscope.posteriors.scale_posteriors`). With a rescorer, the one that counts in
the end is the weighted mean of the characters' and the phonemes'.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from otoscope.decoding.greedy import transcript_of_labels
from otoscope.decoding.hotwords import Hotwords, HotwordScorer
from otoscope.decoding.lexicon import SPACE
from otoscope.decoding.options import BeamOptions
from otoscope.decoding.prefix_search import search
from otoscope.decoding.rescoring import PhonemeRescorer
from otoscope.decoding.scorers import CharacterScorer, LanguageModel, Scorer, WordScorer
from otoscope.decoding.segmentation import segments
from otoscope.posteriors import PhonemePosteriors, Posteriors, scale_posteriors
from otoscope.transcript import Transcript
from otoscope.vocabulary import Alphabet

_PRUNING_BEAM = 1000.0
"""A path through its own text is never so far behind, natural log: that is a hundred characters."""


@dataclass(frozen=True)
class Hypothesis:
    """One text that may have been said, with its score taken apart.

    Attributes:
        text: in the alphabet's symbols.
        labels: its classes in the best alignment, perhaps with a space in the end.
        acoustic: natural log probability of the text under the scaled posteriors, as far as the
            search followed it; with a rescorer, the weighted mean of its characters' and its
            phonemes'.
        lm: natural log probability of the words; 0 without a language model.
        bonus: word_bonus, unknown_penalty and boosts of its words together.
        score: acoustic + lm_weight * lm + bonus.
    """

    text: str
    labels: tuple[int, ...]
    acoustic: float
    lm: float
    bonus: float
    score: float

    def align(self, posteriors: Posteriors) -> Transcript:
        """The text with words and characters along its best alignment."""
        labels = np.array(self.labels, dtype=np.int64)
        return transcript_of_labels(labels, posteriors, _PRUNING_BEAM)


class BeamDecoder:
    """Posteriors -> the most probable texts. Safe to share between threads."""

    def __init__(
        self,
        alphabet: Alphabet,
        options: BeamOptions,
        language_model: LanguageModel | None = None,
        hot: Hotwords | None = None,
        *,
        priors: Sequence[float] | None = None,
        rescorer: PhonemeRescorer | None = None,
    ) -> None:
        """Choose what to search by.

        Args:
            alphabet: of the posteriors.
            options: of the search.
            language_model: over the words; without one, characters alone count.
            hot: phrases that are expected.
            priors: mean posterior of each class, the blank last; None if they are not known.
            rescorer: of the best texts' phonemes, if there is one.
        """
        self._alphabet = alphabet
        self._options = options
        self._priors = priors
        self._rescorer = rescorer
        self._scorer: Scorer[Any] = CharacterScorer(alphabet, options)
        if language_model is not None:
            words = hot.words if hot else ()
            self._scorer = WordScorer(alphabet, options, language_model, words)
        if hot is not None:
            self._scorer = HotwordScorer(self._scorer, hot)

    def decode(self, posteriors: Posteriors) -> list[Hypothesis]:
        """The `n_best` most probable texts of one recording, best first, no text twice.

        With a rescorer, a long recording is searched segment by segment, and the texts joined.
        """
        rescored = self._rescorer is not None and posteriors.phonemes is not None
        parts = segments(posteriors) if rescored else [posteriors]
        best, *others = (self._decode_segment(part) for part in parts)
        for other in others:
            best = joined(best, other, self._alphabet, self._options.n_best)
        return best

    def _decode_segment(self, posteriors: Posteriors) -> list[Hypothesis]:
        """The best texts of what is searched in one go."""
        options, rescorer, phonemes = self._options, self._rescorer, posteriors.phonemes
        scaled = scale_posteriors(
            posteriors.log_probs, options.acoustic_scale, self._priors, options.prior_scale
        )
        found = search(scaled, self._alphabet, self._scorer, options)
        lm, bonus = self._scorer.finish(found.state)
        scores = found.acoustic + options.lm_weight * lm + bonus
        order = np.argsort(-scores, kind="stable")
        columns = (each[order].tolist() for each in (found.acoustic, lm, bonus, scores))
        most = max(options.n_best, options.n_rescored) if rescorer and phonemes else options.n_best
        best: dict[str, Hypothesis] = {}
        for labels, *numbers in zip(found.labels(order), *columns, strict=True):
            text = self._alphabet.decode(labels).strip()
            if text not in best:
                best[text] = Hypothesis(text, tuple(labels), *numbers)
            if len(best) == most:
                break
        if rescorer is None or phonemes is None:
            return list(best.values())
        return self._rescored(list(best.values()), rescorer, phonemes)[: options.n_best]

    def _rescored(
        self, hypotheses: list[Hypothesis], rescorer: PhonemeRescorer, phonemes: PhonemePosteriors
    ) -> list[Hypothesis]:
        """In the order of their characters and phonemes together."""
        by_characters = np.array([each.acoustic for each in hypotheses])
        by_phonemes = rescorer.log_probs(
            phonemes, [each.text for each in hypotheses], by_characters
        )
        added = self._options.phoneme_weight * (by_phonemes - by_characters)
        rescored = [
            replace(each, acoustic=each.acoustic + more, score=each.score + more)
            for each, more in zip(hypotheses, added.tolist(), strict=True)
        ]
        return sorted(rescored, key=lambda each: -each.score)


def joined(
    ones: Sequence[Hypothesis], others: Sequence[Hypothesis], alphabet: Alphabet, n_best: int
) -> list[Hypothesis]:
    """The best ways to choose a text of each of two neighbours; scores add up."""
    pairs = sorted(product(ones, others), key=lambda pair: -(pair[0].score + pair[1].score))
    found: dict[str, Hypothesis] = {}
    for one, other in pairs:
        space = SPACE if SPACE in alphabet.symbols and one.text and other.text else ""
        text = one.text + space + other.text
        if text not in found:
            found[text] = Hypothesis(
                text,
                tuple(alphabet.encode(text).tolist()),
                one.acoustic + other.acoustic,
                one.lm + other.lm,
                one.bonus + other.bonus,
                one.score + other.score,
            )
        if len(found) == n_best:
            break
    return list(found.values())
