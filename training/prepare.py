"""Config and corpus folder -> everything a run reads: examples, dev sets, noise."""

from dataclasses import dataclass
from pathlib import Path

from training.cache import FeaturePack, feature_pack
from training.config import TrainingConfig
from training.corpus import Selection, Utterance, read_manifest, select
from training.dataset import Example

FRAMES_PER_S = 100


@dataclass(frozen=True)
class DevSet:
    """A manifest that is only listened to.

    Attributes:
        pack: its features at speed 1.
        texts: normalised references of the utterances in `indices`.
    """

    name: str
    pack: FeaturePack
    indices: tuple[int, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Prepared:
    """What a training run needs besides its configuration."""

    examples: list[Example]
    dev: list[DevSet]
    noise: FeaturePack | None
    audio_hours: float
    report: str


def prepare(config: TrainingConfig, root: Path, cache: Path) -> Prepared:
    """Read the manifests, compute or open the features, leave out what can't be learned from."""
    examples: list[Example] = []
    lines: list[str] = []
    frames = 0.0
    for number, source in enumerate(config.corpus.train):
        name = source.manifest
        utterances = read_manifest(root / name)
        packs = tuple(
            _pack(utterances, config, cache, name, speed) for speed in config.corpus.speeds
        )
        selection = _select(utterances, packs, config)
        lines.append(selection.report(name))
        frames += sum(_plain_frames(packs, config, index) for index in selection.kept)
        examples += [
            Example(packs, index, labels, number)
            for index, labels in zip(selection.kept, selection.labels, strict=True)
        ]
    if not examples:
        raise ValueError("expected utterances to learn from, got none: " + "; ".join(lines))
    dev = [_dev_set(name, config, root, cache) for name in config.corpus.dev]
    lines += [f"{one.name}: {len(one.indices)} utterances to choose by" for one in dev]
    noise = None
    if config.corpus.noise:
        noise = _pack(
            read_manifest(root / config.corpus.noise), config, cache, config.corpus.noise, 1.0
        )
    return Prepared(examples, dev, noise, frames / FRAMES_PER_S / 3600, "\n".join(lines))


def _pack(
    utterances: list[Utterance], config: TrainingConfig, cache: Path, name: str, speed: float
) -> FeaturePack:
    paths = [utterance.audio for utterance in utterances]
    return feature_pack(
        paths, config.features, cache, name=str(Path(name).with_suffix("")), speed=speed
    )


def _plain_frames(packs: tuple[FeaturePack, ...], config: TrainingConfig, index: int) -> float:
    """Frames at the recording's own speed, from any of the variants."""
    return float(packs[0].frames[index]) * config.corpus.speeds[0]


def _select(
    utterances: list[Utterance], packs: tuple[FeaturePack, ...], config: TrainingConfig
) -> Selection:
    fastest = packs[config.corpus.speeds.index(max(config.corpus.speeds))]
    bounds = (config.corpus.min_s * FRAMES_PER_S, config.corpus.max_s * FRAMES_PER_S)
    return select(
        utterances, fastest.frames.tolist(), config.alphabet, config.model.frame_stride, bounds
    )


def _dev_set(name: str, config: TrainingConfig, root: Path, cache: Path) -> DevSet:
    utterances = read_manifest(root / name)
    pack = _pack(utterances, config, cache, name, 1.0)
    selection = select(utterances, pack.frames.tolist(), config.alphabet, config.model.frame_stride)
    texts = tuple(config.alphabet.normalise(utterances[i].text) for i in selection.kept)
    return DevSet(name, pack, selection.kept, texts)
