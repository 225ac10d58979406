"""What happened in a run, a JSON line each: the source of its curves and its TensorBoard log."""

import json
from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter

from otoscope.atomic_files import replacing
from training.evaluation.metrics import DevScores
from training.model.loss import Losses

_LOSSES = {
    "character": "loss",
    "phoneme": "phoneme_loss",
    "intermediate": "intermediate_loss",
    "inconsistency": "inconsistency",
}
"""Attributes of `Losses`, and what they are called in the file."""


def read_rows(path: Path) -> list[dict[str, Any]]:
    """What `History` wrote."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


class History:
    """Appends to a file, mirrors to TensorBoard, and forgets what a resumed run does again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: SummaryWriter | None = None
        self._unsaved: list[dict[str, Any]] = []
        self.rows: list[dict[str, Any]] = []

    def add_step(self, step: int, losses: Losses, rate: float, gradient_norm: float) -> None:
        """One optimiser step: `loss` in nats a character, `phoneme_loss` in nats a phoneme."""
        values = {name: getattr(losses, attribute) for attribute, name in _LOSSES.items()}
        known = {name: value.item() for name, value in values.items() if value is not None}
        self._add({"step": step, **known, "learning_rate": rate, "gradient_norm": gradient_norm})

    def add_evaluation(self, step: int, epoch: int, scores: DevScores) -> None:
        """Dev error rates as fractions: pooled CER and PER if there is one, then each set's."""
        row: dict[str, Any] = {"step": step, "epoch": epoch, "dev_cer": scores.cer}
        if scores.per is not None:
            row["dev_per"] = scores.per
        for name, score in scores.sets.items():
            row[f"cer/{name}"] = score.characters.rate
            row[f"wer/{name}"] = score.words.rate
            if score.phonemes is not None:
                row[f"per/{name}"] = score.phonemes.rate
        self._add(row)

    def flush(self) -> None:
        """Write what is new to disk."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in self._unsaved)
        self._unsaved.clear()
        if self._writer is not None:
            self._writer.flush()

    def rewind(self, steps: int, epochs: int) -> None:
        """Read the file back and drop what came after so many steps and whole epochs."""
        self.rows = [
            row
            for row in read_rows(self._path)
            if row["step"] <= steps and row.get("epoch", 0) <= epochs
        ]
        text = "".join(json.dumps(row) + "\n" for row in self.rows)
        with replacing(self._path) as partial:
            partial.write_text(text, encoding="utf-8")
        self._unsaved.clear()
        self._writer = SummaryWriter(str(self._path.parent / "tensorboard"), purge_step=steps + 1)

    def _add(self, row: dict[str, Any]) -> None:
        self.rows.append(row)
        self._unsaved.append(row)
        if self._writer is None:
            self._writer = SummaryWriter(str(self._path.parent / "tensorboard"))
        for key, value in row.items():
            if key not in ("step", "epoch"):
                self._writer.add_scalar(key, value, row["step"])
