"""Log-mel features of a manifest, computed once: one memory-mapped file a manifest and speed.

The file's name has a digest of the audio's content, the feature definition and the speed, so that
it is computed again when one of them changes. Rows are raw log-mel, before MFCC's DCT and before
normalisation, since noise is mixed in between.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from otoscope import features
from otoscope.atomic_files import replacing
from otoscope.errors import ManifestError, OtoscopeError
from otoscope.features import Features, FeatureSpec
from otoscope.strict_json import dump
from training.data.utterances import Clip, by_file, load_clips

_MOST_NAMED = 10


@dataclass(frozen=True)
class FeaturePack:
    """Raw log-mel of many utterances, end to end, or what an encoder made of it.

    Attributes:
        rows: (frames of all, n_mels) float32, memory-mapped; or encoded, (rows, width) float16.
        offsets: (utterances + 1,) int64, where each begins.
        name: of its file, without suffix: different for different contents.
        encoded: whether `training.run.encoder_cache` made it.
    """

    rows: npt.NDArray[np.floating]
    offsets: npt.NDArray[np.int64]
    name: str = ""
    encoded: bool = False

    @property
    def frames(self) -> npt.NDArray[np.int64]:
        """(utterances,) int64, frames of each."""
        return np.diff(self.offsets)

    def __len__(self) -> int:
        return self.offsets.size - 1

    def __getitem__(self, index: int) -> Features:
        rows = self.rows[self.offsets[index] : self.offsets[index + 1]]
        return rows.astype(np.float32, copy=False)


def feature_pack(
    clips: Sequence[Clip],
    spec: FeatureSpec,
    cache: Path,
    *,
    name: str,
    speed: float = 1.0,
    workers: int | None = None,
) -> FeaturePack:
    """Open the pack of `clips`, computing it if it is not there yet.

    Args:
        clips: recordings or parts of them, in the manifest's order.
        spec: the feature definition; `kind` and `normalisation` play no part.
        cache: folder of packs.
        name: for the progress bar and the file's name.
        speed: 1.1 plays faster and higher: resampled from 1.1 times the rate.
        workers: processes; by default one a processor.

    Raises:
        FileNotFoundError: if a file is missing.
        ManifestError: naming files that can't be read, or that end before a clip does.
    """
    stem = f"{name.replace('/', '-')}-{speed:g}-{_digest(clips, spec, speed)[:16]}"
    rows_path, offsets_path = cache / f"{stem}.npy", cache / f"{stem}.offsets.npy"
    if not offsets_path.is_file():
        matrices = _compute(clips, spec, speed, f"{name} x{speed:g}", workers)
        offsets = np.cumsum([0, *(matrix.shape[0] for matrix in matrices)], dtype=np.int64)
        _save(rows_path, np.concatenate(matrices))
        _save(offsets_path, offsets)  # last: its presence says that the pack is whole
    return FeaturePack(np.load(rows_path, mmap_mode="r"), np.load(offsets_path), stem)


def _digest(clips: Sequence[Clip], spec: FeatureSpec, speed: float) -> str:
    if spec.kind == "mfcc":  # begins as log-mel
        spec = replace(spec, kind="log_mel")
    definition = dump(replace(spec, normalisation="utterance"))
    for later in ("n_mfcc", "corpus_mean", "corpus_std"):
        del definition[later]
    digest = hashlib.sha256(json.dumps([definition, speed], sort_keys=True).encode())
    contents = {
        path: hashlib.sha256(path.read_bytes()).digest() for path in {one.audio for one in clips}
    }
    for clip in clips:
        digest.update(contents[clip.audio])
        if not clip.whole:
            digest.update(json.dumps([clip.start_s, clip.duration_s]).encode())
    return digest.hexdigest()


def _compute(
    clips: Sequence[Clip], spec: FeatureSpec, speed: float, title: str, workers: int | None
) -> list[Features]:
    features.mel_filterbank(spec)  # once, before the processes fork: librosa takes seconds to load
    with ProcessPoolExecutor(workers or os.cpu_count()) as pool:
        files = by_file(clips)
        compute = partial(_log_mel_or_problem, spec=spec, speed=speed)
        results = pool.map(compute, files, chunksize=16)
        done = list(tqdm(results, total=len(files), desc=title, unit="file"))
    broken = [one for one in done if isinstance(one, str)]
    if broken:
        raise ManifestError(
            f"{title}: expected {len(files)} readable recordings, got {len(broken)} that are not: "
            + "; ".join(broken[:_MOST_NAMED])
        )
    return list(chain(*(one for one in done if not isinstance(one, str))))


def _log_mel_or_problem(
    clips: Sequence[Clip], spec: FeatureSpec, speed: float
) -> list[Features] | str:
    """One file's, or why it can't be used: all that are broken are named together."""
    try:
        return _log_mel_of(clips, spec, speed)
    except OtoscopeError as error:
        name = str(clips[0].audio)
        return str(error) if name in str(error) else f"{name}: {error}"


def _log_mel_of(clips: Sequence[Clip], spec: FeatureSpec, speed: float) -> list[Features]:
    """Raw log-mel of one file's; a clip shorter than a window is padded to one with silence."""
    return [
        features.log_mel(np.pad(samples, (0, max(0, spec.window_samples - samples.size))), spec)
        for samples in load_clips(clips, round(spec.sample_rate_hz / speed))
    ]


def _save(path: Path, array: npt.NDArray[np.generic]) -> None:
    with replacing(path) as beside, beside.open("wb") as file:
        np.save(file, array)
