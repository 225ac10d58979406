"""Beam search: the most probable texts, with a word language model or without.

Texts are ranked by

    acoustic + lm_weight * lm + word_bonus * words - unknown_penalty * unknown words + boosts

where boosts are those of the hot phrases in the text, and acoustic is its log probability under the
evidence of the posteriors (`otoscope.decoding.scaling`). Where a judge knows how words sound, it
is in the end that of the letters and that of the phonemes together.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import product

import numpy as np

from otoscope import ctc
from otoscope.decoding.hotwords import Hotwords, HotwordScorer
from otoscope.decoding.paths import transcript_of
from otoscope.decoding.prefix_search import Bounds, search
from otoscope.decoding.rescoring import PhonemeRescorer
from otoscope.decoding.scaling import Evidence
from otoscope.decoding.scorers import LanguageModel, LetterScorer, Scorer, Weights, WordScorer
from otoscope.decoding.segmentation import segments
from otoscope.errors import SpecError
from otoscope.posteriors import Posteriors
from otoscope.transcript import Transcript
from otoscope.vocabulary import Alphabet

_MARGIN = 1000.0
"""A path through its own text is never so far behind, natural log: that is a hundred letters."""


@dataclass(frozen=True)
class BeamOptions:
    """How to search. The defaults were chosen on dev manifests for the shipped English model.

    Attributes:
        beam_width: texts kept after each frame.
        lm_weight: of the language model's natural log probability.
        word_bonus: added for each word, against the model's love of few words.
        unknown_penalty: taken off for each word outside the vocabulary, besides its P(<unk>).
        acoustic_scale: of the log posteriors; below 1 flattens them.
        prior_scale: of the symbols' log priors, where they are known, which are taken off.
        n_best: hypotheses returned.
        min_log_prob: symbols less probable than this in a frame are not tried there.
        beam_threshold: texts this much behind the best are dropped; both natural logs.
        phoneme_weight: share of the phonemes in what is acoustic, where they are judged.
        judged: so many of the best texts are.
    """

    beam_width: int = 200
    lm_weight: float = 0.7
    word_bonus: float = 0.0
    unknown_penalty: float = 25.0
    acoustic_scale: float = 0.8
    prior_scale: float = 0.5
    n_best: int = 1
    min_log_prob: float = -5.0
    beam_threshold: float = 11.0
    phoneme_weight: float = 0.5
    n_rescored: int = 100

    def __post_init__(self) -> None:
        """Refuse what can't be searched."""
        if not (self.acoustic_scale > 0 and self.prior_scale >= 0):
            raise SpecError(
                "expected acoustic_scale > 0 and prior_scale >= 0, "
                f"got {self.acoustic_scale} and {self.prior_scale}"
            )
        if not 1 <= self.n_best <= self.beam_width:
            raise SpecError(
                "expected beam_width >= n_best >= 1, "
                f"got beam_width {self.beam_width} and n_best {self.n_best}"
            )


@dataclass(frozen=True)
class Hypothesis:
    """One text that may have been said, with its score taken apart.

    Attributes:
        text: in the alphabet's symbols.
        acoustic: natural log probability of the text under the evidence, as far as the search
            followed it; with a rescorer, the weighted mean of its letters' and its phonemes'.
        lm: natural log probability of the words; 0 without a language model.
        bonus: word_bonus, unknown_penalty and boosts of its words together.
        score: acoustic + lm_weight * lm + bonus.
        align: makes `transcript`.
    """

    text: str
    acoustic: float
    lm: float
    bonus: float
    score: float
    align: Callable[[], Transcript] = field(repr=False, compare=False)

    @cached_property
    def transcript(self) -> Transcript:
        """The text with words and characters along its best alignment, found when asked for."""
        return self.align()


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
            language_model: over the words; without one, letters alone count.
            hot: phrases that are expected.
            priors: mean posterior of each class, the blank last; None if they are not known.
            rescorer: of the best texts' phonemes, if there is one.
        """
        self._alphabet = alphabet
        self._options = options
        self._model = language_model
        self._hot = hot
        self._rescorer = rescorer
        self._evidence = Evidence(
            alphabet.size, options.acoustic_scale, options.prior_scale, priors
        )

    def decode(self, posteriors: Posteriors) -> list[Hypothesis]:
        """The `n_best` most probable texts of one recording, best first, no text twice.

        With a rescorer, a long recording is searched segment by segment, and the texts joined.
        """
        n_best, rescorer = self._options.n_best, self._rescorer
        if rescorer is None or not rescorer.can_rescore(posteriors):
            return self._search(posteriors, n_best)
        parts = [
            self._rescored(
                self._search(part, max(n_best, self._options.n_rescored)), part, rescorer
            )[:n_best]
            for part in segments(posteriors)
        ]
        return parts[0] if len(parts) == 1 else self._joined(parts, posteriors)

    def _search(self, posteriors: Posteriors, most: int) -> list[Hypothesis]:
        """The best texts by their letters, `most` at most."""
        options, scorer = self._options, self._scorer()
        bounds = Bounds(options.beam_width, options.min_log_prob, options.beam_threshold)
        evidence = self._evidence.of(posteriors.log_probs)
        found = search(evidence, self._alphabet.blank_index, scorer, bounds)
        lm, bonus = scorer.finish(found.partials)
        scores = found.acoustic + options.lm_weight * lm + bonus
        hypotheses: dict[str, Hypothesis] = {}
        order = np.argsort(-scores, kind="stable")
        for place, labels in zip(order.tolist(), found.spell(order), strict=True):
            text = self._alphabet.decode(labels).strip()
            if text not in hypotheses:
                hypotheses[text] = Hypothesis(
                    text=text,
                    acoustic=float(found.acoustic[place]),
                    lm=float(lm[place]),
                    bonus=float(bonus[place]),
                    score=float(scores[place]),
                    align=partial(_transcript, labels, posteriors),
                )
            if len(hypotheses) == most:
                break
        return list(hypotheses.values())

    def _rescored(
        self, hypotheses: list[Hypothesis], posteriors: Posteriors, rescorer: PhonemeRescorer
    ) -> list[Hypothesis]:
        """In the order of their letters and phonemes together."""
        letters = np.array([each.acoustic for each in hypotheses])
        phonemes = rescorer.log_probs(posteriors, [each.text for each in hypotheses], letters)
        added = self._options.phoneme_weight * (phonemes - letters)
        judged = [
            replace(each, acoustic=each.acoustic + more, score=each.score + more)
            for each, more in zip(hypotheses, added.tolist(), strict=True)
        ]
        return sorted(judged, key=lambda each: -each.score)

    def _joined(
        self, parts: Sequence[list[Hypothesis]], posteriors: Posteriors
    ) -> list[Hypothesis]:
        """The best of all ways to choose a text of each part; scores add up."""
        best = parts[0]
        for part in parts[1:]:
            pairs = sorted(product(best, part), key=lambda pair: -(pair[0].score + pair[1].score))
            unlike: dict[str, Hypothesis] = {}
            for one, other in pairs:
                both = self._both(one, other)
                unlike.setdefault(both.text, both)
                if len(unlike) == self._options.n_best:
                    break
            best = list(unlike.values())
        return [
            replace(
                each,
                align=partial(_transcript, self._alphabet.encode(each.text).tolist(), posteriors),
            )
            for each in best
        ]

    def _both(self, one: Hypothesis, other: Hypothesis) -> Hypothesis:
        """One after the other; how the two align is nobody's yet."""
        space = " " if " " in self._alphabet.symbols else ""
        return replace(
            one,
            text=space.join(each.text for each in (one, other) if each.text),
            acoustic=one.acoustic + other.acoustic,
            lm=one.lm + other.lm,
            bonus=one.bonus + other.bonus,
            score=one.score + other.score,
        )

    def _scorer(self) -> Scorer:
        options = self._options
        weights = Weights(options.lm_weight, options.word_bonus, options.unknown_penalty)
        scorer: Scorer
        if self._model is None:
            scorer = LetterScorer(self._alphabet, weights)
        else:
            words = self._hot.words if self._hot else ()
            scorer = WordScorer(self._alphabet, weights, self._model, words)
        return HotwordScorer(scorer, self._hot) if self._hot else scorer


def _transcript(labels: list[int], posteriors: Posteriors) -> Transcript:
    """The text at its best alignment. It stands alone so that a hypothesis can be pickled."""
    alignment = ctc.viterbi(
        posteriors.log_probs,
        np.array(labels, dtype=np.int64),
        posteriors.alphabet.blank_index,
        _MARGIN,
    )
    return transcript_of(alignment.path, posteriors)
