"""A model to learn from: its posteriors instead of texts alone (knowledge distillation).

Hinton, Vinyals and Dean 2015, "Distilling the knowledge in a neural network". The teacher reads
each utterance without masks, so it knows more than the model that learns from it can.
"""

from pathlib import Path

from otoscope import Recognizer
from otoscope.errors import ModelFileError
from training.config import TrainingConfig
from training.data.dataset import Batch, pad
from training.model.network import Heads


class Teacher:
    """An exported model, 8-bit or exact."""

    def __init__(self, path: Path, config: TrainingConfig, threads: int) -> None:
        """Open `path`.

        Raises:
            ModelFileError: if its inputs or outputs mean something else than those of the run.
        """
        self._recognizer = Recognizer(path, threads=threads)
        spec = self._recognizer.spec
        for name, got, expected in (
            ("features", spec.features, config.features),
            ("alphabet", spec.alphabet, config.alphabet),
            ("phonemes", spec.phonemes, config.head_phonemes),
            ("frame stride", spec.frame_stride, config.model.frame_stride),
        ):
            if got != expected:
                raise ModelFileError(
                    f"{path}: expected a teacher with the {name} of the run, {expected}, got {got}"
                )

    def heads(self, batch: Batch) -> Heads:
        """Posteriors of a batch's `unmasked`; padding is 0."""
        outputs = self._recognizer.run_heads(batch.unmasked)
        log_probs, lengths = pad([one.characters for one in outputs])
        phonemes = [one.phonemes for one in outputs if one.phonemes is not None]
        return Heads(log_probs, lengths, pad(phonemes)[0] if phonemes else None, None)
