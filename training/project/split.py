"""Utterances -> what is learned from and what is chosen by: other speakers, if there are any."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from otoscope.errors import ManifestError
from training.data.utterances import Utterance

_SHARE = 0.1
_MOST_S = 1800.0
_MOST_NAMED = 20
_LARGEST_SPEAKER = 0.25
_LARGEST_SPEAKER_S = 3600.0
"""A speaker with more than this share of all speech, or so much of it, is learned from."""


def held_out(utterances: Sequence[Utterance], speakers: Sequence[str]) -> tuple[list[int], str]:
    """Places of what these speakers say, which is the dev set, and words about it.

    Raises:
        ManifestError: if one of them says nothing, or nobody else says anything.
    """
    known = {one.speaker for one in utterances}
    if missing := sorted(set(speakers) - known):
        names = ", ".join(sorted(known - {""})[:_MOST_NAMED]) or "none with a name"
        raise ManifestError(f"expected dev speakers of {names}, got {', '.join(missing)}")
    if known <= set(speakers):
        raise ManifestError(
            "expected speakers to learn from besides those of the dev set, got none"
        )
    dev = [place for place, one in enumerate(utterances) if one.speaker in speakers]
    return dev, f"dev: {len(dev)} utterances of {', '.join(speakers)}, who are nowhere else"


def split(
    utterances: Sequence[Utterance], durations_s: Sequence[float], seed: int = 1
) -> tuple[list[int], str]:
    """Places of the dev set, a tenth or half an hour, and words about it.

    Whole speakers go there, so that it tells how others will be understood. If all that are known
    say too much to be spared, it is utterances, of texts that nobody says in the rest.
    """
    total_s = sum(durations_s)
    wanted_s = min(_SHARE * total_s, _MOST_S)
    seconds: defaultdict[str, float] = defaultdict(float)
    for one, duration_s in zip(utterances, durations_s, strict=True):
        seconds[one.speaker] += duration_s
    most_s = min(_LARGEST_SPEAKER * total_s, _LARGEST_SPEAKER_S)
    able = sorted(speaker for speaker, s in seconds.items() if speaker and s <= most_s)
    by_speaker = sum(seconds[one] for one in able) >= wanted_s / 2
    keys = [one.speaker if by_speaker else one.text for one in utterances]
    units = able if by_speaker else sorted(set(keys))
    chosen: set[str] = set()
    got_s = 0.0
    order = np.random.default_rng(seed).permutation(len(units))
    sizes: defaultdict[str, float] = defaultdict(float)
    for key, duration_s in zip(keys, durations_s, strict=True):
        sizes[key] += duration_s
    for place in order:
        if got_s >= wanted_s or len(chosen) + 1 == len(sizes):
            break
        chosen.add(units[place])
        got_s += sizes[units[place]]
    dev = [place for place, key in enumerate(keys) if key in chosen]
    if by_speaker:
        who = "1 speaker, who is" if len(chosen) == 1 else f"{len(chosen)} speakers, who are"
        return dev, f"dev: {len(dev)} utterances of {who} nowhere else"
    return dev, (
        f"dev: {len(dev)} utterances, of speakers who are learned from as well, for want of "
        "others: its error rate says little about other voices"
    )
