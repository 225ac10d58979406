"""A golden clip through the whole path before the service calls itself ready."""

import io
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import soundfile

from otoscope import ModelSpec, Recognition, longform
from otoscope.posteriors import LogProbs
from service.errors import NotReadyError
from service.inference.recognition import RecordingRecognizer
from service.inference.request_pool import RequestPool

_GOLDEN_S = 1.0
_ROW_TOLERANCE = 1e-3

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class WarmUp:
    """A warm-up that passed.

    Attributes:
        took_ms: from the golden clip's bytes to its posteriors.
        frames: output frames T' of the clip.
    """

    took_ms: float
    frames: int


class Readiness:
    """Whether the warm-up has passed."""

    def __init__(self) -> None:
        self._passed: WarmUp | None = None
        self._reason = "the warm-up is still running"

    def passed(self, warm_up: WarmUp) -> None:
        """Be ready from now on."""
        self._passed = warm_up

    def failed(self, reason: str) -> None:
        """Stay unready, and say why."""
        self._reason = reason

    def require(self) -> WarmUp:
        """The warm-up that passed; NotReadyError with the reason if none has."""
        if self._passed is None:
            raise NotReadyError(self._reason)
        return self._passed


async def warm_up(
    recognizers: Sequence[RecordingRecognizer], pool: RequestPool, readiness: Readiness
) -> bool:
    """Have each recognize the golden clip in the pool.

    Returns:
        Whether all passed. `readiness` is set then, with the result of the first.
    """
    try:
        passed = [await pool.run(partial(run_warmup, each)) for each in recognizers]
    except Exception as error:  # any error keeps the service unready, and is logged
        logger.exception("the warm-up failed; the service stays unready")
        readiness.failed(f"the warm-up failed: {error}")
        return False
    readiness.passed(passed[0])
    return True


def run_warmup(recording_recognizer: RecordingRecognizer) -> WarmUp:
    """Recognize the golden clip; NotReadyError unless its posteriors are as they must be."""
    spec = recording_recognizer.recognizer.spec
    clip = golden_clip(spec.features.sample_rate_hz)
    started_s = time.perf_counter()
    uncounted = replace(recording_recognizer, on_recognized=None)
    recognition = longform.run_through(uncounted.steps(clip))
    took_ms = 1000 * (time.perf_counter() - started_s)
    check(recognition, spec)
    return WarmUp(took_ms, recognition.posteriors.log_probs.shape[0])


def golden_clip(sample_rate_hz: int) -> bytes:
    """One second of a rising tone in seeded noise, as a 16-bit mono wav file's bytes."""
    time_s = np.arange(round(_GOLDEN_S * sample_rate_hz)) / sample_rate_hz
    tone = np.sin(2 * np.pi * (200.0 + 900.0 * time_s) * time_s)
    noise = np.random.default_rng(seed=0).standard_normal(time_s.size)
    samples = np.rint(32767 * (0.3 * tone + 0.02 * noise)).astype(np.int16)
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, sample_rate_hz, format="WAV")
    return buffer.getvalue()


def check(recognition: Recognition, spec: ModelSpec) -> None:
    """Refuse posteriors that are not finite, not distributions, or not one row a frame."""
    samples = round(_GOLDEN_S * spec.features.sample_rate_hz)
    frames = -(-spec.features.frames(samples) // spec.frame_stride)
    posteriors = recognition.posteriors
    _check_distributions(posteriors.log_probs, (frames, spec.alphabet.size))
    if spec.phonemes is not None:
        if posteriors.phonemes is None:
            raise NotReadyError("expected posteriors of phonemes as the spec says, got none")
        _check_distributions(posteriors.phonemes.log_probs, (frames, spec.phonemes.size))


def _check_distributions(log_probs: LogProbs, shape: tuple[int, int]) -> None:
    if log_probs.shape != shape:
        raise NotReadyError(f"expected posteriors of shape {shape}, got {log_probs.shape}")
    if not np.isfinite(log_probs).all():
        raise NotReadyError("expected finite log-probabilities, got NaN or infinite ones")
    furthest = float(np.abs(np.exp(log_probs).sum(axis=1) - 1.0).max())
    if furthest > _ROW_TOLERANCE:
        raise NotReadyError(f"expected rows that sum to 1, got one {furthest:g} away")
