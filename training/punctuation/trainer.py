"""The training loop of the punctuation model: texts in, a checkpoint out."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from otoscope.arrays import Floats
from otoscope.errors import ModelFileError
from otoscope.strict_json import dump
from otoscope.written.features import pause_classes, word_rows
from otoscope.written.punctuator import Punctuation
from otoscope.written.spec import PunctuationSpec
from training.punctuation.balance import balance
from training.punctuation.batches import IGNORED, Batches, PunctuationBatch
from training.punctuation.network import (
    PunctuationConfig,
    PunctuationModel,
    load_weights,
    save_model,
)
from training.punctuation.scores import F1, score_text
from training.punctuation.text import LabelledText
from training.weights import checkpoint

_DEV_WORDS = 50_000
_SAVE_MINUTES = 5.0


@dataclass(frozen=True)
class TrainingOptions:
    """Choices of a run.

    Attributes:
        steps: of the optimiser.
        windows: a step.
        peak_learning_rate: after `warmup_steps`; it falls to nearly nothing along a cosine.
        warmup_steps: in which the rate rises.
        clip_norm: of the gradient.
        weight_decay: AdamW's.
        seed: of weights, windows and pauses.
        start: file of the weights to begin with, random ones if None.
    """

    steps: int = 12_000
    windows: int = 64
    peak_learning_rate: float = 3e-3
    warmup_steps: int = 300
    clip_norm: float = 1.0
    weight_decay: float = 1e-4
    seed: int = 0
    start: Path | None = None


def train(
    texts: Sequence[LabelledText],
    dev: Sequence[LabelledText],
    spec: PunctuationSpec,
    config: PunctuationConfig,
    options: TrainingOptions,
    *,
    folder: Path,
) -> dict[str, list[F1]]:
    """Train to the end, from `last.pt` in the folder if there is one; writes `punctuation.pt`.

    Returns:
        Scores of the dev texts with drawn pauses, by name.

    Raises:
        ModelFileError: if the checkpoint in the folder is of a run with other choices.
    """
    torch.manual_seed(options.seed)
    model = PunctuationModel(config, spec)
    if options.start is not None:
        load_weights(options.start, model)
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=1.0, weight_decay=options.weight_decay, fused=True
    )
    state = _State(model, optimiser, folder / "last.pt", _choices(spec, config, options, texts))
    batches = Batches(texts, spec)
    saved_at, started, begun = time.monotonic(), time.monotonic(), state.resume()
    bar = tqdm(
        range(begun, options.steps), unit="step", mininterval=10, initial=begun, total=options.steps
    )
    model.train()
    for step in bar:
        rate = learning_rate(step, options)
        for group in optimiser.param_groups:
            group["lr"] = rate
        # What is drawn depends on the step alone: a resumed run draws the same.
        torch.manual_seed(options.seed + step)
        batch = batches.draw(options.windows, np.random.default_rng((options.seed, step)))
        loss = _loss(model, batch)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), options.clip_norm)
        optimiser.step()
        words = (step + 1 - begun) * options.windows * spec.window_words
        speed = words / (time.monotonic() - started)
        bar.set_postfix_str(f"loss {loss.item():.3f}, {speed:.0f} words/s", refresh=False)
        if time.monotonic() - saved_at > 60 * _SAVE_MINUTES:
            state.save(step + 1)
            saved_at = time.monotonic()
    state.save(options.steps)
    model.eval()
    punctuator = TorchPunctuator(model)
    if dev:
        balance(model, punctuator.log_probs, dev, _DEV_WORDS)
    save_model(folder / "punctuation.pt", model)
    return {text.name: score_text(punctuator, text, _DEV_WORDS, pauses=True) for text in dev}


@dataclass
class _State:
    """A run's weights and its place, in a file."""

    model: PunctuationModel
    optimiser: torch.optim.Optimizer
    path: Path
    choices: dict[str, object]

    def save(self, step: int) -> None:
        """Write it; the next step is `step`."""
        checkpoint.save(
            self.path,
            {
                "step": step,
                "choices": self.choices,
                "weights": self.model.state_dict(),
                "optimiser": self.optimiser.state_dict(),
            },
        )

    def resume(self) -> int:
        """Go back to what was saved; the next step, 0 in a new run."""
        if not self.path.exists():
            return 0
        state = checkpoint.load(self.path)
        differing = [key for key in self.choices if state["choices"].get(key) != self.choices[key]]
        if differing:
            raise ModelFileError(
                f"{self.path} belongs to a run with other choices in {differing}; "
                "expected the same ones, or another folder"
            )
        self.model.load_state_dict(state["weights"])
        self.optimiser.load_state_dict(state["optimiser"])
        return int(state["step"])


def _choices(
    spec: PunctuationSpec,
    config: PunctuationConfig,
    options: TrainingOptions,
    texts: Sequence[LabelledText],
) -> dict[str, object]:
    facts = {key: value for key, value in dump(spec).items() if key not in ("lexicon", "created")}
    sizes = [text.words for text in texts]
    chosen = {**vars(options), "start": str(options.start)}
    return {**facts, **chosen, **dump(config), "text_words": sizes}


def learning_rate(step: int, options: TrainingOptions) -> float:
    """A line up to the peak, then a cosine to a hundredth of it at the last step."""
    if step < options.warmup_steps:
        return options.peak_learning_rate * (step + 1) / options.warmup_steps
    left = (step - options.warmup_steps) / max(1, options.steps - options.warmup_steps)
    return options.peak_learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * left)))


@dataclass(frozen=True)
class TorchPunctuator:
    """The torch model as `scores.Predict`: each passage is one window."""

    model: PunctuationModel

    def __call__(self, words: Sequence[str], pauses_s: Floats | None) -> Punctuation:
        """The most probable classes of each word."""
        cases, marks = (one.argmax(axis=1) for one in self.log_probs(words, pauses_s))
        return Punctuation(cases, marks)

    def log_probs(self, words: Sequence[str], pauses_s: Floats | None) -> tuple[Floats, Floats]:
        """Of the cases, (words, cases) float32, and of the marks, (words, marks); natural log."""
        spec = self.model.spec
        known = np.full(len(words), np.nan) if pauses_s is None else pauses_s
        with torch.inference_mode():
            cases, marks = self.model(
                torch.from_numpy(word_rows(words, spec.table_rows))[None],
                torch.from_numpy(pause_classes(known, spec.pause_edges_s))[None],
                torch.tensor([len(words)]),
            )
        return cases[0].numpy(), marks[0].numpy()


def _loss(model: PunctuationModel, batch: PunctuationBatch) -> torch.Tensor:
    """Negative log-likelihood of case and punctuation together, in nats a word."""
    cases, marks = model(batch.rows, batch.pauses, batch.lengths)
    losses = [
        nn.functional.nll_loss(log_probs.flatten(0, 1), labels.flatten(), ignore_index=IGNORED)
        for log_probs, labels in ((cases, batch.cases), (marks, batch.marks))
    ]
    return losses[0] + losses[1]
