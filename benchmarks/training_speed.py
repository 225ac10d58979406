"""How much audio a second the model learns from, with its recurrent layers in two forms."""

import torch

from benchmarks.ceilings import best_s
from onnx_export.graph import packed
from otoscope import FeatureSpec
from training.config import ModelConfig
from training.model.network import AcousticModel

_ITEMS, _FRAMES, _BINS, _CLASSES = 6, 1000, 80, 29
_HOP_S = FeatureSpec().hop_s


def measure_training() -> dict[str, float]:
    """Audio s per s of forward and backward passes, bf16, with the shipped model's size."""
    torch.manual_seed(0)
    model = AcousticModel(ModelConfig(layers=4), _BINS, _CLASSES).train()
    return {
        "two directions apart": _speed(model),
        "packed sequences": _speed(packed(model).train()),
    }


def _speed(model: AcousticModel) -> float:
    features = torch.randn(_ITEMS, _FRAMES, _BINS)
    lengths = torch.linspace(_FRAMES // 2, _FRAMES, _ITEMS).long().flip(0)

    def learn() -> None:
        model.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            log_probs, _ = model(features, lengths)
        log_probs.mean().backward()

    return float(lengths.sum()) * _HOP_S / best_s(learn)
