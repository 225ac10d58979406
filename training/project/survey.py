"""What recordings and texts are like, and which of them can't be learned from."""

import math
import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from tqdm import tqdm

from otoscope import audio
from otoscope.audio.decode import AudioDecoder, open_source
from otoscope.errors import OtoscopeError
from otoscope.vocabulary import Alphabet
from training.data.manifest import LeftOut, select
from training.data.utterances import Clip, Utterance, by_file

_RATE_HZ = 16000
_HOP_S = 0.01
_STRIDE = 4
SHORTEST_S, LONGEST_S = 0.2, 24.0
_SLOWEST_CHARACTERS_PER_S = 2.0
_MOST_SHOWN = 5
_MOST_SPEAKERS = 20
_COLORS = ("C0", "C1")
"""Of what is learned from, and of the dev set."""


class Clipped(NamedTuple):
    """A clip as it is heard.

    Attributes:
        problem: why it can't be used, "" if it can.
    """

    duration_s: float
    rate_hz: int
    peak: float
    problem: str


@dataclass(frozen=True)
class Survey:
    """Utterances that can be learned from, with what is known of all.

    Attributes:
        utterances, durations_s: those that are kept.
        left_out: the others, by reason.
        rates_hz: how many files have each rate.
        slow: utterances with little text for their length: cut off, or not all that is said.
        seconds: of all recordings.
    """

    utterances: list[Utterance]
    durations_s: list[float]
    left_out: LeftOut
    rates_hz: Counter[int]
    slow: list[Utterance]
    seconds: float

    @cached_property
    def hours(self) -> float:
        """Of what is kept."""
        return sum(self.durations_s) / 3600

    @property
    def speakers(self) -> Counter[str]:
        """Seconds of each speaker that is named."""
        counts: Counter[str] = Counter()
        for one, duration_s in zip(self.utterances, self.durations_s, strict=True):
            counts[one.speaker] += round(duration_s)
        return counts

    def report(self, name: str) -> str:
        """For people, several lines."""
        named = [speaker for speaker in self.speakers if speaker]
        hours = f"{name}: {len(self.utterances)} utterances, {self.hours:.2f} h"
        lines = [
            self.left_out.report(f"{hours} (of {self.seconds / 3600:.2f} h), {len(named)} speakers")
        ]
        if not named:
            lines.append("  no speakers are named: name them (speaker), if there are several")
        rates = ", ".join(f"{rate} Hz: {count}" for rate, count in self.rates_hz.most_common())
        lines.append(f"  sample rates, files: {rates}")
        if low := sum(count for rate, count in self.rates_hz.items() if rate < _RATE_HZ):
            lines.append(
                f"  {low} files are below {_RATE_HZ} Hz: what is above half their rate is missing"
            )
        if self.slow:
            shown = ", ".join(
                f"{one.text[:40]!r} ({one.audio.name})" for one in self.slow[:_MOST_SHOWN]
            )
            lines.append(
                f"  {len(self.slow)} have little text for their length, listen to some: {shown}"
            )
        return "\n".join(lines)


def survey(utterances: Sequence[Utterance], heard: Sequence[Clipped], alphabet: Alphabet) -> Survey:
    """Sort utterances out by what `listen` heard, and by an alphabet."""
    left_out = LeftOut()
    good = []
    for one, clip in zip(utterances, heard, strict=True):
        if clip.problem:
            left_out.add(clip.problem, one)
        elif clip.peak == 0:
            left_out.add("silent", one)
        else:
            good.append((one, clip.duration_s))
    frames = [round(duration_s / _HOP_S) for _, duration_s in good]
    bounds = SHORTEST_S / _HOP_S, LONGEST_S / _HOP_S
    selection = select([one for one, _ in good], frames, alphabet, _STRIDE, bounds)
    for reason, count in selection.left_out.counts.items():
        left_out.counts[reason] += count
        left_out.examples.setdefault(reason, []).extend(selection.left_out.examples[reason])
    left_out.characters.update(selection.left_out.characters)
    left_out.folded.update(selection.left_out.folded)
    kept = [good[place] for place in selection.kept]
    slow = [
        one for one, duration_s in kept if len(one.text) < _SLOWEST_CHARACTERS_PER_S * duration_s
    ]
    rates = {one.audio: clip.rate_hz for one, clip in zip(utterances, heard, strict=True)}
    return Survey(
        [one for one, _ in kept],
        [duration_s for _, duration_s in kept],
        left_out,
        Counter(rate for rate in rates.values() if rate),
        slow,
        sum(clip.duration_s for clip in heard),
    )


def listen(utterances: Sequence[Utterance]) -> list[Clipped]:
    """Decode all of them once, on all processors."""
    files = by_file([one.clip for one in utterances])
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(_listen, files, chunksize=16)
        bar = tqdm(results, total=len(files), desc="recordings", unit="file")
        return [clip for group in bar for clip in group]


def _listen(clips: Sequence[Clip]) -> list[Clipped]:
    path = clips[0].audio
    if not path.is_file():
        return [Clipped(0.0, 0, 0.0, "no such file")] * len(clips)
    try:
        with open_source(path) as file:
            decoder = AudioDecoder(file, math.inf)
            next(iter(decoder), None)
            rate_hz = decoder.format.sample_rate_hz
        samples = audio.load(path, _RATE_HZ, max_duration_s=math.inf).samples
    except OtoscopeError as error:
        return [Clipped(0.0, 0, 0.0, f"not readable: {error}".splitlines()[0][:100])] * len(clips)
    return [_heard(clip, samples, rate_hz) for clip in clips]


def _heard(clip: Clip, samples: audio.Samples, rate_hz: int) -> Clipped:
    try:
        part = clip.cut(samples, _RATE_HZ)
    except OtoscopeError:
        return Clipped(0.0, rate_hz, 0.0, "ends before its part does")
    peak = float(np.abs(part).max()) if part.size else 0.0
    return Clipped(part.size / _RATE_HZ, rate_hz, peak, "")


def draw(train: Survey, dev: Survey, title: str, path: Path) -> None:
    """Histograms as a picture: lengths, speed of speech, speakers, characters."""
    figure = Figure(figsize=(11, 7), layout="constrained")
    figure.suptitle(title)
    (lengths, speeds), (speakers, characters) = figure.subplots(2, 2)
    parts, names = (train, dev), ("train", "dev")
    durations = [np.array(part.durations_s) for part in parts]
    rates = [
        np.array([len(one.text) for one in part.utterances]) / part_s
        for part, part_s in zip(parts, durations, strict=True)
    ]
    for axes, values in ((lengths, durations), (speeds, rates)):
        axes.hist(values, bins=40, stacked=True, color=_COLORS, label=names)
    lengths.set(title="Lengths", xlabel="s", ylabel="utterances")
    lengths.legend(frameon=False)
    speeds.set(title="Speed of speech", xlabel="characters a second: far from the others, listen")
    spoken = [
        (seconds / 60, name or "not named", color)
        for part, color in zip(parts, _COLORS, strict=True)
        for name, seconds in part.speakers.items()
    ]
    most = sorted(spoken, reverse=True)[:_MOST_SPEAKERS]
    speakers.bar(
        range(len(most)), [minutes for minutes, *_ in most], color=[one[2] for one in most]
    )
    speakers.set_xticks(range(len(most)), [name[:10] for _, name, _ in most], rotation=75)
    speakers.set(title=f"Speakers, {len(most)} of {len(spoken)}", ylabel="minutes")
    texts = [one.text.lower() for part in parts for one in part.utterances]
    counts = Counter(character for text in texts for character in text)
    known = [(one, count) for one, count in counts.most_common(60) if one.isprintable()]
    characters.bar(
        [one if one != " " else "\N{OPEN BOX}" for one, _ in known], [n for _, n in known]
    )
    characters.set(yscale="log", title="Characters in all texts", ylabel="times")
    for axes in (lengths, speeds, speakers, characters):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)
