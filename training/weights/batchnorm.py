"""Batch normalisation taken out of the convolutions' weights, and put back to learn on.

In evaluation it is a factor and an offset a channel, which a convolution's kernel can take in
(Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference", section 3.2): what an exported graph holds, and the form in
which the weights of two models can be averaged.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from training.model.masks import own_frames
from training.model.network import AcousticModel

EPS = nn.BatchNorm2d(1).eps


def folded(name: str, kernel: Tensor, bias: Tensor) -> dict[str, Tensor]:
    """Weights of the convolution `name` where its normalisation does no more than add `bias`."""
    ones, zeros = torch.ones_like(bias), torch.zeros_like(bias)
    return {
        f"{name}.0.weight": kernel,
        f"{name}.1.weight": ones,
        f"{name}.1.bias": bias,
        f"{name}.1.running_mean": zeros,
        f"{name}.1.running_var": ones - EPS,
        f"{name}.1.num_batches_tracked": torch.tensor(0),
    }


def fold(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same function in evaluation, each convolution's normalisation taken in by its kernel.

    The result is a copy: it stays the same when the model learns.
    """
    result = {name: values.clone() for name, values in weights.items()}
    for entry in weights:
        if entry.endswith(".1.running_mean"):
            name = entry.removesuffix(".1.running_mean")
            scale, offset = _scale_and_offset(weights, f"{name}.1")
            kernel = weights[f"{name}.0.weight"] * scale[:, None, None, None]
            result |= folded(name, kernel, offset)
    return result


@torch.inference_mode()
def settle(model: AcousticModel, features: Tensor, lengths: Tensor) -> None:
    """Give normalisation the statistics of a batch; the function in evaluation stays the same.

    Without it a folded model becomes another function as soon as it learns, since normalisation
    then uses the statistics of each batch.

    Args:
        model: whose convolutions have learned already.
        features: (batch, frames, bins) float32, of speech like that of the run.
        lengths: (batch,) int64, frames of each item.
    """
    x = features.unsqueeze(1)
    for convolution, stride in zip(model.convolutions, model.config.time_strides, strict=True):
        x = x * own_frames(lengths, x.shape[2])[:, None, :, None]
        convolve, norm = convolution.children()
        y = convolve(x)
        mean, variance = y.mean(dim=(0, 2, 3)), y.var(dim=(0, 2, 3))
        scale, offset = _scale_and_offset(convolution.state_dict(), "1")
        settled = {
            "weight": scale * (variance + EPS).sqrt(),
            "bias": offset + scale * mean,
            "running_mean": mean,
            "running_var": variance,
        }
        norm.load_state_dict(norm.state_dict() | settled)
        x = torch.relu(convolution.eval()(x))
        convolution.train()
        lengths = (lengths + stride - 1) // stride


def _scale_and_offset(weights: Mapping[str, Tensor], name: str) -> tuple[Tensor, Tensor]:
    """What the normalisation `name` multiplies by and adds in evaluation, (channels,) each."""
    scale = weights[f"{name}.weight"] / (weights[f"{name}.running_var"] + EPS).sqrt()
    return scale, weights[f"{name}.bias"] - weights[f"{name}.running_mean"] * scale
