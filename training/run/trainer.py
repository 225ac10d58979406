"""The training loop: batches in, checkpoints and figures out.

What a step does depends on the run's state alone (weights, optimiser, torch's random state, the
place in the epoch), and all of it is in every checkpoint: a run killed at any moment goes on from
its last checkpoint as if nothing had happened.
"""

import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, cast

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader
from tqdm import tqdm

from otoscope.errors import SpecError
from otoscope.spec import ModelSpec
from training.config import TrainingConfig, config_to_dict
from training.data.dataset import Batch, Examples, collate, epoch_batches
from training.data.prepare import FRAMES_PER_S, Prepared
from training.evaluation.metrics import pooled_cer, pooled_per
from training.model.loss import Losses, all_losses
from training.model.network import AcousticModel
from training.model.teacher import Teacher
from training.run import validation
from training.run.metrics_log import History
from training.run.plots import Reporter
from training.run.schedule import learning_rate
from training.weights import checkpoint
from training.weights.provenance import model_spec
from training.weights.warm_start import begin_with


class Trainer:
    """One run in one folder: `last.pt` to resume from, `best.pt` to export."""

    def __init__(
        self,
        config: TrainingConfig,
        prepared: Prepared,
        folder: Path,
        start: Path | None = None,
        teacher: Teacher | None = None,
    ) -> None:
        """Build the model.

        Args:
            config: the run's choices.
            prepared: what it learns from.
            folder: of its checkpoints; a run that is there is gone on with.
            start: weights to begin a new run with: another run's `best.pt`, or a model.onnx.
            teacher: whose posteriors it learns; where `config.loss` has a weight for them.
        """
        if (teacher is not None) != (config.loss.teacher_weight > 0):
            raise SpecError(
                "loss.teacher_weight: expected above 0 with a teacher, 0 without one; got "
                f"{config.loss.teacher_weight} {'without' if teacher is None else 'with'} one"
            )
        self._teacher = teacher
        self.config = config
        self._start = start
        self.prepared = prepared
        self.folder = folder
        self.progress = checkpoint.Progress()
        torch.manual_seed(config.seed)
        self.model = AcousticModel(
            config.model, config.features.bins, config.alphabet.size, config.phonemes.size
        )
        self.average = AveragedModel(
            self.model,
            multi_avg_fn=get_ema_multi_avg_fn(config.optimiser.average_decay),  # type: ignore[no-untyped-call]
            use_buffers=True,
        )
        self.optimiser = torch.optim.AdamW(
            self.model.parameters(),
            lr=config.optimiser.peak_learning_rate,
            weight_decay=config.optimiser.weight_decay,
            fused=True,
        )
        self.history = History(folder / "history.jsonl")
        self.reporter = Reporter(folder, prepared.dev, config)
        self._shares = [source.share for source in config.corpus.train]
        self._examples = Examples(
            prepared.examples,
            config.features,
            config.augment,
            prepared.noise,
            seed=config.seed,
            space=config.alphabet.encode(" " if " " in config.alphabet.symbols else ""),
            unmasked=teacher is not None,
        )
        self._total_steps = sum(len(self._batches(e)) for e in range(config.loop.epochs))
        self._saved_at = time.monotonic()
        self._stopped = False

    def fit(self) -> bool:
        """Train from where the run is to its end.

        Returns:
            True at the end, False if SIGTERM or SIGINT broke it off after a checkpoint.
        """
        self.resume()
        signals = (signal.SIGTERM, signal.SIGINT)
        before = {number: signal.signal(number, self._ask_to_stop) for number in signals}
        try:
            return self._run()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _run(self) -> bool:
        while self.progress.epoch < self.config.loop.epochs:
            if not self._run_epoch():
                self._save()
                return False
            self._evaluate()
            self.progress.epoch += 1
            self.progress.batch = 0
            self._save()
        return True

    def _run_epoch(self) -> bool:
        batches = self._batches(self.progress.epoch)
        loader = DataLoader(
            self._examples,
            batch_sampler=batches[self.progress.batch :],
            collate_fn=collate,
            num_workers=1,
            prefetch_factor=4,
            worker_init_fn=_leave_signals_to_the_run,
            generator=torch.Generator(),  # the default one is the model's, and part of the state
        )
        self.model.train()
        bar = tqdm(
            total=len(batches),
            initial=self.progress.batch,
            desc=f"epoch {self.progress.epoch + 1}/{self.config.loop.epochs}",
            unit="step",
            mininterval=0.5 if sys.stderr.isatty() else 20,  # a log file gets a line now and then
        )
        with bar:
            started_s, started_audio_s = time.monotonic(), self.progress.audio_s
            for batch in loader:
                loss = self._step(batch)
                speed = (self.progress.audio_s - started_audio_s) / (time.monotonic() - started_s)
                left_s = (self._total_steps - self.progress.step) * (
                    (time.monotonic() - started_s) / max(1, bar.n - bar.initial + 1)
                )
                bar.set_postfix_str(
                    f"loss {loss:.3f}, {speed:.0f} audio s/s, {left_s / 60:.0f} min to the end",
                    refresh=False,
                )
                bar.update()
                if self._stopped:
                    return False
                if time.monotonic() - self._saved_at > 60 * self.config.loop.checkpoint_minutes:
                    self._save()
        return True

    def _step(self, batch: Batch) -> float:
        optimiser = self.config.optimiser
        rate = learning_rate(
            self.progress.step,
            self._total_steps,
            optimiser.peak_learning_rate,
            optimiser.warmup_steps,
        )
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        losses = self._losses(batch)
        if not torch.isfinite(losses.total):
            raise FloatingPointError(
                f"expected a finite loss, got {losses.total.item()} at step {self.progress.step}; "
                f"the last checkpoint is {self.folder / 'last.pt'}"
            )
        self.optimiser.zero_grad()
        losses.total.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), optimiser.clip_norm)
        self.optimiser.step()
        self.average.update_parameters(self.model)
        self.progress.step += 1
        self.progress.batch += 1
        self.progress.audio_s += batch.audio_frames / FRAMES_PER_S
        self.history.add_step(self.progress.step, losses, rate, float(norm))
        return losses.character.item()

    def _losses(self, batch: Batch) -> Losses:
        with torch.autocast("cpu", torch.bfloat16, enabled=self.config.loop.precision == "bf16"):
            heads = self.model.heads(batch.features, batch.lengths)
        teacher = None if self._teacher is None else self._teacher.heads(batch)
        return all_losses(heads, batch, self.config.loss, teacher)

    def _evaluate(self) -> None:
        """Judge the averaged weights after an epoch; without a dev set the newest are the best."""
        model, epoch = self._averaged(), self.progress.epoch + 1
        cer = self._dev_cer(model, epoch) if self.prepared.dev else None
        if cer is None or cer < self.progress.best_cer:
            self.progress.best_cer = float("inf") if cer is None else cer
            checkpoint.save_exportable(
                self.folder / "best.pt",
                checkpoint.Exportable(model, self._spec(cer), self.config),
            )
        self.reporter.draw(self.history, model, epoch)

    def _dev_cer(self, model: AcousticModel, epoch: int) -> float:
        """Measure, record and say the error rates on the dev sets; their pooled CER."""
        config = self.config
        scores = {
            dev.name: validation.evaluate(
                model, dev, config.features, config.alphabet, config.head_phonemes
            )
            for dev in self.prepared.dev
        }
        cer = pooled_cer([score.rates for score in scores.values()])
        per = pooled_per([score.phonemes for score in scores.values()])
        self.history.add_evaluation(self.progress.step, epoch, cer, per, scores)
        tqdm.write(
            f"epoch {epoch}: dev CER {100 * cer:.1f} % ("
            + ", ".join(f"{name} {100 * s.rates.cer:.1f}" for name, s in scores.items())
            + (")" if per is None else f"), PER {100 * per:.1f} %")
        )
        return cer

    def _averaged(self) -> AcousticModel:
        return cast("AcousticModel", self.average.module).eval()

    def _spec(self, cer: float | None) -> ModelSpec:
        epochs = self.progress.epoch + 1
        return model_spec(self.config, self.model, self.prepared.audio_hours, epochs, cer)

    def _batches(self, epoch: int) -> list[list[Any]]:
        loop = self.config.loop
        return epoch_batches(
            self.prepared.examples,
            self._shares,
            epoch=epoch,
            seed=self.config.seed,
            batch_frames=round(loop.batch_s * FRAMES_PER_S),
            by_length=epoch < loop.sorted_epochs,
            views=self.config.loss.views,
            join_share=self.config.augment.join_probability,
            join_frames=round(self.config.augment.join_max_s * FRAMES_PER_S),
        )

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self._stopped = True

    def _save(self) -> None:
        self.history.flush()
        checkpoint.save(
            self.folder / "last.pt",
            {
                "config": config_to_dict(self.config),
                "progress": vars(self.progress).copy(),
                "model": self.model.state_dict(),
                "average": self.average.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "torch_random": torch.get_rng_state(),
            },
        )
        self._saved_at = time.monotonic()

    def resume(self) -> None:
        """Go back to the folder's last checkpoint; without one, begin a new run."""
        path = self.folder / "last.pt"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            if self._start is not None:
                begin_with(self._start, self.model, self.first_batches)
                self._averaged().load_state_dict(self.model.state_dict())
            return
        state = checkpoint.load(path)
        checkpoint.require_same(state["config"], config_to_dict(self.config), path)
        self.progress = checkpoint.Progress(**state["progress"])
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        torch.set_rng_state(state["torch_random"])
        self.history.rewind(self.progress.step, self.progress.epoch)
        tqdm.write(f"resuming at epoch {self.progress.epoch + 1}, step {self.progress.step}")

    def first_batches(self) -> Iterator[Batch]:
        """Those of the first epoch, in order, made in this process."""
        for draws in self._batches(0):
            yield collate([self._examples[draw] for draw in draws])


def _leave_signals_to_the_run(worker: int) -> None:  # noqa: ARG001
    """Ctrl-C reaches every process of a terminal: the run stops its worker, no signal does."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
