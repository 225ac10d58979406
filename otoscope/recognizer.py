"""A model file at work: waveforms -> posteriors. The only import of onnxruntime.

A model file describes itself. Its metadata holds the ModelSpec as JSON and the mel filterbank that
librosa made when it was exported, so recognition needs neither torch nor librosa.
"""

import base64
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

# Some builds of onnxruntime report usage to their maker from the moment they are imported. Nothing
# is reported from here unless the environment says otherwise.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
import onnxruntime

from otoscope import audio, features
from otoscope.arrays import Ints
from otoscope.clock import FrameClock
from otoscope.errors import AudioTooLongError, AudioTooShortError, ModelFileError, SpecError
from otoscope.features import FeatureMatrix, Features
from otoscope.posteriors import HeadLogProbs, PhonemePosteriors, Posteriors
from otoscope.spec import ModelSpec

SPEC_KEY = "otoscope.spec"
FILTERBANK_KEY = "otoscope.mel_filterbank"
QUANTIZED_KEY = "otoscope.quantised"
"""Metadata of an 8-bit model alone: the SHA-256 of the exact model that it was made from."""
INPUTS = ("features", "lengths")
OUTPUTS = ("log_probs", "out_lengths")
PHONEME_OUTPUT = "phoneme_log_probs"
"""A further output, the last, of models whose spec names phonemes."""


@dataclass(frozen=True)
class Recognition:
    """What a model made of one recording.

    Attributes:
        posteriors: of all its frames.
        features: what they were computed from; None if they were not kept.
        warnings: what there was to say about reading the file.
        took_s: seconds by the name of a stage, where they were measured.
        channels: of the file, also where one was chosen; 0 if it is not known.
    """

    posteriors: Posteriors
    features: FeatureMatrix | None = None
    warnings: tuple[str, ...] = ()
    took_s: Mapping[str, float] = field(default_factory=dict)
    channels: int = 0

    def require_features(self) -> FeatureMatrix:
        """The features; ValueError if they were not kept."""
        if self.features is None:
            raise ValueError("expected a recognition that kept its features, got one without")
        return self.features


class Recognizer:
    """An acoustic model in memory. Safe to call from several threads.

    Attributes:
        spec: the model's facts.
        sha256: of the model file, hexadecimal.
        exact_sha256: of the model that it is an 8-bit form of; its own if it is exact itself.
    """

    def __init__(self, path: str | Path, *, threads: int = 1) -> None:
        """Load a model.

        Args:
            path: a model.onnx written by `onnx_export`.
            threads: processor threads that one call may use.

        Raises:
            ModelFileError: if it is missing, no ONNX model, or not of `onnx_export`.
        """
        self._session, self.sha256 = open_session(Path(path), threads)
        metadata = self._session.get_modelmeta().custom_metadata_map
        if SPEC_KEY not in metadata or FILTERBANK_KEY not in metadata:
            raise ModelFileError(
                f"{path}: expected metadata {SPEC_KEY} and {FILTERBANK_KEY}, got {sorted(metadata)}"
            )
        try:
            self.spec = ModelSpec.from_json(metadata[SPEC_KEY], source=str(path))
        except SpecError as error:
            raise ModelFileError(str(error)) from error
        self.exact_sha256: str = metadata.get(QUANTIZED_KEY, self.sha256)
        self._filterbank = decode_filterbank(metadata[FILTERBANK_KEY], self.spec)
        _check_graph(self._session, self.spec, path)

    @property
    def quantized(self) -> bool:
        """Whether it has 8-bit weights.

        Activations then share one scale in a run, so each item goes through the graph alone.
        """
        return self.exact_sha256 != self.sha256

    def features(self, samples: audio.Samples) -> Features:
        """Features as this model wants them.

        Args:
            samples: (samples,) float32 in [-1, 1] at `spec.features.sample_rate_hz`.

        Returns:
            (frames, bins) float32.

        Raises:
            AudioTooShortError, AudioTooLongError, NonFiniteAudioError: if they can't be used.
        """
        audio.check_finite(samples)
        spec = self.spec.features
        duration_s = samples.size / spec.sample_rate_hz
        if duration_s > spec.max_s:
            raise AudioTooLongError(
                f"expected at most {spec.max_s:g} s at once, got {duration_s:.1f} s; "
                "otoscope.longform takes recordings of any length"
            )
        return features.extract(samples, self.spec.features, self._filterbank)

    def posteriors(self, waveforms: Sequence[audio.Samples]) -> list[Posteriors]:
        """Waveforms (samples,) float32 of any lengths -> their posteriors, as one batch."""
        rate_hz = self.spec.features.sample_rate_hz
        batch = self.run_heads([self.features(samples) for samples in waveforms])
        return [
            self.interpret(heads, samples.size / rate_hz)
            for heads, samples in zip(batch, waveforms, strict=True)
        ]

    def run_heads(self, matrices: Sequence[Features]) -> list[HeadLogProbs]:
        """Run the graph over a padded batch, once unless the model is `quantized`.

        Args:
            matrices: features of each item, (frames, bins) float32, at least one frame each.

        Returns:
            Posteriors of each item without padding. An item's result does not depend on its
            neighbours.
        """
        if not matrices:
            return []
        if self.quantized and len(matrices) > 1:
            return [heads for matrix in matrices for heads in self.run_heads([matrix])]
        lengths = np.array([matrix.shape[0] for matrix in matrices], dtype=np.int64)
        if lengths.min() < 1:
            raise AudioTooShortError("expected at least one frame in every item, got an empty one")
        return self.run_padded(_padded(matrices), lengths)

    def run_padded(self, batch: Features, lengths: Ints) -> list[HeadLogProbs]:
        """Run the graph itself.

        Args:
            batch: (batch, frames, bins) float32; what lies beyond an item's length is ignored.
            lengths: (batch,) int64, frames of each item, at least 1.

        Returns:
            Posteriors of each item, cut to its own frames T'.
        """
        log_probs, out_lengths, *phonemes = self._session.run(
            list(output_names(self.spec)), {"features": batch, "lengths": lengths}
        )
        return [
            HeadLogProbs(log_probs[i, :length], phonemes[0][i, :length] if phonemes else None)
            for i, length in enumerate(out_lengths)
        ]

    def interpret(self, heads: HeadLogProbs, duration_s: float) -> Posteriors:
        """What the graph gave for a recording of so many seconds, with its meaning and clock."""
        phonemes = None
        if self.spec.phonemes is not None and heads.phonemes is not None:
            phonemes = PhonemePosteriors(heads.phonemes, self.spec.phonemes)
        clock = FrameClock(self.spec.frame_s, duration_s)
        return Posteriors(heads.characters, self.spec.alphabet, clock, phonemes)


def _padded(matrices: Sequence[Features]) -> Features:
    """Matrices (frames, bins) as one batch (batch, frames, bins) float32, zeros at the end."""
    if len(matrices) == 1:
        return np.ascontiguousarray(matrices[0], dtype=np.float32)[np.newaxis]
    longest = max(matrix.shape[0] for matrix in matrices)
    batch = np.zeros((len(matrices), longest, matrices[0].shape[1]), dtype=np.float32)
    for row, matrix in zip(batch, matrices, strict=True):
        row[: matrix.shape[0]] = matrix
    return batch


def encode_filterbank(filterbank: npt.NDArray[np.float32]) -> str:
    """(n_mels, n_fft // 2 + 1) float32 -> base64 of its little-endian bytes."""
    return base64.b64encode(filterbank.astype("<f4").tobytes()).decode("ascii")


def decode_filterbank(text: str, spec: ModelSpec) -> npt.NDArray[np.float32]:
    """Read what `encode_filterbank` wrote; ModelFileError if its size is not the spec's."""
    shape = (spec.features.n_mels, spec.features.n_fft // 2 + 1)
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise ModelFileError(f"expected a mel filterbank in base64: {error}") from error
    if len(data) != 4 * shape[0] * shape[1]:
        raise ModelFileError(f"expected a mel filterbank of {shape} float32, got {len(data)} bytes")
    return np.frombuffer(data, dtype="<f4").reshape(shape).astype(np.float32)


def open_session(path: Path, threads: int) -> tuple[Any, str]:
    """An ONNX model as a session of ONNX Runtime, and its SHA-256; ModelFileError if it is none."""
    if not path.is_file():
        raise ModelFileError(f"expected a model file, got {path}, which does not exist")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # A memory pattern is kept for each shape of input, and no two recordings have the same. After
    # 100 batches of four lengths: 225 MB without patterns, 279 with, 298 without the arena as well;
    # all equally fast.
    options.enable_mem_pattern = False
    # By its path, a session of the English model takes 70 MB; by its bytes, 100.
    try:
        session = onnxruntime.InferenceSession(
            path, sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime's exceptions share no base of their own
        raise ModelFileError(f"{path}: expected an ONNX model: {error}") from error
    with path.open("rb") as file:
        return session, hashlib.file_digest(file, "sha256").hexdigest()


def output_names(spec: ModelSpec) -> tuple[str, ...]:
    """Names of the graph's outputs, in order."""
    return OUTPUTS if spec.phonemes is None else (*OUTPUTS, PHONEME_OUTPUT)


def _check_graph(session: onnxruntime.InferenceSession, spec: ModelSpec, path: str | Path) -> None:
    inputs = tuple(node.name for node in session.get_inputs())
    outputs = tuple(node.name for node in session.get_outputs())
    if inputs != INPUTS or outputs != output_names(spec):
        raise ModelFileError(
            f"{path}: expected inputs {INPUTS} and outputs {output_names(spec)}, "
            f"got {inputs} and {outputs}"
        )
    bins, classes = session.get_inputs()[0].shape[-1], session.get_outputs()[0].shape[-1]
    if (bins, classes) != (spec.features.bins, spec.alphabet.size):
        raise ModelFileError(
            f"{path}: expected {spec.features.bins} bins and {spec.alphabet.size} classes as its "
            f"spec says, got {bins} and {classes}"
        )
    if spec.phonemes is not None:
        phoneme_classes = session.get_outputs()[-1].shape[-1]
        if phoneme_classes != spec.phonemes.size:
            raise ModelFileError(
                f"{path}: expected {spec.phonemes.size} phoneme classes as its spec says, "
                f"got {phoneme_classes}"
            )
