"""Whisper's encoder: a Transformer that has learned from 680,000 hours of speech.

log-mel (batch, frames T, mels) -> two convolutions, the second of stride 2 -> positions ->
blocks of self-attention -> (batch, ceil(T / 2), width), a row each 20 ms (Radford et al. 2023,
"Robust Speech Recognition via Large-Scale Weak Supervision", section 2.2).

Above a chosen block there may be half as many rows, each a mean of neighbours: rows of 40 ms, for
half the work (token merging; Bolya et al. 2023, and for speech Li et al., "Accelerating Transducers
through Adjacent Token Merging", Interspeech 2023). Row i stays centred on i times 40 ms.

Whisper pads every recording to 30 s. Here inputs keep their own length: positions are cropped, and
attention and convolutions are masked by length, so an item's result does not depend on its batch
neighbours.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.model.masks import own_frames

STRIDE = 2


@dataclass(frozen=True)
class WhisperShape:
    """Sizes of an encoder, read off its weights.

    Attributes:
        mels: bins of the log-mel that it reads.
        width: of its rows.
        heads: of each block's attention; `width` is a multiple.
        layers: blocks.
        positions: most rows, 1500 for 30 s.
        pool_after: blocks below the halving of rows; None for none.
    """

    mels: int
    width: int
    heads: int
    layers: int
    positions: int = 1500
    pool_after: int | None = None


class WhisperEncoder(nn.Module):
    """The encoder. Module names are those of OpenAI's own checkpoints."""

    def __init__(self, shape: WhisperShape) -> None:
        super().__init__()
        self.shape = shape
        self.conv1 = nn.Conv1d(shape.mels, shape.width, 3, padding=1)
        self.conv2 = nn.Conv1d(shape.width, shape.width, 3, stride=STRIDE, padding=1)
        self.positional_embedding: Tensor
        self.register_buffer("positional_embedding", torch.zeros(shape.positions, shape.width))
        self.blocks = nn.ModuleList([Block(shape) for _ in range(shape.layers)])
        self.ln_post = nn.LayerNorm(shape.width)

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Encode a padded batch.

        Args:
            features: (batch, frames, mels) float32; what lies beyond an item's length is ignored.
            lengths: (batch,) int64, frames of each item.

        Returns:
            (batch, rows, width), a row for 2 frames, or 4 if rows are halved; and the lengths
            (batch,) in rows.
        """
        return self.upper(*self.lower(features, lengths, 0), 0)

    def lower(self, features: Tensor, lengths: Tensor, layers: int) -> tuple[Tensor, Tensor]:
        """What the first `layers` blocks give, to be continued by `upper`; as `forward`."""
        x = features.transpose(1, 2)  # (batch, mels, frames)
        x = functional.gelu(self.conv1(x * _own(x, lengths)))
        x = functional.gelu(self.conv2(x * _own(x, lengths))).transpose(1, 2)
        lengths = (lengths + STRIDE - 1) // STRIDE
        x = x + self.positional_embedding[: x.shape[1]]
        return self._run(x, lengths, range(layers))

    def upper(self, x: Tensor, lengths: Tensor, layers: int) -> tuple[Tensor, Tensor]:
        """What the blocks above the first `layers` make of those; as `forward`."""
        x, lengths = self._run(x, lengths, range(layers, len(self.blocks)))
        return self.ln_post(x), lengths

    def _run(self, x: Tensor, lengths: Tensor, numbers: range) -> tuple[Tensor, Tensor]:
        for number in numbers:
            x = self.blocks[number](x, _keys(x, lengths))
            if number + 1 == self.shape.pool_after:
                x, lengths = _halved(x, lengths)
        return x, lengths


class Block(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x))."""

    def __init__(self, shape: WhisperShape) -> None:
        super().__init__()
        width = shape.width
        self.attn_ln = nn.LayerNorm(width)
        self.attn = SelfAttention(width, shape.heads)
        self.mlp_ln = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(batch, frames, width), (batch, 1, 1, frames) bool -> (batch, frames, width)."""
        x = x + self.attn(self.attn_ln(x), mask)
        y: Tensor = x + self.mlp(self.mlp_ln(x))
        return y


class SelfAttention(nn.Module):
    """Scaled dot-product attention in several heads; keys have no bias, as in Whisper."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(batch, frames, width), (batch, 1, 1, frames) bool -> (batch, frames, width)."""
        query, key, value = (self._split(map_(x)) for map_ in (self.query, self.key, self.value))
        seen = self.attend(query, key, value, mask)
        merged: Tensor = self.out(seen.transpose(1, 2).flatten(2))
        return merged

    def attend(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
        """Means of the values, weighted by query and key: (batch, heads, frames, width / heads)."""
        return functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)

    def _split(self, x: Tensor) -> Tensor:
        """(batch, frames, width) -> (batch, heads, frames, width / heads)."""
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)


def _keys(x: Tensor, lengths: Tensor) -> Tensor:
    """Which frames of (batch, frames, width) a query may see: (batch, 1, 1, frames) bool."""
    return own_frames(lengths, x.shape[1])[:, None, None, :]


def _halved(x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Every second row, a mean of it (half) and its own neighbours: (batch, rows / 2, width)."""
    own = _own(x.transpose(1, 2), lengths).transpose(1, 2)
    rows = functional.pad(torch.cat([x * own, own], dim=2), (0, 0, 1, 1))
    sums = rows[:, :-2:2] + 2 * rows[:, 1:-1:2] + rows[:, 2::2]
    return sums[..., :-1] / sums[..., -1:].clamp(min=1), (lengths + 1) // 2


def _own(x: Tensor, lengths: Tensor) -> Tensor:
    """1 at an item's own frames, 0 in its padding: (batch, 1, frames) of x's dtype."""
    return own_frames(lengths, x.shape[2]).to(x.dtype).unsqueeze(1)
