"""The trained model with its layers in the form that ONNX runtimes run fast.

Training keeps the two directions of recurrent layers apart; ONNX's LSTM and GRU operators run both
at once and take each item's length, which is what a packed bidirectional nn.LSTM becomes. torch's
attention, exported, selects twice a score for rows without any key, which there are none of.
"""

import copy

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from training.model.network import AcousticModel, RecurrentLayer
from training.model.whisper import SelfAttention

HIDDEN = -1e9
"""Added to a score, so that its key has no weight."""


class PackedRecurrentLayer(nn.Module):
    """The same function as training's RecurrentLayer, as one packed recurrent module."""

    def __init__(self, trained: RecurrentLayer) -> None:
        super().__init__()
        self.norm = trained.norm
        self.rnn = type(trained.forwards)(
            trained.forwards.input_size,
            trained.forwards.hidden_size,
            batch_first=True,
            bidirectional=trained.backwards is not None,
        )
        weights = dict(trained.forwards.named_parameters())
        if trained.backwards is not None:
            backwards = trained.backwards.named_parameters()
            weights |= {f"{name}_reverse": value for name, value in backwards}
        self.rnn.load_state_dict(weights)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """(batch, T', width), (batch,) -> (batch, T', width)."""
        y = self.norm(x)
        packed = pack_padded_sequence(y, lengths, batch_first=True, enforce_sorted=False)
        out, _ = pad_packed_sequence(self.rnn(packed)[0], batch_first=True, total_length=x.shape[1])
        return x + out


class PlainAttention(SelfAttention):
    """The same function as training's, with a mask that is added."""

    def attend(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
        """As `SelfAttention.attend`."""
        scores = (query * query.shape[-1] ** -0.5) @ key.transpose(2, 3)
        hidden = (~mask).to(scores.dtype) * HIDDEN
        means: Tensor = (scores + hidden).softmax(dim=-1) @ value
        return means


class ExportedGraph(nn.Module):
    """What model.onnx holds: the characters and, where `model` has that head, the phonemes."""

    def __init__(self, model: AcousticModel) -> None:
        super().__init__()
        self.model = packed(model)

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, ...]:
        """Inputs as `AcousticModel.heads` -> log_probs, lengths and phonemes, all as there."""
        heads = self.model.heads(features, lengths)
        characters = (heads.log_probs, heads.lengths)
        return characters if heads.phonemes is None else (*characters, heads.phonemes)


def packed(model: AcousticModel) -> AcousticModel:
    """A copy of `model`, in evaluation mode, with packed recurrent layers and plain attention."""
    exported = copy.deepcopy(model)
    for module in exported.modules():
        if isinstance(module, SelfAttention):
            module.__class__ = PlainAttention
    exported.layers = nn.ModuleList(
        [PackedRecurrentLayer(layer) for layer in model.layers]  # type: ignore[arg-type]
    )
    return exported.eval()


def example_inputs(bins: int) -> tuple[Tensor, Tensor]:
    """A ragged batch to trace with: features (2, 50, bins) float32 and lengths (2,) int64."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, 50, bins, generator=generator), torch.tensor([50, 37])
