"""Cached features and labels -> items and padded batches, the same ones for the same seed.

Every random choice depends on (seed, epoch, utterance) alone, so a run that resumes in the middle
of an epoch sees what it would have seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from otoscope import ctc
from otoscope import features as front_end
from otoscope.features import Features, FeatureSpec
from training.augment import mask, mix_noise, random_excerpt
from training.cache import FeaturePack
from training.config import AugmentConfig


@dataclass(frozen=True)
class Example:
    """An utterance to learn from.

    Attributes:
        packs: the manifest's features at each speed.
        index: the utterance's place in them.
        labels: (N,) int64 classes.
        source: number of the manifest it comes from.
    """

    packs: tuple[FeaturePack, ...]
    index: int
    labels: ctc.Labels
    source: int

    def frames(self, speed: int) -> int:
        """Feature frames at the speed of that number."""
        offsets = self.packs[speed].offsets
        return int(offsets[self.index + 1] - offsets[self.index])


@dataclass(frozen=True)
class Draw:
    """One use of an example in one epoch."""

    epoch: int
    example: int
    speed: int


@dataclass(frozen=True)
class Batch:
    """A padded batch.

    Attributes:
        features: (batch, frames, bins) float32.
        lengths: (batch,) int64 frames.
        labels: (batch, longest N) int64, padded with 0.
        label_lengths: (batch,) int64.
    """

    features: Tensor
    lengths: Tensor
    labels: Tensor
    label_lengths: Tensor

    @property
    def audio_frames(self) -> int:
        """Frames of all items, without padding."""
        return int(self.lengths.sum())


class Examples(Dataset[tuple[Features, ctc.Labels]]):
    """Draw -> (X, labels), augmented."""

    def __init__(
        self,
        examples: Sequence[Example],
        spec: FeatureSpec,
        augment: AugmentConfig,
        noise: FeaturePack | None,
        seed: int,
    ) -> None:
        self._examples = examples
        self._spec = spec
        self._augment = augment
        self._noise = noise
        self._seed = seed

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, draw: Draw) -> tuple[Features, ctc.Labels]:
        rng = np.random.default_rng([self._seed, draw.epoch, draw.example])
        example = self._examples[draw.example]
        raw = example.packs[draw.speed][example.index]
        if self._noise is not None and rng.random() < self._augment.noise_probability:
            noise = random_excerpt(
                self._noise[int(rng.integers(len(self._noise)))], raw.shape[0], rng
            )
            raw = mix_noise(raw, noise, float(rng.uniform(*self._augment.noise_snr_db)))
        return mask(front_end.finish(raw, self._spec), self._augment, rng), example.labels


def collate(items: Sequence[tuple[Features, ctc.Labels]]) -> Batch:
    """Pad items into a batch."""
    lengths = [features.shape[0] for features, _ in items]
    label_lengths = [labels.size for _, labels in items]
    features = torch.zeros(len(items), max(lengths), items[0][0].shape[1])
    targets = torch.zeros(len(items), max(label_lengths), dtype=torch.int64)
    for row, (matrix, labels) in enumerate(items):
        features[row, : matrix.shape[0]] = torch.from_numpy(matrix)
        targets[row, : labels.size] = torch.from_numpy(labels)
    return Batch(features, torch.tensor(lengths), targets, torch.tensor(label_lengths))


def epoch_batches(
    examples: Sequence[Example],
    shares: Sequence[float],
    *,
    epoch: int,
    seed: int,
    batch_frames: int,
    by_length: bool,
) -> list[list[Draw]]:
    """The batches of one epoch, of utterances of similar length.

    Args:
        examples: all there are.
        shares: part of each source drawn for an epoch.
        epoch: counted from 0.
        seed: of the run.
        batch_frames: most feature frames in a batch, padding included; a longer utterance is alone.
        by_length: short batches first instead of a random order.
    """
    rng = np.random.default_rng([seed, epoch])
    speeds = rng.integers(len(examples[0].packs), size=len(examples))
    chosen = _draw_shares(examples, shares, rng)
    draws = [Draw(epoch, int(index), int(speeds[index])) for index in chosen]
    frames = np.array([examples[draw.example].frames(draw.speed) for draw in draws])
    blurred = frames * rng.uniform(0.95, 1.05, size=frames.size)
    batches: list[list[Draw]] = []
    longest = 0
    for place in np.argsort(blurred, kind="stable"):
        longest = max(longest, int(frames[place]))
        if not batches or longest * (len(batches[-1]) + 1) > batch_frames:
            batches.append([])
            longest = int(frames[place])
        batches[-1].append(draws[place])
    if not by_length:
        batches = [batches[place] for place in rng.permutation(len(batches))]
    return batches


def _draw_shares(
    examples: Sequence[Example], shares: Sequence[float], rng: np.random.Generator
) -> list[int]:
    sources = np.array([example.source for example in examples])
    chosen: list[int] = []
    for source, share in enumerate(shares):
        members = np.flatnonzero(sources == source)
        count = max(1, round(share * members.size)) if members.size else 0
        chosen.extend(rng.permutation(members)[:count].tolist())
    return chosen
