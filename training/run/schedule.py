"""The learning rate over a run."""

import math


def learning_rate(step: int, total_steps: int, peak: float, warmup_steps: int) -> float:
    """Linear warm-up to `peak`, then a cosine down to a hundredth of it.

    Args:
        step: counted from 0.
        total_steps: of the whole run.
        peak: the highest rate.
        warmup_steps: steps until then.
    """
    if step < warmup_steps:
        return peak * (step + 1) / warmup_steps
    progress = min(1.0, (step - warmup_steps) / max(1, total_steps - warmup_steps))
    floor = 0.01
    return peak * (floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * progress)))
