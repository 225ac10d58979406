"""Config and corpus folder -> everything a run reads: examples, dev sets, noise."""

from dataclasses import dataclass
from pathlib import Path

from otoscope import ctc
from training.config import TrainingConfig
from training.data.dataset import NO_LABELS, Example
from training.data.feature_cache import FeaturePack, feature_pack
from training.data.manifest import Selection, Utterance, read_manifest, select
from training.data.pronunciation import PhonemeTargets, PronouncingDictionary, open_dictionary

FRAMES_PER_S = 100


@dataclass(frozen=True)
class DevSet:
    """A manifest that is only listened to.

    Attributes:
        pack: its features at speed 1.
        texts: normalised references of the utterances in `indices`.
        phonemes: their phoneme targets, (N,) int64 each; none where there is no target.
    """

    name: str
    pack: FeaturePack
    indices: tuple[int, ...]
    texts: tuple[str, ...]
    phonemes: tuple[ctc.Labels, ...]


@dataclass(frozen=True)
class Prepared:
    """What a training run needs besides its configuration.

    Attributes:
        audio_hours: of all train manifests, one that is named twice counted once.
    """

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
    dictionary = _dictionary(config, root)
    for number, source in enumerate(config.corpus.train):
        name = source.manifest
        utterances = read_manifest(root / name)
        packs = tuple(
            _pack(utterances, config, cache, name, speed) for speed in config.corpus.speeds
        )
        selection = _select(utterances, packs, config)
        phonemes = _phonemes(selection, _fastest(packs, config), config, dictionary)
        lines.append(_report(selection.report(name), phonemes, dictionary))
        if name not in [earlier.manifest for earlier in config.corpus.train[:number]]:
            frames += sum(_plain_frames(packs, config, index) for index in selection.kept)
        examples += [
            Example(packs, index, labels, number, spoken)
            for index, labels, spoken in zip(
                selection.kept, selection.labels, phonemes.labels, strict=True
            )
        ]
    if not examples:
        raise ValueError("expected utterances to learn from, got none: " + "; ".join(lines))
    dev, about_dev = _dev_sets(config, root, cache, dictionary)
    noise = None
    if config.corpus.noise:
        noise = _pack(
            read_manifest(root / config.corpus.noise), config, cache, config.corpus.noise, 1.0
        )
    return Prepared(
        examples, dev, noise, frames / FRAMES_PER_S / 3600, "\n".join(lines + about_dev)
    )


def prepare_dev(config: TrainingConfig, root: Path, cache: Path) -> list[DevSet]:
    """The dev sets alone, where nothing is to be learned."""
    return _dev_sets(config, root, cache, _dictionary(config, root))[0]


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
    bounds = (config.corpus.min_s * FRAMES_PER_S, config.corpus.max_s * FRAMES_PER_S)
    return select(
        utterances,
        _fastest(packs, config).frames.tolist(),
        config.alphabet,
        config.model.frame_stride,
        bounds,
    )


def _fastest(packs: tuple[FeaturePack, ...], config: TrainingConfig) -> FeaturePack:
    """The variant with the fewest frames."""
    return packs[config.corpus.speeds.index(max(config.corpus.speeds))]


def _dictionary(config: TrainingConfig, root: Path) -> PronouncingDictionary | None:
    """What pronounces texts for the phoneme head; None without that head."""
    if config.head_phonemes is None:
        return None
    name = config.corpus.pronunciations
    return open_dictionary(root / name if name else None, config.head_phonemes)


def _phonemes(
    selection: Selection,
    pack: FeaturePack,
    config: TrainingConfig,
    dictionary: PronouncingDictionary | None,
) -> PhonemeTargets:
    """Phoneme targets of what was kept, at the frames that `pack` gives it."""
    if dictionary is None:
        return PhonemeTargets((NO_LABELS,) * len(selection.kept))
    texts = [config.alphabet.decode(labels) for labels in selection.labels]
    frames = pack.frames[list(selection.kept)].tolist()
    return dictionary.targets(texts, frames, config.model.frame_stride)


def _report(line: str, phonemes: PhonemeTargets, dictionary: PronouncingDictionary | None) -> str:
    return line if dictionary is None else f"{line}; {phonemes.report()}"


def _dev_sets(
    config: TrainingConfig, root: Path, cache: Path, dictionary: PronouncingDictionary | None
) -> tuple[list[DevSet], list[str]]:
    """The dev sets, and a line about each for people."""
    prepared = [_dev_set(name, config, root, cache, dictionary) for name in config.corpus.dev]
    return [dev for dev, _ in prepared], [line for _, line in prepared]


def _dev_set(
    name: str,
    config: TrainingConfig,
    root: Path,
    cache: Path,
    dictionary: PronouncingDictionary | None,
) -> tuple[DevSet, str]:
    """A dev set, and a line about it for people."""
    utterances = read_manifest(root / name)
    pack = _pack(utterances, config, cache, name, 1.0)
    selection = select(utterances, pack.frames.tolist(), config.alphabet, config.model.frame_stride)
    texts = tuple(config.alphabet.normalize(utterances[i].text) for i in selection.kept)
    phonemes = _phonemes(selection, pack, config, dictionary)
    line = f"{name}: {len(selection.kept)} utterances to choose by"
    dev_set = DevSet(name, pack, selection.kept, texts, phonemes.labels)
    return dev_set, _report(line, phonemes, dictionary)
