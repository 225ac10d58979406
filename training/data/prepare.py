"""Config and corpus folder -> everything a run reads: examples, dev sets, noise."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from otoscope import ctc
from otoscope.errors import ManifestError
from otoscope.features import Features, FeatureSpec, normalize
from training.config import TrainingConfig
from training.data.dataset import NO_LABELS, Example
from training.data.feature_cache import FeaturePack, feature_pack
from training.data.manifest import Selection, read_manifest, require_writable, select
from training.data.pronunciation import open_dictionary
from training.data.utterances import Utterance

_MOST_NAMED = 10


@dataclass(frozen=True)
class DevSet:
    """A manifest that a model is measured on while it learns.

    Attributes:
        pack: its features at speed 1.
        indices: of the utterances in it that count.
        texts: their normalised references.
        phonemes: their phoneme targets, (N,) int64 each; none where there is no target.
        utterances: as the manifest has them.
    """

    name: str
    pack: FeaturePack
    indices: tuple[int, ...]
    texts: tuple[str, ...]
    phonemes: tuple[ctc.Labels, ...]
    utterances: tuple[Utterance, ...]

    def features(self, place: int, spec: FeatureSpec) -> Features:
        """What the model reads of the utterance at `place` of `indices`, (frames, bins) float32."""
        rows = self.pack[self.indices[place]]
        return rows if self.pack.encoded else normalize(rows, spec)


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
    corpus = _Corpus(config, root, cache)
    corpus.check()
    dev = [corpus.dev_set(name) for name in config.corpus.dev]
    speeds, hop_s = config.corpus.speeds, config.features.hop_s
    bounds = (config.corpus.min_s / hop_s, config.corpus.max_s / hop_s)
    examples: list[Example] = []
    lines: list[str] = []
    frames: dict[str, float] = {}
    for number, source in enumerate(config.corpus.train):
        packs = tuple(corpus.pack(source.manifest, speed) for speed in speeds)
        fastest = packs[int(np.argmax(speeds))]
        selection = corpus.select(source.manifest, fastest, bounds, silence=source.silence)
        phonemes, report = corpus.phonemes(selection, fastest)
        lines.append(selection.report(source.manifest, report))
        kept = list(selection.kept)
        frames[source.manifest] = float(packs[0].frames[kept].sum()) * speeds[0]
        examples += [
            Example(packs, index, labels, number, phoneme_labels)
            for index, labels, phoneme_labels in zip(kept, selection.labels, phonemes, strict=True)
        ]
    if not examples:
        raise ManifestError("expected utterances to learn from, got none: " + "; ".join(lines))
    lines += [line for _, line in dev]
    noise = corpus.pack(config.corpus.noise) if config.corpus.noise else None
    hours = sum(frames.values()) * hop_s / 3600
    lines.append(f"{hours:.2f} hours of audio to learn from")
    return Prepared(examples, [one for one, _ in dev], noise, hours, "\n".join(lines))


class _Corpus:
    """The manifests below a folder, as a configuration reads them."""

    def __init__(self, config: TrainingConfig, root: Path, cache: Path) -> None:
        self._config = config
        self._root = root
        self._cache = cache
        self._dictionary = None
        if config.head_phonemes is not None:
            name = config.corpus.pronunciations
            self._dictionary = open_dictionary(root / name if name else None, config.head_phonemes)

    def check(self) -> None:
        """Look for what would be missed only after features are computed, for hours perhaps.

        Raises:
            ManifestError: on a manifest or recordings that are missing, and on texts none of which
                can be written.
        """
        train = [source.manifest for source in self._config.corpus.train]
        noise = self._config.corpus.noise
        for name in dict.fromkeys((*train, *self._config.corpus.dev, *filter(None, [noise]))):
            utterances = read_manifest(self._root / name)
            files = dict.fromkeys(one.audio for one in utterances)
            missing = [str(file) for file in files if not file.is_file()]
            if missing:
                more = f" and {len(missing) - _MOST_NAMED} more" * (len(missing) > _MOST_NAMED)
                raise ManifestError(
                    f"{self._root / name}: expected {len(files)} recordings, got none for "
                    f"{', '.join(missing[:_MOST_NAMED])}{more}"
                )
            if name != noise:
                require_writable(name, utterances, self._config.alphabet)

    def pack(self, name: str, speed: float = 1.0) -> FeaturePack:
        """Features of a manifest."""
        clips = [utterance.clip for utterance in read_manifest(self._root / name)]
        name = str(Path(name).with_suffix(""))
        return feature_pack(clips, self._config.features, self._cache, name=name, speed=speed)

    def select(
        self,
        name: str,
        pack: FeaturePack,
        bounds_frames: tuple[float, float] = (1, np.inf),
        *,
        silence: bool = False,
    ) -> Selection:
        """What can be learned from a manifest at the frames that `pack` has."""
        return select(
            read_manifest(self._root / name),
            pack.frames.tolist(),
            self._config.alphabet,
            self._config.model.frame_stride,
            bounds_frames,
            silence=silence,
        )

    def texts(self, selection: Selection) -> tuple[str, ...]:
        """Normalised texts of what was kept."""
        return tuple(self._config.alphabet.decode(labels) for labels in selection.labels)

    def phonemes(
        self, selection: Selection, pack: FeaturePack
    ) -> tuple[tuple[ctc.Labels, ...], str]:
        """Phoneme targets of what was kept, and words about them; none without such a head."""
        if self._dictionary is None:
            return (NO_LABELS,) * len(selection.kept), ""
        frames = pack.frames[list(selection.kept)].tolist()
        stride = self._config.model.frame_stride
        targets, missing = self._dictionary.targets(self.texts(selection), frames, stride)
        reasons = ", ".join(f"{number} with {why}" for why, number in missing.items())
        count = sum(labels.size > 0 for labels in targets)
        report = f"; {count} have phoneme targets" + (f" (not: {reasons})" if reasons else "")
        return tuple(targets), report

    def dev_set(self, name: str) -> tuple[DevSet, str]:
        """A dev set, and a line about it for people."""
        pack = self.pack(name)
        features = self._config.features
        selection = self.select(name, pack, (1, features.max_s / features.hop_s))
        if not selection.kept:
            raise ManifestError(
                f"expected utterances to choose by, got none: {selection.report(name)}"
            )
        phonemes, report = self.phonemes(selection, pack)
        listed = read_manifest(self._root / name)
        utterances = tuple(listed[index] for index in selection.kept)
        dev_set = DevSet(name, pack, selection.kept, self.texts(selection), phonemes, utterances)
        return dev_set, selection.report(name, f" to choose by{report}")
