"""Whole dev sets on a run's page: worst and best utterances, and confusions."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from training.config import TrainingConfig
from training.data.prepare import DevSet
from training.data.utterances import Utterance
from training.evaluation.metrics import aligned, character_errors, confusions, word_errors
from training.run.page_examples import MOST_CHARACTERS, MOST_SYMBOLS, place_words, sound
from training.run.records import DevTexts

WORST, BEST = 6, 4
MOST_PAIRS = 20


@dataclass(frozen=True)
class _Scored:
    """An utterance and its character error rate, as a fraction."""

    dev: str
    utterance: Utterance
    said: str
    recognized: str
    rate: float


def rates(pairs: Sequence[tuple[str, str]]) -> dict[str, float]:
    """Error rates as fractions, by their names, of pairs (reference, recognized)."""
    said, recognized = zip(*pairs, strict=True)
    return {
        "dev CER": character_errors(said, recognized).rate,
        "dev WER": word_errors(said, recognized).rate,
    }


def described(
    recognized: DevTexts, dev: Sequence[DevSet], config: TrainingConfig
) -> dict[str, Any]:
    """Worst and best utterances with audio, and the confusion matrix of characters."""
    scored = sorted(_scored(recognized, dev), key=lambda one: (-one.rate, -len(one.said)))
    worst = [one for one in scored if one.rate > 0][:WORST]
    # The longest of those with the lowest rate: single words are easy.
    best = sorted(scored[len(worst) :], key=lambda one: (one.rate, -len(one.said)))[:BEST]
    rate_hz = config.features.sample_rate_hz
    return {
        "worst": [_shown(one, rate_hz) for one in worst],
        "best": [_shown(one, rate_hz) for one in best],
        "confusions": _confusions(recognized),
    }


def _scored(recognized: DevTexts, dev: Sequence[DevSet]) -> list[_Scored]:
    found = []
    for one in dev:
        pairs = recognized.sets[one.name]
        if pairs:
            errors = character_errors(*zip(*pairs, strict=True))
            rates = (errors.errors / errors.lengths).tolist()
            found += [
                _Scored(one.name, utterance, said, text, rate)
                for utterance, (said, text), rate in zip(one.utterances, pairs, rates, strict=True)
            ]
    return found


def _shown(one: _Scored, rate_hz: int) -> dict[str, Any]:
    return {
        "pairs": aligned(one.said[:MOST_CHARACTERS], one.recognized[:MOST_CHARACTERS]),
        "where": place_words(one.dev, one.utterance),
        "rate": round(one.rate, 4),
        "sound": sound(one.utterance, rate_hz),
    }


def _confusions(recognized: DevTexts) -> dict[str, Any]:
    """Counts of (reference, recognized) for the most frequent symbols, and the worst errors."""
    counts: Counter[tuple[str, str]] = Counter()
    for pairs in recognized.sets.values():
        counts += confusions([said for said, _ in pairs], [text for _, text in pairs])
    said: Counter[str] = Counter()
    for (one, _), count in counts.items():
        said[one] += count if one else 0
    rows = [*sorted(one for one, _ in said.most_common(MOST_SYMBOLS) if one), ""]
    mistakes = Counter({pair: count for pair, count in counts.items() if pair[0] != pair[1]})
    return {
        "symbols": rows,
        "counts": [[counts[one, other] for other in rows] for one in rows],
        "mistakes": [
            [one, other, count, said[one]]
            for (one, other), count in mistakes.most_common(MOST_PAIRS)
        ],
    }
