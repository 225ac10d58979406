"""The shape of the network that a training run makes."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from otoscope.errors import SpecError
from otoscope.strict_json import Strict
from training.config.bounds import AtLeastOne


@dataclass(frozen=True)
class ModelConfig(Strict):
    """The network's shape.

    Attributes:
        encoder: what the recurrent layers read: two convolutions, or the pretrained Transformer
            encoder of Whisper, which needs `features.kind = "whisper"`.
        conv_channels: of the two 3x3 convolutions.
        time_strides: of the two; their product is the frame stride, 2 or 4.
        encoder_size: of the Whisper encoder.
        encoder_layers: of its blocks that are used, from below; 0 for all.
        pool_after: its blocks below the averaging of neighbouring rows, which leaves half as many:
            output frames of 40 ms, at half the cost above. Left out: frames of 20 ms.
        row_stride: rows of the Whisper encoder for an output frame. 2: each second row is read
            together with the one before and the one after it: frames of 40 ms, at half the cost of
            recurrent layers and search.
        frozen_layers: its blocks, from below and with the convolutions, that don't learn. What
            they give is computed once and cached. 0: all of it learns.
        rnn: the recurrent cell.
        bidirectional: whether layers read the recording backwards, too; streaming needs False.
        hidden: cells a direction.
        layers: recurrent layers.
        dropout: before each recurrent layer and before the output.
        phoneme_layer: recurrent layers below the phoneme head; 0 for no such head.
        intermediate_layer: recurrent layers below a second character head, which helps training
            (intermediate CTC; Lee and Watanabe 2021) and is not exported; 0 for no such head.
    """

    encoder: Literal["convolutions", "whisper"] = "convolutions"
    encoder_size: Literal["tiny", "base", "small"] = "base"
    encoder_layers: int = 0
    pool_after: int | None = None
    row_stride: int = 1
    frozen_layers: int = 0
    conv_channels: AtLeastOne = 32
    time_strides: tuple[int, int] = (2, 2)
    rnn: Literal["lstm", "gru"] = "lstm"
    bidirectional: bool = True
    hidden: AtLeastOne = 320
    layers: AtLeastOne = 3
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    phoneme_layer: int = 0
    intermediate_layer: int = 0

    def __post_init__(self) -> None:
        """Refuse strides that lose characters, and heads on layers that are not there."""
        if self.frame_stride not in (2, 4):
            named = "row_stride" if self.encoder == "whisper" else "time_strides"
            raise SpecError(
                f"model.{named}: expected 2 or 4 feature frames per output frame in all, "
                f"got {self.frame_stride}"
            )
        most = self.encoder_shape[2] if self.encoder == "whisper" else 0
        if not 0 <= self.frozen_layers <= most:
            raise SpecError(
                f"model.frozen_layers: expected 0 to {most} with encoder {self.encoder}, "
                f"got {self.frozen_layers}"
            )
        if self.pool_after is not None and not 1 <= self.pool_after <= most:
            raise SpecError(
                f"model.pool_after: expected 1 to {most} with encoder {self.encoder}, "
                f"got {self.pool_after}"
            )
        strides = (1, 2) if self.encoder == "whisper" else (1,)
        if self.row_stride not in strides:
            raise SpecError(
                f"model.row_stride: expected {' or '.join(map(str, strides))} with encoder "
                f"{self.encoder}, got {self.row_stride}"
            )
        for name in ("phoneme_layer", "intermediate_layer"):
            if not 0 <= getattr(self, name) <= self.layers:
                raise SpecError(
                    f"model.{name}: expected 0 to {self.layers}, got {getattr(self, name)}"
                )

    @property
    def encoder_shape(self) -> tuple[int, int, int]:
        """Width, heads and used blocks of the Whisper encoder (Radford et al. 2023, table 1)."""
        width, heads, layers = {"tiny": (384, 6, 4), "base": (512, 8, 6), "small": (768, 12, 12)}[
            self.encoder_size
        ]
        return width, heads, self.encoder_layers or layers

    @property
    def encoded_stride(self) -> int:
        """Feature frames per row of what the frozen layers give; 1 if none are frozen."""
        if not self.frozen_layers:
            return 1
        return 2 if self.pool_after is None or self.frozen_layers < self.pool_after else 4

    @property
    def frame_stride(self) -> int:
        """Feature frames per output frame."""
        if self.encoder == "whisper":
            return (2 if self.pool_after is None else 4) * self.row_stride
        return self.time_strides[0] * self.time_strides[1]
