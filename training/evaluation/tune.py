"""Finds the options of a beam search with which the fewest words are wrong on development sets.

Coordinate descent: each option is moved by a step for as long as that helps, then the steps are
halved. Posteriors are computed once; only the search is repeated, on all processors.
"""

import math
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain
from multiprocessing import get_context
from pathlib import Path

from tqdm import tqdm

from otoscope import Posteriors, Recognizer, longform
from otoscope.decoding.decoder import Decoder
from otoscope.decoding.options import BeamOptions, DecodingOptions
from training.evaluation.decoders import model_decoder
from training.evaluation.evaluate import ReferenceSet, read_references
from training.evaluation.metrics import word_errors

_STEPS = {
    "lm_weight": 0.2,
    "word_bonus": 1.0,
    "acoustic_scale": 0.2,
    "prior_scale": 0.2,
    "unknown_penalty": 5.0,
    "phoneme_weight": 0.2,
}
_LEAST = {"lm_weight": 0.0, "acoustic_scale": 0.05, "prior_scale": 0.0, "phoneme_weight": 0.0}
_MOST = {"phoneme_weight": 1.0}
_CHUNK = 8


@dataclass(frozen=True)
class Tried:
    """Options of a search, and what they give.

    Attributes:
        wers: word error rate of each manifest, as a fraction.
    """

    options: BeamOptions
    wers: tuple[float, ...]

    @property
    def wer(self) -> float:
        """The manifests' mean: each counts the same."""
        return sum(self.wers) / len(self.wers)

    def __str__(self) -> str:
        options = ", ".join(f"{name} {getattr(self.options, name):g}" for name in _STEPS)
        wers = ", ".join(f"{100 * wer:.2f}" for wer in self.wers)
        return f"WER {100 * self.wer:.2f} % ({wers}): {options}"


class Search:
    """Decodes the same posteriors with any options."""

    def __init__(self, model: Path, lm: Path | None, manifests: Sequence[Path]) -> None:
        """Compute the posteriors.

        Args:
            model: exported model.
            lm: its language model; None for none.
            manifests: with texts.
        """
        recognizer = Recognizer(model)
        self.sets = [read_references(path, recognizer.spec) for path in manifests]
        posteriors = [one for each in self.sets for one in _posteriors(recognizer, each)]
        self._pool = ProcessPoolExecutor(
            os.cpu_count(),
            get_context("spawn"),  # onnxruntime has threads, which a forked process lacks
            initializer=_Worker.open,
            initargs=(model, lm, posteriors),
        )
        self._count = len(posteriors)

    def close(self) -> None:
        """End the processes."""
        self._pool.shutdown()

    def decode(self, options: BeamOptions) -> Tried:
        """Decode everything."""
        chunks = [range(at, min(at + _CHUNK, self._count)) for at in range(0, self._count, _CHUNK)]
        work = self._pool.map(_Worker.decode, chunks, [options] * len(chunks))
        texts = chain.from_iterable(
            tqdm(work, total=len(chunks), desc="search", leave=False, disable=None)
        )
        return Tried(options, tuple(_wer(each, texts) for each in self.sets))


class _Worker:
    """What a process of the pool holds."""

    decoder: Decoder
    posteriors: Sequence[Posteriors]

    @classmethod
    def open(cls, model: Path, lm: Path | None, posteriors: Sequence[Posteriors]) -> None:
        """Load the decoder that is served."""
        cls.decoder = model_decoder(Recognizer(model), model, lm, {})
        cls.posteriors = posteriors

    @classmethod
    def decode(cls, places: range, options: BeamOptions) -> list[str]:
        """Texts of some of the posteriors."""
        decoder, asked = replace(cls.decoder, beam=options), DecodingOptions(decoder="beam")
        return [decoder.decode(cls.posteriors[place], asked).transcript.text for place in places]


def tune(search: Search, start: BeamOptions, rounds: int) -> Iterator[Tried]:
    """The start, and each better choice that is found; the last is the best.

    Args:
        search: of the development sets.
        start: options to begin with.
        rounds: how often all options are tried; steps are halved after each.
    """
    best = search.decode(start)
    yield best
    for number in range(rounds):
        for name, step in _STEPS.items():
            for by in (step / 2**number, -step / 2**number):
                before = best
                while (found := _moved(search, best, name, by)).wer < best.wer:
                    best = found
                    yield best
                if best is not before:
                    break  # the other direction is where it came from


def _moved(search: Search, best: Tried, name: str, by: float) -> Tried:
    """The same with one option changed; itself where that may not be."""
    value = round(getattr(best.options, name) + by, 4)
    if not _LEAST.get(name, -math.inf) <= value <= _MOST.get(name, math.inf):
        return best
    return search.decode(replace(best.options, **{name: value}))


def _posteriors(recognizer: Recognizer, references: ReferenceSet) -> Iterator[Posteriors]:
    for samples in tqdm(references.waveforms, desc=references.name, unit="file"):
        yield longform.recognize(recognizer, [samples]).posteriors


def _wer(references: ReferenceSet, texts: Iterator[str]) -> float:
    """Of the next texts, those of this manifest."""
    own = [next(texts) for _ in references.references]
    return word_errors(references.references, own).rate
