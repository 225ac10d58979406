"""The acoustic model: convolutions, recurrent layers, log-softmax.

Features (batch, frames T, bins) -> two 3x3 convolutions that halve time and frequency -> `layers`
recurrent layers, pre-normalised and residual -> log P(c | x_t) (batch, T', V). Every convolution's
input is masked by length, so an item's result does not depend on its batch neighbours.

Lower layers may have heads of their own, over phonemes or over the characters again.
"""

import re
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from otoscope.posteriors import HeadLogProbs
from training.config import ModelConfig, OptimiserConfig, TrainingConfig
from training.model.masks import own_frames
from training.model.whisper import WhisperEncoder, WhisperShape

FREQUENCY_STRIDE = 2
STACKED_ROWS = 3
"""Rows of the encoder that an output frame reads where it has not one each."""


class Heads(NamedTuple):
    """Posteriors of every head for the same output frames, natural logs, float32.

    Attributes:
        log_probs: of the characters, (batch, T', classes).
        lengths: (batch,) int64 in output frames.
        phonemes: (batch, T', phoneme classes); None without that head.
        intermediate: of the characters, (batch, T', classes), from a lower layer; None without
            that head.
    """

    log_probs: Tensor
    lengths: Tensor
    phonemes: Tensor | None
    intermediate: Tensor | None

    def unpadded(self) -> list[HeadLogProbs]:
        """What the characters' and the phonemes' head say of each item, without its padding."""
        return [
            HeadLogProbs(
                self.log_probs[row, :length].cpu().numpy(),
                None if self.phonemes is None else self.phonemes[row, :length].cpu().numpy(),
            )
            for row, length in enumerate(self.lengths.tolist())
        ]


class AcousticModel(nn.Module):
    """RNN-CTC acoustic model (Graves et al. 2006; front end after Amodei et al. 2016)."""

    def __init__(
        self, config: ModelConfig, bins: int, classes: int, phoneme_classes: int = 0
    ) -> None:
        """Build untrained weights.

        Args:
            config: the network's shape.
            bins: of the features.
            classes: of the characters, the blank included.
            phoneme_classes: of the phoneme head if `config` has one, the blank included.
        """
        super().__init__()
        if config.phoneme_layer and not phoneme_classes:
            raise ValueError("expected the number of phoneme classes for the phoneme head, got 0")
        self.config = config
        if config.encoder == "whisper":
            shape = WhisperShape(bins, *config.encoder_shape, pool_after=config.pool_after)
            self.encoder = WhisperEncoder(shape)
            read = shape.width * (1 if config.row_stride == 1 else STACKED_ROWS)
        else:
            channels = config.conv_channels
            self.convolutions = nn.ModuleList(
                [
                    _conv(inputs, channels, stride)
                    for inputs, stride in zip((1, channels), config.time_strides, strict=True)
                ]
            )
            read = channels * _strided(_strided(bins))
        width = config.hidden * (2 if config.bidirectional else 1)
        self.project = nn.Linear(read, width)
        self.layers = nn.ModuleList([RecurrentLayer(config, width) for _ in range(config.layers)])
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(width, classes)
        # Last, so that the weights above begin as they do without these heads.
        self.phoneme_head = LowerHead(width, phoneme_classes) if config.phoneme_layer else None
        self.intermediate_head = LowerHead(width, classes) if config.intermediate_layer else None

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return self.output.weight.device

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Posteriors of the characters: `log_probs` and `lengths` of `heads`."""
        heads = self.heads(features, lengths)
        return heads.log_probs, heads.lengths

    def frozen_weights(self) -> dict[str, Tensor]:
        """Those of the encoder's convolutions and `frozen_layers` blocks; none if all learn."""
        count = self.config.frozen_layers
        frozen = (
            ["conv1", "conv2", *(f"blocks.{number}" for number in range(count))] if count else []
        )
        return {
            f"encoder.{module}.{name}": weights
            for module in frozen
            for name, weights in self.encoder.get_submodule(module).named_parameters()
        }

    def heads(self, features: Tensor, lengths: Tensor, *, encoded: bool = False) -> Heads:
        """Posteriors of a padded batch.

        Args:
            features: (batch, frames, bins) float32; what lies beyond an item's length is ignored.
            lengths: (batch,) int64, frames of each item.
            encoded: the features are what the encoder's frozen layers gave, (batch, rows, width),
                and the lengths are counted in its rows.
        """
        if self.config.encoder == "whisper":
            if encoded:
                x, lengths = self.encoder.upper(features, lengths, self.config.frozen_layers)
            else:
                x, lengths = self.encoder(features, lengths)
            if self.config.row_stride > 1:
                x, lengths = _stacked(x, lengths)
        else:
            x, lengths = self._convolved(features, lengths)
        x = self.project(x)  # (batch, T', width)
        phonemes = intermediate = None
        for number, layer in enumerate(self.layers, 1):
            x = layer(x, lengths)
            if self.phoneme_head is not None and number == self.config.phoneme_layer:
                phonemes = self.phoneme_head(x)
            if self.intermediate_head is not None and number == self.config.intermediate_layer:
                intermediate = self.intermediate_head(x)
        logits: Tensor = self.output(self.dropout(self.norm(x)))
        return Heads(logits.float().log_softmax(dim=-1), lengths, phonemes, intermediate)

    def _convolved(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, frames, bins) -> (batch, T', channels * bins left), and the lengths in T'."""
        x = x.unsqueeze(1)
        for convolution, stride in zip(self.convolutions, self.config.time_strides, strict=True):
            own = own_frames(lengths, x.shape[2]).to(x.dtype)
            x = torch.relu(convolution(x * own[:, None, :, None]))
            lengths = (lengths + stride - 1) // stride
        return x.transpose(1, 2).flatten(2), lengths


class LowerHead(nn.Module):
    """log-softmax(linear(norm(x))): the classes as a lower recurrent layer sees them."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, T', width) -> (batch, T', classes) float32, natural log."""
        logits: Tensor = self.output(self.norm(x))
        return logits.float().log_softmax(dim=-1)


class RecurrentLayer(nn.Module):
    """x + RNN(dropout(norm(x))), one layer in one or two directions.

    The directions are separate modules and the backward one reads its input reversed by a gather:
    several times faster to train on a CPU than packed sequences, and the same numbers.
    """

    def __init__(self, config: ModelConfig, width: int) -> None:
        super().__init__()
        cell = {"lstm": nn.LSTM, "gru": nn.GRU}[config.rnn]
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(config.dropout)
        self.forwards = cell(width, config.hidden, batch_first=True)
        self.backwards = (
            cell(width, config.hidden, batch_first=True) if config.bidirectional else None
        )

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """(batch, T', width), (batch,) -> (batch, T', width)."""
        y = self.dropout(self.norm(x))
        out, _ = self.forwards(y)
        if self.backwards is not None:
            order = _reversal(lengths, x.shape[1])
            back, _ = self.backwards(_gather(y, order))
            out = torch.cat([out, _gather(back, order)], dim=-1)
        summed: Tensor = x + out
        return summed


def untrained(config: TrainingConfig) -> AcousticModel:
    """The model that a run trains, with random weights."""
    return AcousticModel(
        config.model, config.features.bins, config.alphabet.size, config.phonemes.size
    )


def parameter_groups(model: AcousticModel, optimiser: OptimiserConfig) -> list[dict[str, Any]]:
    """The weights that learn, for torch's optimisers, each group with its `share` of the rate."""
    groups: dict[float, list[nn.Parameter]] = {}
    for name, weights in model.named_parameters():
        share = 1.0
        if name.startswith("encoder."):
            block = re.match(r"encoder\.blocks\.(\d+)\.", name)
            top = model.encoder.shape.layers - 1
            depth = top - int(block[1]) if block else 0 if "ln_post" in name else top + 1
            share = optimiser.encoder_share * optimiser.encoder_decay**depth
        if weights.requires_grad:
            groups.setdefault(share, []).append(weights)
    return [{"params": weights, "share": share} for share, weights in groups.items()]


def parameter_count(model: nn.Module) -> int:
    """Number of weights, those of frozen layers included."""
    return sum(p.numel() for p in model.parameters())


def describe(config: ModelConfig) -> str:
    """The architecture in words."""
    direction = "bidirectional" if config.bidirectional else "unidirectional"
    encoder = f"2 convolutions of {config.conv_channels} channels"
    if config.encoder == "whisper":
        width, _, layers = config.encoder_shape
        encoder = f"Whisper {config.encoder_size}'s encoder ({layers} layers of {width})"
    words = (
        f"{encoder} (time x{config.frame_stride}), "
        f"{config.layers} {direction} {config.rnn.upper()} layers of {config.hidden}"
    )
    if config.phoneme_layer:
        words += f", phonemes from layer {config.phoneme_layer}"
    if config.intermediate_layer:
        words += f", intermediate CTC from layer {config.intermediate_layer}"
    return words


def _stacked(x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Every second row between its neighbours: (batch, rows / 2, 3 width), and the lengths."""
    own = own_frames(lengths, x.shape[1]).to(x.dtype).unsqueeze(-1)
    rows = nn.functional.pad(x * own, (0, 0, 1, 1))
    return torch.cat([rows[:, :-2:2], rows[:, 1:-1:2], rows[:, 2::2]], dim=2), (lengths + 1) // 2


def _conv(inputs: int, outputs: int, time_stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, (time_stride, FREQUENCY_STRIDE), padding=1, bias=False),
        nn.BatchNorm2d(outputs),
    )


def _strided(size: int) -> int:
    return (size + FREQUENCY_STRIDE - 1) // FREQUENCY_STRIDE


def _reversal(lengths: Tensor, frames: int) -> Tensor:
    """Indices that turn each item's own frames around and leave its padding: (batch, frames)."""
    index = torch.arange(frames, device=lengths.device).expand(lengths.shape[0], -1)
    last = lengths.unsqueeze(1) - 1
    return torch.where(index <= last, last - index, index)


def _gather(x: Tensor, order: Tensor) -> Tensor:
    return x.gather(1, order.unsqueeze(-1).expand(-1, -1, x.shape[-1]))
