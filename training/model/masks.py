"""Which frames of a padded batch are an item's own."""

import torch
from torch import Tensor


def own_frames(lengths: Tensor, frames: int) -> Tensor:
    """Where an item has frames of its own and no padding: (batch, frames) bool."""
    return torch.arange(frames, device=lengths.device) < lengths.unsqueeze(1)
