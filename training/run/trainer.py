"""The training loop: batches in, checkpoints and figures out.

What a step does depends only on the run's state (weights, optimiser, torch's random state, the
place in the epoch), all of which is in every checkpoint: a run that is killed at any moment gives
the same weights when it is resumed; on a GPU but for rounding, whose sums have no order.
"""

import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import cast

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader
from tqdm import tqdm

from otoscope.errors import SpecError
from otoscope.strict_json import dump
from training.config import TrainingConfig
from training.data.dataset import Batch, Draw, Examples, collate, epoch_batches, row_s
from training.data.prepare import Prepared
from training.model.loss import Counts, Losses, all_losses
from training.model.network import AcousticModel, parameter_groups, untrained
from training.run import records, schedule, validation
from training.run.devices import loader_processes
from training.run.encoder_cache import encode
from training.run.group import Group
from training.run.metrics_log import History
from training.run.stopping import StopRequest, leave_signals_to_the_run
from training.weights import checkpoint
from training.weights.warm_start import warm_start

CPU = torch.device("cpu")


class Trainer:
    """One run in one folder: `last.pt` to resume from, `best.pt` to export."""

    def __init__(
        self,
        config: TrainingConfig,
        prepared: Prepared,
        folder: Path,
        start: Path | None = None,
        *,
        cache: Path | None = None,
        force: bool = False,
        group: Group | None = None,
        device: torch.device = CPU,
    ) -> None:
        """Build the model.

        Args:
            config: the run's choices.
            prepared: what it learns from.
            folder: of its checkpoints; a run that is there is resumed.
            start: weights that a new run begins with: another run's `best.pt`, a model.onnx, or
                Whisper's for the encoder.
            cache: folder for what frozen layers give; by default the run's.
            force: begin with weights that hardly fit, too.
            group: the processes that share the run; by default it is alone.
            device: that learns and evaluates.
        """
        self.config, self._group, self._device = config, group or Group(), device
        self._start, self._force = start, force
        self._began_with = str(start or "")
        self._cache = cache or folder
        self.prepared, self.folder = prepared, folder
        self.progress = checkpoint.Progress()
        torch.manual_seed(config.seed)
        self.model = untrained(config).to(device)
        for weights in self.model.frozen_weights().values():
            weights.requires_grad = False
        self.average = AveragedModel(
            self.model,
            multi_avg_fn=schedule.averaging(config.optimiser.average_decay),
            use_buffers=True,
        )
        self.optimiser = torch.optim.AdamW(
            parameter_groups(self.model, config.optimiser),
            lr=config.optimiser.peak_learning_rate,
            weight_decay=config.optimiser.weight_decay,
            fused=True,
        )
        self.history = History(folder / "history.jsonl")
        self._examples = Examples(prepared.examples, config, prepared.noise)
        self._total_steps = 0
        self._saved_at = time.monotonic()
        self._stop = StopRequest()

    def fit(self) -> bool:
        """Train from where the run is to its end.

        Returns:
            True at the end, False if SIGTERM or SIGINT stopped it; there is a checkpoint then.
        """
        self.resume()
        self._group.require_same(self.progress.step)
        self._group.sum_normalisation(self.model)
        if self.config.model.frozen_layers:
            with self._group.first_alone():
                self.prepared = encode(self.prepared, self.model, self.config, self._cache)
            self._examples = Examples(self.prepared.examples, self.config)
        self._total_steps = sum(len(self._batches(e)) for e in range(self.config.loop.epochs))
        if words := schedule.warnings(
            self._total_steps, self.config.optimiser, begins_with_weights=bool(self._began_with)
        ):
            tqdm.write(words)
        with self._stop.listening():
            return self._run()

    def _run(self) -> bool:
        while self.progress.epoch < self.config.loop.epochs:
            if not self._run_epoch():
                self._save()
                return False
            if not self._group.rank:
                self._evaluate()
            self.progress.epoch += 1
            self.progress.batch = 0
            self._save()
        return True

    def _run_epoch(self) -> bool:
        batches = self._batches(self.progress.epoch)[self.progress.batch :]
        loader = DataLoader(
            self._examples,
            batch_sampler=[self._group.part(draws) for draws in batches],
            collate_fn=collate,
            num_workers=loader_processes(self._device, self._group.local_size),
            prefetch_factor=4,
            worker_init_fn=leave_signals_to_the_run,
            generator=torch.Generator(),  # the default one is the model's, and part of the state
        )
        self.model.train()
        bar = tqdm(
            total=self._total_steps,
            initial=self.progress.step,
            desc=f"epoch {self.progress.epoch + 1}/{self.config.loop.epochs}",
            unit="step",
            mininterval=0.5 if sys.stderr.isatty() else 20,  # a log file gets a line now and then
            disable=self._group.rank > 0,
        )
        started_s, started_audio_s = time.monotonic(), self.progress.audio_s
        with bar:
            for draws, part in zip(batches, loader, strict=True):
                batch = self._group.share(part, draws, self._examples)
                loss = self._step(batch.to(self._device))
                speed = (self.progress.audio_s - started_audio_s) / (time.monotonic() - started_s)
                bar.set_postfix_str(f"loss {loss:.3f}, {speed:.0f} audio s/s", refresh=False)
                bar.update()
                if self._group.any(self._stop.came):
                    return False
                if time.monotonic() - self._saved_at > 60 * self.config.loop.checkpoint_minutes:
                    self._save()
        return True

    def _step(self, batch: Batch) -> float:
        optimiser, progress = self.config.optimiser, self.progress
        rate = schedule.learning_rate(progress.step, self._total_steps, optimiser)
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group["share"]
        self._group.seed(self.config.seed, progress.step)
        counts, rows = self._group.totals(batch)
        own = self._losses(batch, counts)
        losses = self._group.sum_losses(own, counts)
        if not torch.isfinite(losses.total):
            raise FloatingPointError(
                f"expected a finite loss, got {losses.total.item()} at step {progress.step}; "
                f"the last checkpoint is {self.folder / 'last.pt'}"
            )
        self.optimiser.zero_grad()
        (own.total * self._group.weight).backward()  # type: ignore[no-untyped-call]
        self._group.sum_gradients(self.model)
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), optimiser.clip_norm)
        self.optimiser.step()
        self.average.update_parameters(self.model)
        progress.step += 1
        progress.batch += 1
        progress.audio_s += rows * row_s(self._examples.examples, self.config)
        if not self._group.rank:
            self.history.add_step(progress.step, losses, rate, float(norm))
        return losses.character.item()

    def _losses(self, batch: Batch, counts: Counts) -> Losses:
        kind, enabled = self._device.type, self.config.loop.precision == "bf16"
        with torch.autocast(kind, torch.bfloat16, enabled=enabled):
            heads = self.model.heads(
                batch.features, batch.lengths, encoded=self.config.model.frozen_layers > 0
            )
        return all_losses(heads, batch, self.config.loss, counts)

    def _evaluate(self) -> None:
        """Measure the averaged weights after an epoch; without dev sets the newest are the best."""
        model, progress, epoch = self._averaged(), self.progress, self.progress.epoch + 1
        scores, texts = validation.evaluate(model, self.prepared.dev, self.config)
        if scores.cer is not None:
            self.history.add_evaluation(progress.step, epoch, scores)
            tqdm.write(f"epoch {epoch}: {scores}")
        if scores.cer is None or scores.cer < progress.best_cer:
            progress.best_cer = float("inf") if scores.cer is None else scores.cer
            hours = self.prepared.audio_hours
            spec = checkpoint.model_spec(self.config, model, hours, epoch, scores.cer)
            best = checkpoint.Exportable(model, spec, self.config)
            checkpoint.save_exportable(self.folder / "best.pt", best)
            records.save_dev_texts(self.folder, self.prepared.dev, texts, epoch)
        records.save_step(self.folder, model, self.prepared.dev, self.config, epoch)

    @property
    def _on_gpu(self) -> bool:
        return self._device.type == "cuda"

    def _averaged(self) -> AcousticModel:
        return cast("AcousticModel", self.average.module).eval()

    def _batches(self, epoch: int) -> list[list[Draw]]:
        return epoch_batches(self.prepared.examples, self.config, epoch)

    def _save(self) -> None:
        if self._group.rank:
            return
        self.history.flush()
        checkpoint.save(
            self.folder / "last.pt",
            {
                "config": dump(self.config),
                "start": self._began_with,
                "progress": vars(self.progress).copy(),
                "model": self.model.state_dict(),
                "average": self.average.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "torch_random": torch.get_rng_state(),
                **({"cuda_random": torch.cuda.get_rng_state()} if self._on_gpu else {}),
            },
        )
        self._saved_at = time.monotonic()

    def resume(self) -> None:
        """Go back to the folder's last checkpoint; without one, begin a new run."""
        path = self.folder / "last.pt"
        if not path.exists():
            if self._start is None and self.config.model.frozen_layers:
                raise SpecError(
                    "model.frozen_layers: expected a start with weights (--start, or start in the "
                    "configuration), got none"
                )
            self.folder.mkdir(parents=True, exist_ok=True)
            if self._start is not None:
                warm_start(
                    self._start, self.model, self.config, self.first_batches, force=self._force
                )
                self._averaged().load_state_dict(self.model.state_dict())
            return
        state = checkpoint.load(path)
        checkpoint.require_same(state["config"], dump(self.config), path)
        self._began_with = checkpoint.began_with(state, str(self._start or ""), path)
        self.progress = checkpoint.Progress(**state["progress"])
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        torch.set_rng_state(state["torch_random"])
        if self._on_gpu and "cuda_random" in state:
            torch.cuda.set_rng_state(state["cuda_random"])
        if not self._group.rank:
            self.history.rewind(self.progress.step, self.progress.epoch)
        tqdm.write(f"resuming at epoch {self.progress.epoch + 1}, step {self.progress.step}")

    def measure(self, most_steps: int) -> tuple[float, float]:
        """Take a few steps, to know how long all will take; the weights are of no use after that.

        Returns:
            Seconds that frozen layers and that learning take for a second of audio.
        """
        started = time.monotonic()
        frozen = self.config.model.frozen_layers > 0
        if frozen:
            self.prepared = encode(self.prepared, self.model, self.config, self._cache)
            self._examples = Examples(self.prepared.examples, self.config)
        encode_s = (time.monotonic() - started) * frozen
        hop_s, packs = self.config.features.hop_s, self.prepared.examples[0].packs
        row_seconds = row_s(self._examples.examples, self.config) if frozen else hop_s
        encoded_s = row_seconds * sum(int(pack.frames.sum()) for pack in packs)
        self.model.train()
        batches = list(islice(self.first_batches(), most_steps + 1))
        for batch in batches[:1]:
            self._step(batch)  # the first takes longer
        started, before_s = time.monotonic(), self.progress.audio_s
        for batch in batches[1:] or batches:
            self._step(batch)
        learned_s = max(self.progress.audio_s - before_s, row_seconds)
        return encode_s / max(encoded_s, 1.0), (time.monotonic() - started) / learned_s

    def first_batches(self) -> Iterator[Batch]:
        """Those of the first epoch, in order, made in this process."""
        for draws in self._batches(0):
            yield collate([self._examples[draw] for draw in draws]).to(self._device)
