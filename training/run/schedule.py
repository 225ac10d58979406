"""Learning rate and averaging over a run's steps, which may be few."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from training.config import OptimiserConfig

FEW_STEPS = 500
"""From nothing, less than this teaches a network nothing."""

_FLOOR = 0.01


def learning_rate(step: int, total_steps: int, optimiser: OptimiserConfig) -> float:
    """Linear warm-up to the peak, then a cosine down to a hundredth of it.

    Args:
        step: counted from 0.
        total_steps: of the whole run.
        optimiser: has the peak and the steps until then, see `warmup_steps`.
    """
    peak, warmup = optimiser.peak_learning_rate, warmup_steps(total_steps, optimiser)
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = min(1.0, (step - warmup) / max(1, total_steps - warmup))
    return peak * (_FLOOR + (1 - _FLOOR) * 0.5 * (1 + math.cos(math.pi * progress)))


def warmup_steps(total_steps: int, optimiser: OptimiserConfig) -> int:
    """Steps until the peak: those asked for, but a fifth of all at most."""
    return min(optimiser.warmup_steps, max(1, total_steps // 5))


def warnings(total_steps: int, optimiser: OptimiserConfig, *, begins_with_weights: bool) -> str:
    """What a run of few steps should know, lines for people; "" for one of many."""
    lines = []
    used = warmup_steps(total_steps, optimiser)
    if used < optimiser.warmup_steps:
        lines.append(
            f"optimiser.warmup_steps: {optimiser.warmup_steps} of {total_steps} steps in all would "
            f"leave few to learn in: {used} are used"
        )
    if total_steps < FEW_STEPS and not begins_with_weights:
        lines.append(
            f"{total_steps} steps are few: from nothing, a network takes thousands; raise "
            "loop.epochs, lower loop.batch_s, or begin with an encoder (--start)"
        )
    return "\n".join(lines)


def averaging(decay: float) -> Callable[[Sequence[Tensor], Sequence[Tensor], Tensor | int], None]:
    """An exponential moving average that soon forgets what it began with.

    After n steps, (1 + n) / (10 + n) of it is kept at a step, `decay` at most: else a short run's
    average would be little more than the first weights.
    """

    def average(averaged: Sequence[Tensor], current: Sequence[Tensor], steps: Tensor | int) -> None:
        kept = min(decay, (1 + int(steps)) / (10 + int(steps)))
        if averaged[0].is_floating_point():
            torch._foreach_lerp_(
                list(averaged), list(current), 1 - kept
            )  # as torch's own average does
        else:
            for ours, theirs in zip(averaged, current, strict=True):
                ours.copy_(theirs)

    return average
