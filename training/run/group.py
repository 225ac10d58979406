"""One run in several processes, as torchrun starts them, with the gradients of a single process.

Each process reads its own utterances of every batch, padded as in the whole batch. All sums over a
batch are sums over all processes: losses, numbers of labels, gradients, and the statistics of batch
normalisation. So losses and weights equal those of one process with the whole batch, up to rounding
and dropout. torch's DistributedDataParallel takes means of means instead, in which utterances of a
process with few labels would have a larger weight.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, cast

import torch
from torch import Tensor, distributed, nn

from otoscope.errors import ModelFileError
from training.data.dataset import Batch, Draw, Examples, draw_frames
from training.model.loss import Counts, Losses
from training.model.network import AcousticModel

_PATIENCE = timedelta(days=1)
"""Timeout, while only the first process evaluates; torchrun ends all if one fails."""

_ALONE = {"RANK": 0, "WORLD_SIZE": 1}
_LOSSES = ("total", "character", "phoneme", "intermediate", "inconsistency")


@dataclass
class Group:
    """The processes of a run, seen from one of them.

    Attributes:
        rank: its index; 0 writes and evaluates.
        size: number of processes.
        local_rank: its index on its machine.
        local_size: number of processes on its machine.
        weight: 0 if it has no utterance of the batch and repeats one of another process, else 1.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    local_size: int = 1
    weight: float = 1.0

    @classmethod
    @contextmanager
    def joined(cls, environment: Mapping[str, str]) -> Iterator["Group"]:
        """The group given by torchrun's variables; a single process without them."""
        if "RANK" not in environment:
            yield cls()
            return
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        distributed.init_process_group(backend, timeout=_PATIENCE)
        local = (int(environment.get(f"LOCAL_{name}", n)) for name, n in _ALONE.items())
        yield cls(distributed.get_rank(), distributed.get_world_size(), *local)
        distributed.destroy_process_group()  # not after an error: it would wait for the others

    @contextmanager
    def first_alone(self) -> Iterator[None]:
        """Run the block in a machine's first process, then in the others, with its results."""
        if self.size > 1 and self.local_rank:
            distributed.barrier()
        yield
        if self.size > 1 and not self.local_rank:
            distributed.barrier()

    def part(self, draws: Sequence[Draw]) -> list[Draw]:
        """The draws of a batch that this process reads; the first one if there are too few."""
        count = _utterances(draws)
        places = range(self.rank, count, self.size) or range(1)
        starts = range(0, len(draws), count)  # of each view
        return [draws[start + place] for start in starts for place in places]

    def share(self, batch: Batch, draws: Sequence[Draw], examples: Examples) -> Batch:
        """This process' part of a batch, padded as the whole batch; also sets `weight`."""
        self.weight = float(self.rank < _utterances(draws))
        frames = max(draw_frames(examples.examples, draw) for draw in draws)
        missing = frames - batch.features.shape[1]
        return replace(batch, features=nn.functional.pad(batch.features, (0, 0, 0, missing)))

    def totals(self, batch: Batch) -> tuple[Counts, int]:
        """Sums over all processes: numbers of labels, and rows of features."""
        own = [batch.label_lengths.sum(), batch.phoneme_lengths.sum(), batch.lengths.sum()]
        labels, phonemes, rows = self._sum(torch.stack(own) * int(self.weight))
        return Counts(labels, phonemes), int(rows)

    def any(self, flag: bool) -> bool:  # noqa: FBT001
        """Whether `flag` is true in one of the processes."""
        return bool(self._sum(torch.tensor(int(flag))))

    def sum_losses(self, losses: Losses, counts: Counts) -> Losses:
        """Losses of all processes, without gradients."""
        own = {name: getattr(losses, name) for name in _LOSSES}
        known = [0.0 if value is None else value.item() * self.weight for value in own.values()]
        summed = dict(zip(_LOSSES, self._sum(torch.tensor(known)), strict=True))
        absent = {name: None for name, value in own.items() if value is None}
        if "phoneme" in absent and counts.phonemes:
            del absent["phoneme"]  # another process had targets
        return Losses(**{**summed, **absent})

    def sum_gradients(self, model: nn.Module) -> None:
        """Set the gradient of each weight to that of the whole batch."""
        if self.size == 1:
            return
        weights = [one for one in model.parameters() if one.requires_grad]
        own = [torch.zeros_like(one) if one.grad is None else one.grad for one in weights]
        flat = self._sum(torch.cat([one.flatten() for one in own]))
        for one, summed in zip(
            weights, torch.split(flat, [one.numel() for one in weights]), strict=True
        ):
            one.grad = summed.view_as(one)

    def sum_normalisation(self, model: AcousticModel) -> None:
        """Let batch normalisation use statistics of the whole batch; its weights stay the same."""
        if self.size > 1:
            for module in model.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.__class__ = GroupNormalisation
                    cast("GroupNormalisation", module).group = self

    def seed(self, seed: int, step: int) -> None:
        """Seed dropout by the step, except in the first process, so that runs can be resumed."""
        if self.rank:
            torch.manual_seed(hash((seed, self.rank, step)))

    def require_same(self, step: int) -> None:
        """Check that all processes continue from the same checkpoint.

        Raises:
            ModelFileError: with their steps, if not.
        """
        if self.size == 1:
            return
        steps: list[Any] = [None] * self.size
        distributed.all_gather_object(steps, step)
        if len(set(steps)) > 1:
            raise ModelFileError(
                "expected all processes of a run to see the same folder with its last.pt, got "
                f"runs at steps {', '.join(map(str, steps))}"
            )

    def _sum(self, values: Tensor) -> Tensor:
        if self.size > 1:
            distributed.all_reduce(values)
        return values


def _utterances(draws: Sequence[Draw]) -> int:
    """Number of utterances in a batch, which has all in a first view, then perhaps in a second."""
    return sum(draw.view == 0 for draw in draws)


class GroupNormalisation(nn.BatchNorm2d):
    """Batch normalisation by the statistics of all processes."""

    group: Group

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, frames, bins) -> the same shape."""
        if not self.training:
            return super().forward(x)
        axes, weight = (0, 2, 3), self.group.weight
        sums = torch.cat([x.float().sum(axes), x.new_tensor([x.numel() / x.shape[1]]).float()])
        sums = _summed(sums * weight)
        count = sums[-1].detach()
        mean = (sums[:-1] / count)[None, :, None, None]
        centered = x.float() - mean
        variance = _summed(centered.square().sum(axes) * weight) / count
        self._remember(mean.detach().flatten(), variance.detach() * count / (count - 1))
        scale = self.weight * (variance + self.eps).rsqrt()
        y: Tensor = centered * scale[None, :, None, None] + self.bias[None, :, None, None]
        return y.to(x.dtype)

    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        momentum = cast("float", self.momentum)
        self.get_buffer("running_mean").lerp_(mean, momentum)
        self.get_buffer("running_var").lerp_(variance, momentum)
        self.get_buffer("num_batches_tracked").add_(1)


class _Sum(torch.autograd.Function):
    """The sum over all processes, whose gradient is the sum of theirs."""

    @staticmethod
    def forward(ctx: object, values: Tensor) -> Tensor:  # noqa: ARG004
        """(any shape) -> the same shape."""
        total = values.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> Tensor:  # noqa: ARG004
        """As `forward`."""
        total = gradient.clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(total)
        return total


def _summed(values: Tensor) -> Tensor:
    total: Tensor = _Sum.apply(values)  # type: ignore[no-untyped-call]
    return total
