"""Bottlenecks fitted into a model that has learned without them.

Of what its cells are given, W y + b, a recurrent layer keeps the directions in which most happens:
W is replaced by the product of rank r that is nearest to it on speech, not entry by entry. With C
the covariance of y, that is U_r U_r' W, where W C^(1/2) = U S V'; what W y is in the mean over the
rest goes into b. Both directions read the same r numbers. (Prabhavalkar et al. 2016, "On the
compression of recurrent neural networks with an application to LVCSR acoustic modeling for embedded
speech recognition", share the projection between layer and recurrence instead.)
"""

import copy
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import cast

import torch
from torch import Tensor, nn

from training.data.dataset import Batch
from training.model.network import AcousticModel, RecurrentLayer, own_frames

_RIDGE = 1e-6
"""Added to the variances, as a share of their mean, where speech leaves a direction empty."""


def fits(weights: Mapping[str, Tensor], model: AcousticModel) -> bool:
    """Whether `model` has bottlenecks and `weights` are of layers as large without."""
    narrow = model.state_dict().get("layers.0.bottleneck.weight")
    reads = weights.get("layers.0.forwards.weight_ih_l0")
    if narrow is None or reads is None or "layers.0.bottleneck.weight" in weights:
        return False
    cells = model.state_dict()["layers.0.forwards.weight_ih_l0"].shape[0]
    return tuple(reads.shape) == (cells, narrow.shape[1])


@torch.inference_mode()
def narrowed(
    weights: Mapping[str, Tensor], model: AcousticModel, batches: Iterable[Batch]
) -> dict[str, Tensor]:
    """Weights for `model`, of a bottleneck's form, that are as near as can be to `weights`.

    Args:
        weights: under the names of the same model without bottlenecks; layers it lacks stay out.
        model: of the form to be made.
        batches: speech to be near on.
    """
    result = dict(weights)
    for number, y in enumerate(_inputs(weights, model, batches)):
        result |= factors(weights, f"layers.{number}", y, model.config.bottleneck)
    return result


def _inputs(
    weights: Mapping[str, Tensor], model: AcousticModel, batches: Iterable[Batch]
) -> list[Tensor]:
    """What each layer that `weights` know reads in `batches`, (frames, width) float64 each."""
    wide = _wide(weights, model)
    seen: list[list[Tensor]] = [[] for _ in wide.layers]
    for layer, kept in zip(wide.layers.children(), seen, strict=True):
        cast("RecurrentLayer", layer).norm.register_forward_hook(
            lambda _layer, _x, y, kept=kept: kept.append(y)
        )
    frames: list[Tensor] = []
    for batch in batches:
        lengths = wide.heads(batch.features, batch.lengths).lengths
        frames.append(own_frames(lengths, int(lengths.max())))
    return [
        torch.cat([y[own] for y, own in zip(kept, frames, strict=True)]).double() for kept in seen
    ]


def _wide(weights: Mapping[str, Tensor], model: AcousticModel) -> AcousticModel:
    """`model` without bottlenecks, as far up as `weights` go, with these."""
    wide = copy.deepcopy(model)
    config = replace(model.config, bottleneck=0)
    layers = [RecurrentLayer(config, model.norm.normalized_shape[0]) for _ in model.layers]
    known = sum(f"layers.{number}.norm.weight" in weights for number in range(len(layers)))
    wide.layers = nn.ModuleList(layers[:known])
    random = wide.state_dict()
    wide.load_state_dict(
        random
        | {
            name: values
            for name, values in weights.items()
            if name in random and random[name].shape == values.shape
        }
    )
    return wide.eval()


def factors(weights: Mapping[str, Tensor], layer: str, y: Tensor, rank: int) -> dict[str, Tensor]:
    """The bottleneck of rank `rank` of the layer `layer`, and what its directions read from it.

    Args:
        weights: of the layer without a bottleneck.
        layer: its name.
        y: what it reads on speech, (frames, width) float64.
        rank: numbers to read it through.
    """
    names = [
        f"{layer}.{direction}"
        for direction in ("forwards", "backwards")
        if f"{layer}.{direction}.weight_ih_l0" in weights
    ]
    wide = torch.cat([weights[f"{name}.weight_ih_l0"].double() for name in names])
    covariance = torch.cov(y.T)
    covariance += _RIDGE * covariance.diag().mean() * torch.eye(y.shape[1], dtype=torch.float64)
    u, s, _ = torch.linalg.svd(wide @ torch.linalg.cholesky(covariance), full_matrices=False)
    scale = s[:rank].sqrt()
    reads, narrow = u[:, :rank] * scale, (u[:, :rank].T @ wide) / scale[:, None]
    offset = (wide - reads @ narrow) @ y.mean(0)
    result = {f"{layer}.bottleneck.weight": narrow.float()}
    for name, rows, offsets in zip(
        names, reads.chunk(len(names)), offset.chunk(len(names)), strict=True
    ):
        bias = weights[f"{name}.bias_ih_l0"]
        result |= {
            f"{name}.weight_ih_l0": rows.float().contiguous(),
            f"{name}.bias_ih_l0": bias + offsets.to(bias.dtype),
        }
    return result
