"""What an encoder's frozen layers give for each utterance, computed once and kept on disk.

Layers that don't learn give the same in every epoch, and cost more than all that is above them. So
a run with frozen layers reads their outputs instead of features. Warps, rooms and noise come
before the encoder: each pack (a manifest at a speed) has them drawn once.
"""

import fcntl
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from tqdm import tqdm

from otoscope.features import Features, normalize
from otoscope.strict_json import dump
from training.config import TrainingConfig
from training.data.dataset import Item, augmented, collate
from training.data.feature_cache import FeaturePack
from training.data.prepare import Prepared
from training.model.network import AcousticModel
from training.model.whisper import STRIDE

_BATCH_FRAMES = 6000

Rows = Callable[[int], Features]
"""Number of an utterance -> its features, (frames, bins) float32."""


def encode(
    prepared: Prepared, model: AcousticModel, config: TrainingConfig, cache: Path
) -> Prepared:
    """`prepared` with the outputs of the model's frozen layers in place of features.

    Args:
        prepared: log-mel packs.
        model: with the weights that stay as they are.
        config: of the run.
        cache: folder of packs.
    """
    cache.mkdir(parents=True, exist_ok=True)
    with _alone_in(cache):
        return _encode(prepared, model, config, cache)


@contextmanager
def _alone_in(cache: Path) -> Iterator[None]:
    """Wait until no other run encodes there, of other machines that share the folder either."""
    with (cache / "encoding.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _encode(
    prepared: Prepared, model: AcousticModel, config: TrainingConfig, cache: Path
) -> Prepared:
    key = _digest(model, prepared, config)
    train: dict[str, FeaturePack] = {}
    for pack in {pack.name: pack for one in prepared.examples for pack in one.packs}.values():
        train[pack.name] = _encoded(pack, model, _train_rows(pack, prepared, config), cache, key)
    dev = [
        replace(one, pack=_encoded(one.pack, model, _dev_rows(one.pack, config), cache, key))
        for one in prepared.dev
    ]
    examples = [
        replace(one, packs=tuple(train[pack.name] for pack in one.packs))
        for one in prepared.examples
    ]
    return replace(prepared, examples=examples, dev=dev, noise=None)


def _digest(model: AcousticModel, prepared: Prepared, config: TrainingConfig) -> str:
    """Of all that encoded rows follow from besides the features: weights and augmentation."""
    drawn = {
        name: value
        for name, value in dump(config.augment).items()
        if name.startswith(("noise_", "max_warp", "room_", "band_"))
    }
    noise = prepared.noise.name if prepared.noise else ""
    facts = [drawn, noise, config.model.encoded_stride, config.seed]
    digest = hashlib.sha256(json.dumps(facts).encode())
    for name, weights in sorted(model.frozen_weights().items()):
        positive = weights.detach().cpu().numpy() + 0.0  # averaging may turn -0 into 0
        digest.update(name.encode() + positive.tobytes())
    return digest.hexdigest()[:16]


def _train_rows(pack: FeaturePack, prepared: Prepared, config: TrainingConfig) -> Rows:
    seed = int.from_bytes(hashlib.sha256(pack.name.encode()).digest()[:4])

    def rows(index: int) -> Features:
        rng = np.random.default_rng([config.seed, seed, index])
        raw = augmented(pack[index], config, prepared.noise, rng)
        return normalize(raw, config.features)

    return rows


def _dev_rows(pack: FeaturePack, config: TrainingConfig) -> Rows:
    return lambda index: normalize(pack[index], config.features)


def _encoded(
    pack: FeaturePack, model: AcousticModel, rows: Rows, cache: Path, key: str
) -> FeaturePack:
    """Open the encoded pack, computing what is missing of it: a broken-off call is resumed."""
    whole = pack.frames <= STRIDE * model.encoder.shape.positions  # no more is ever read
    lengths = np.where(whole, -(-pack.frames // model.config.encoded_stride), 0)
    offsets = np.cumsum([0, *lengths], dtype=np.int64)
    stem = f"{pack.name}-encoded-{key}"
    path, partial, done = (cache / f"{stem}{suffix}" for suffix in (".npy", ".part", ".done"))
    if not path.is_file():
        first = int(done.read_text()) if done.is_file() and partial.is_file() else 0
        shape = (int(offsets[-1]), model.encoder.shape.width)
        out = np.lib.format.open_memmap(
            partial, mode="r+" if first else "w+", dtype=np.float16, shape=None if first else shape
        )
        batches = list(_batches(np.where(whole, pack.frames, 0)))
        bar = tqdm(batches[first:], desc=stem, unit="batch", initial=first, total=len(batches))
        for number, indices in enumerate(bar, first + 1):
            for index, values in zip(indices, _run(model, [rows(i) for i in indices]), strict=True):
                out[offsets[index] : offsets[index + 1]] = values
            out.flush()
            done.write_text(str(number))
        del out
        partial.replace(path)
        done.unlink(missing_ok=True)
    return FeaturePack(np.load(path, mmap_mode="r"), offsets, stem, encoded=True)


def _batches(frames: npt.NDArray[np.int64]) -> Iterator[list[int]]:
    """Utterances of similar length together, up to _BATCH_FRAMES with padding."""
    batch: list[int] = []
    for index in np.argsort(frames, kind="stable").tolist():
        if not frames[index]:
            continue
        if batch and int(frames[index]) * (len(batch) + 1) > _BATCH_FRAMES:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def _run(model: AcousticModel, matrices: list[Features]) -> list[npt.NDArray[np.float32]]:
    batch = collate([Item(matrix) for matrix in matrices]).to(model.device)
    with torch.inference_mode():
        rows: Tensor
        rows, lengths = model.encoder.lower(
            batch.features, batch.lengths, model.config.frozen_layers
        )
    return [row[:length].cpu().numpy() for row, length in zip(rows, lengths.tolist(), strict=True)]
