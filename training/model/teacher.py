"""A model to learn from: its posteriors instead of texts alone (knowledge distillation).

Hinton, Vinyals and Dean 2015, "Distilling the knowledge in a neural network". The teacher hears
each utterance as it was before masks were laid on it, so it knows more than its pupil can hear.
"""

from pathlib import Path

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from otoscope import Recognizer
from otoscope.errors import ModelFileError
from training.config import TrainingConfig
from training.data.dataset import Batch
from training.model.network import Heads


class Teacher:
    """An exported model as the judge of batches."""

    def __init__(self, path: Path, config: TrainingConfig, threads: int) -> None:
        """Open `path`, 8-bit or exact.

        Raises:
            ModelFileError: if its inputs or outputs mean something else than the pupil's.
        """
        self._recognizer = Recognizer(path, threads=threads)
        spec = self._recognizer.spec
        theirs = (spec.features, spec.alphabet, spec.phonemes, spec.frame_stride)
        ours = (
            config.features,
            config.alphabet,
            config.head_phonemes,
            config.model.frame_stride,
        )
        for name, got, expected in zip(
            ("features", "alphabet", "phonemes", "frame stride"), theirs, ours, strict=True
        ):
            if got != expected:
                raise ModelFileError(
                    f"{path}: expected a teacher with the {name} of the run, {expected}, got {got}"
                )

    def heads(self, batch: Batch) -> Heads:
        """What it believes of a batch's `unmasked`; padding is 0."""
        heard = self._recognizer.run_heads(batch.unmasked)
        lengths = torch.tensor([one.characters.shape[0] for one in heard])
        phonemes = [one.phonemes for one in heard if one.phonemes is not None]
        return Heads(
            _pad([one.characters for one in heard]),
            lengths,
            _pad(phonemes) if phonemes else None,
            None,
        )


def _pad(rows: list[np.ndarray]) -> torch.Tensor:
    return pad_sequence([torch.from_numpy(row) for row in rows], batch_first=True)
