"""Cached features and labels -> items and padded batches, the same ones for the same seed.

Every random choice depends on (seed, epoch, utterance) alone, so a run that resumes in the middle
of an epoch sees what it would have seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset

from otoscope import ctc
from otoscope.features import Features, normalize
from training.config import TrainingConfig
from training.data.augment import (
    limit_band,
    mask,
    mix_noise,
    random_excerpt,
    reverberate,
    warp,
)
from training.data.feature_cache import FeaturePack

NO_LABELS: ctc.Labels = np.zeros(0, dtype=np.int64)
"""Where there is no target."""


@dataclass(frozen=True)
class Example:
    """An utterance to learn from.

    Attributes:
        packs: the manifest's features at each speed.
        index: the utterance's place in them.
        labels: (N,) int64 classes.
        source: number of the manifest it comes from.
        phonemes: (N,) int64 phoneme classes; none if it has no phoneme target.
    """

    packs: tuple[FeaturePack, ...]
    index: int
    labels: ctc.Labels
    source: int
    phonemes: ctc.Labels

    def frames(self, speed: int) -> int:
        """Feature frames at the speed of that number."""
        offsets = self.packs[speed].offsets
        return int(offsets[self.index + 1] - offsets[self.index])


class Part(NamedTuple):
    """An example, at the speed of that number."""

    example: int
    speed: int


@dataclass(frozen=True)
class Draw:
    """What becomes one item in one epoch: an example, or several one after the other.

    Views of a draw differ in their masks alone: the same warps, the same rooms and noise.
    """

    epoch: int
    parts: tuple[Part, ...]
    view: int = 0


class Item(NamedTuple):
    """One utterance of a batch, not yet padded.

    Attributes:
        features: (frames, bins) float32.
        labels, phonemes: (N,) int64 classes; none where there is no target.
    """

    features: Features
    labels: ctc.Labels = NO_LABELS
    phonemes: ctc.Labels = NO_LABELS


@dataclass(frozen=True)
class Batch:
    """A padded batch.

    Attributes:
        features: (batch, frames, bins) float32.
        lengths: (batch,) int64 frames.
        labels: (batch, longest N) int64, padded with 0.
        label_lengths: (batch,) int64.
        phonemes: (batch, longest N) int64, padded with 0.
        phoneme_lengths: (batch,) int64, 0 for an utterance without a phoneme target.
    """

    features: Tensor
    lengths: Tensor
    labels: Tensor
    label_lengths: Tensor
    phonemes: Tensor
    phoneme_lengths: Tensor

    def to(self, device: torch.device) -> "Batch":
        """The same on a device."""
        return Batch(*(getattr(self, each.name).to(device) for each in fields(self)))


@dataclass(frozen=True)
class Examples(Dataset[Item]):
    """Draw -> item, augmented.

    Attributes:
        examples: utterances to learn from.
        config: of the run.
        noise: recordings to mix in, or None.
    """

    examples: Sequence[Example]
    config: TrainingConfig
    noise: FeaturePack | None = None

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, draw: Draw) -> Item:
        config, raw = self.config, [self._rows(part, draw.epoch) for part in draw.parts]
        rng = np.random.default_rng([config.seed, draw.epoch, draw.parts[0].example, 1 + draw.view])
        whole = raw[0] if len(raw) == 1 else np.concatenate(raw)
        augment = config.augment
        if self.examples[draw.parts[0].example].packs[0].encoded:
            augment = replace(augment, frequency_masks=0)  # columns are no frequencies there
        else:
            whole = normalize(whole, config.features)
        examples = [self.examples[part.example] for part in draw.parts]
        phonemes = [example.phonemes for example in examples]
        space = config.alphabet.encode(" " if " " in config.alphabet.symbols else "")
        spoken = [example.labels for example in examples if example.labels.size]
        labels = [part for one in spoken for part in (space, one)][1:] or [NO_LABELS]
        return Item(
            mask(whole, row_s(self.examples, config), augment, rng),
            np.concatenate(labels),
            np.concatenate(phonemes) if _have_targets(examples) else NO_LABELS,
        )

    def _rows(self, part: Part, epoch: int) -> Features:
        """An example's log-mel, augmented; or what the encoder gave for it."""
        example = self.examples[part.example]
        pack = example.packs[part.speed]
        if pack.encoded:
            return pack[example.index]
        rng = np.random.default_rng([self.config.seed, epoch, part.example])
        return augmented(pack[example.index], self.config, self.noise, rng)


def _have_targets(examples: Sequence[Example]) -> bool:
    """Whether the phonemes of all that is spoken are known."""
    return all(one.phonemes.size or not one.labels.size for one in examples)


def augmented(
    raw: Features, config: TrainingConfig, noise: FeaturePack | None, rng: np.random.Generator
) -> Features:
    """Log-mel (frames, n_mels) float32, warped, in a room, with noise, band-limited, as drawn."""
    augment, spec = config.augment, config.features
    if augment.max_warp:
        raw = warp(raw, spec, 1.0 + float(rng.uniform(-augment.max_warp, augment.max_warp)))
    if rng.random() < augment.room_probability:
        raw = reverberate(
            raw,
            spec,
            reverberation_s=float(rng.uniform(*augment.room_reverberation_s)),
            direct_db=float(rng.uniform(*augment.room_direct_db)),
        )
    if noise is not None and rng.random() < augment.noise_probability:
        excerpt = random_excerpt(noise[int(rng.integers(len(noise)))], raw.shape[0], rng)
        raw = mix_noise(raw, excerpt, float(rng.uniform(*augment.noise_snr_db)))
    if rng.random() < augment.band_probability:
        raw = limit_band(raw, spec, float(rng.uniform(*augment.band_limit_hz)))
    return raw


def collate(items: Sequence[Item]) -> Batch:
    """Pad items into a batch."""
    return Batch(
        *pad([item.features for item in items]),
        *pad([item.labels for item in items]),
        *pad([item.phonemes for item in items]),
    )


def row_s(examples: Sequence[Example], config: TrainingConfig) -> float:
    """Seconds between the rows that items are made of: features, or an encoder's."""
    encoded = examples[0].packs[0].encoded
    return config.features.hop_s * (config.model.encoded_stride if encoded else 1)


def draw_frames(examples: Sequence[Example], draw: Draw) -> int:
    """Frames of the item that a draw becomes."""
    return sum(examples[part.example].frames(part.speed) for part in draw.parts)


def epoch_batches(
    examples: Sequence[Example], config: TrainingConfig, epoch: int
) -> list[list[Draw]]:
    """The batches of one epoch, counted from 0, of utterances of similar length.

    A batch has at most `loop.batch_s` seconds, padding included; a longer utterance is alone. Where
    utterances are read twice, it holds the first view of all, then the second of all.
    """
    batch_frames, views = round(config.loop.batch_s / row_s(examples, config)), config.loss.views
    rng = np.random.default_rng([config.seed, epoch])
    speeds = rng.integers(len(examples[0].packs), size=len(examples))
    chosen = _draw_shares(examples, [source.share for source in config.corpus.train], rng)
    parts = [Part(int(index), int(speeds[index])) for index in chosen]
    draws = [Draw(epoch, joined) for joined in _join(parts, examples, config, rng)]
    frames = np.array([draw_frames(examples, draw) for draw in draws])
    blurred = frames * rng.uniform(0.95, 1.05, size=frames.size)
    batches: list[list[Draw]] = []
    longest = 0
    for place in np.argsort(blurred, kind="stable"):
        longest = max(longest, int(frames[place]))
        if not batches or longest * views * (len(batches[-1]) + 1) > batch_frames:
            batches.append([])
            longest = int(frames[place])
        batches[-1].append(draws[place])
    if epoch >= config.loop.sorted_epochs:
        batches = [batches[place] for place in rng.permutation(len(batches))]
    return [
        [replace(draw, view=view) for view in range(views) for draw in batch] for batch in batches
    ]


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


def _join(
    parts: Sequence[Part],
    examples: Sequence[Example],
    config: TrainingConfig,
    rng: np.random.Generator,
) -> list[tuple[Part, ...]]:
    """Join a share of the parts, of any speakers, up to a random length each."""
    share = config.augment.join_probability
    most_frames = round(config.augment.join_max_s / row_s(examples, config))
    order = rng.permutation(len(parts)) if share else np.arange(len(parts))
    loose = round(len(parts) * (1 - share))
    items: list[tuple[Part, ...]] = [(parts[place],) for place in order[:loose]]
    room = 0
    for place in order[loose:]:
        part = parts[place]
        frames = examples[part.example].frames(part.speed)
        if frames > room:
            items.append((part,))
            room = int(rng.integers(most_frames + 1))
        else:
            items[-1] = (*items[-1], part)
        room -= frames
    return items


def pad(arrays: Sequence[npt.NDArray[Any]]) -> tuple[Tensor, Tensor]:
    """Arrays of several lengths -> one padded with 0, and lengths (batch,) int64."""
    lengths = torch.tensor([len(array) for array in arrays])
    return pad_sequence([torch.from_numpy(array) for array in arrays], batch_first=True), lengths
