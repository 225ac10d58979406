"""A recogniser that needs no network: it reads symbols that a script wrote into the samples.

A written recording holds, on the first sample of an output frame, which symbol is said there; noise
around it gives it a level, so that pauses are quiet. The model reads it as a bidirectional network
would: the same symbol comes some frames earlier or later in different windows, and what is half cut
off at the edge of a window is misheard.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from otoscope import ARPABET, ENGLISH, FrameClock, ModelSpec, PhonemePosteriors, Posteriors
from otoscope.posteriors import HeadLogProbs

SPEC = ModelSpec(phonemes=ARPABET)
HOP = SPEC.features.hop_samples
UNIT = SPEC.frame_stride * HOP
STEP = 1 / 64  # between the samples that stand for neighbouring classes
LEVEL = 0.9 * STEP / 2  # of the noise that symbols are said in
APART = 6  # frames from one symbol to the next
DRIFT = 2  # frames that a symbol may come early or late
HALF_HEARD = 9  # frames at the edge of a window in which symbols are misheard


@dataclass(frozen=True)
class Recording:
    """What was written.

    Attributes:
        samples: (samples,) float32 at 16 kHz.
        labels: the classes said, in order.
        frames: (labels,) the output frame of each.
    """

    samples: npt.NDArray[np.float32]
    labels: list[int]
    frames: list[int]

    @property
    def text(self) -> str:
        """The classes as letters, with one space between words."""
        return " ".join(ENGLISH.decode(self.labels).split())


def record(words: list[str], pauses: list[int], generator, ragged: int = 0) -> Recording:
    """Say `words`.

    Args:
        words: letters.
        pauses: frames of quiet after each word, 0 for none; a second of it goes before the first
            word and after the last.
        generator: numpy's, for the noise.
        ragged: samples to add after the last frame.
    """
    labels, frames, quiet = [], [], []
    now = 25
    for word, pause in zip(words, pauses, strict=True):
        for symbol in (*word, " "):
            labels.append(int(ENGLISH.encode(symbol)[0]))
            frames.append(now)
            now += APART
        quiet.append((now, now + pause))
        now += pause
    total = now + 25
    samples = (LEVEL * generator.uniform(-1, 1, total * UNIT + ragged)).astype(np.float32)
    for start, stop in (*quiet, (0, 20), (total - 20, total + 1)):
        samples[start * UNIT : stop * UNIT] = 0
    samples[: total * UNIT : UNIT] = 0
    samples[np.array(frames, dtype=int) * UNIT] = STEP * (1 + np.array(labels))
    return Recording(samples, labels, frames)


class ScriptedModel:
    """Stands in for a `Recognizer`; remembers how long its batches and windows were."""

    def __init__(self, phonemes: bool = True) -> None:
        self.spec = SPEC if phonemes else ModelSpec()
        self.batches: list[list[int]] = []

    def features(self, samples):
        """(frames, 1): the first sample of each hop."""
        return samples[: samples.size // HOP * HOP : HOP][:, None]

    def run_heads(self, matrices):
        self.batches.append([matrix.shape[0] for matrix in matrices])
        return [self._read(matrix[:: SPEC.frame_stride, 0]) for matrix in matrices]

    def interpret(self, heads, duration_s):
        phonemes = None
        if heads.phonemes is not None:
            phonemes = PhonemePosteriors(heads.phonemes, ARPABET)
        clock = FrameClock(self.spec.frame_s, duration_s)
        return Posteriors(heads.characters, ENGLISH, clock, phonemes)

    def _read(self, values):
        """Posteriors of one window, the same whenever it is heard."""
        generator = np.random.default_rng(abs(int(1e6 * values.sum())))
        drift = int(generator.integers(-DRIFT, DRIFT + 1))
        classes = np.rint(values / STEP).astype(int) - 1
        said = np.flatnonzero(classes >= 0)
        frames = values.size
        places = np.clip(said + drift, 0, frames - 1)
        labels = np.where(
            (said < HALF_HEARD) | (said >= frames - HALF_HEARD),
            generator.integers(0, ENGLISH.blank_index, said.size),
            classes[said],
        )
        characters = _confident(frames, places, labels, ENGLISH.size)
        if self.spec.phonemes is None:
            return HeadLogProbs(characters, None)
        late = np.clip(places + 1, 0, frames - 1)
        return HeadLogProbs(characters, _confident(frames, late, labels, ARPABET.size))


def _confident(frames, places, labels, classes):
    """log P (frames, classes) float32: 0.9 for each label at its place, or for the blank."""
    path = np.full(frames, classes - 1)
    path[places] = labels
    probs = np.full((frames, classes), 0.1 / (classes - 1), dtype=np.float32)
    probs[np.arange(frames), path] = 0.9
    return np.log(probs)
