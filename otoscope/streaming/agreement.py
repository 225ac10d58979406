"""Which words of successive hypotheses are certain, and how one goes on behind them.

LocalAgreement-2 (Liu, Spanakis and Niehues 2020, "Low-Latency Sequence-to-Sequence Speech
Recognition and Translation by Partial Hypothesis Selection"; Macháček, Dabre and Bojar 2023,
"Turning Whisper into Real-Time Transcription System"): what two hypotheses in a row begin with is
confirmed.
"""

from collections.abc import Sequence

from otoscope.transcript import Word

_COMPARED_WORDS = 8
"""Confirmed words that are looked for in another hypothesis, the last ones."""

_NEAR_S = 1.0
"""How much earlier a hypothesis may show them."""


def agreed(one: Sequence[Word], other: Sequence[Word], until_s: float) -> int:
    """How many words both begin with that have ended by `until_s` in both."""
    count = 0
    for left, right in zip(one, other, strict=False):
        if left.word != right.word or max(left.end_s, right.end_s) > until_s:
            break
        count += 1
    return count


def words_behind(confirmed: Sequence[Word], words: Sequence[Word]) -> tuple[Word, ...]:
    """The words of a hypothesis that come behind those that are confirmed.

    The hypothesis may have other words in the place of confirmed ones, or other numbers of them. It
    goes on behind the words whose characters are most like the confirmed ones' (Levenshtein); among
    places that are as good, behind what ends nearest to their end.
    """
    known = confirmed[-_COMPARED_WORDS:]
    if not known:
        return tuple(words)
    near_s = known[0].start_s - _NEAR_S
    skipped = sum(word.end_s < near_s for word in words)
    near = words[skipped:]
    edits = _edits("".join(f"{word.word} " for word in known), near)
    ends_s = [near_s, *(word.end_s for word in near)]
    place = min(range(len(edits)), key=lambda j: (edits[j], abs(ends_s[j] - known[-1].end_s)))
    return tuple(near[place:])


def _edits(text: str, words: Sequence[Word]) -> list[int]:
    """Levenshtein's distances of `text` to what the first 0, 1, 2 ... of `words` end with."""
    row = list(range(len(text) + 1))
    distances = [row[-1]]
    for word in words:
        for character in f"{word.word} ":
            above, row = row, [0]
            for i, other in enumerate(text):
                row.append(min(above[i] + (character != other), above[i + 1] + 1, row[i] + 1))
        distances.append(row[-1])
    return distances
