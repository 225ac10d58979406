from dataclasses import replace

import pytest
import torch

from onnx_export.graph import packed
from training.config import ModelConfig
from training.model.network import AcousticModel, RecurrentLayer

SMALL = ModelConfig(conv_channels=4, hidden=12, layers=2, dropout=0.0)
VARIANTS = {
    "lstm": SMALL,
    "gru": replace(SMALL, rnn="gru"),
    "unidirectional": replace(SMALL, bidirectional=False),
    "stride 2": replace(SMALL, time_strides=(2, 1)),
    "every second row": replace(
        SMALL, encoder="whisper", encoder_size="tiny", encoder_layers=1, row_stride=2
    ),
}


def build(config: ModelConfig) -> AcousticModel:
    torch.manual_seed(0)
    model = AcousticModel(config, bins=20, classes=6)
    model(torch.randn(4, 60, 20), torch.tensor([60, 50, 40, 30]))  # batch norm sees something
    return model.eval()


@pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS.keys())
def test_an_item_does_not_depend_on_its_neighbours_or_its_padding(config: ModelConfig) -> None:
    model = build(config)
    lengths = torch.tensor([41, 17, 1, 30])
    batch = 1e3 * torch.randn(4, 55, 20)
    items = [torch.randn(int(n), 20) for n in lengths]
    for row, item in zip(batch, items, strict=True):
        row[: item.shape[0]] = item
    with torch.inference_mode():
        together, out_lengths = model(batch, lengths)
        for row, item, out_length in zip(together, items, out_lengths, strict=True):
            alone, alone_length = model(item.unsqueeze(0), torch.tensor([item.shape[0]]))
            assert alone_length.item() == out_length == alone.shape[1]
            torch.testing.assert_close(row[:out_length], alone[0], atol=1e-5, rtol=0)


@pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS.keys())
def test_rows_are_log_probabilities(config: ModelConfig) -> None:
    log_probs, lengths = build(config)(torch.randn(2, 33, 20), torch.tensor([33, 20]))
    assert lengths.tolist() == [-(-n // config.frame_stride) for n in (33, 20)]
    torch.testing.assert_close(log_probs.exp().sum(-1), torch.ones(log_probs.shape[:2]))


@pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS.keys())
def test_everything_is_computed_where_the_weights_are(config: ModelConfig) -> None:
    """On the meta device, whose tensors meet no others: so a GPU's do not, either."""
    model = build(config).to("meta")
    heads = model.heads(torch.zeros(2, 33, 20).to("meta"), torch.tensor([33, 20]).to("meta"))
    assert heads.log_probs.device == heads.lengths.device == model.device == torch.device("meta")


@pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS.keys())
def test_directions_apart_and_packed_are_the_same_function(config: ModelConfig) -> None:
    model = build(config)
    x, lengths = torch.randn(3, 40, 20), torch.tensor([40, 25, 9])
    with torch.inference_mode():
        apart, out_lengths = model(x, lengths)
        together, _ = packed(model)(x, lengths)
    for a, b, n in zip(apart, together, out_lengths, strict=True):
        torch.testing.assert_close(a[:n], b[:n], atol=1e-5, rtol=0)


def test_the_backward_direction_reads_the_future() -> None:
    torch.manual_seed(0)
    x, lengths = torch.randn(1, 10, 24), torch.tensor([10])
    changed = x.clone()
    changed[0, 9, 0] += 1  # one bin: layer norm takes a common shift away
    for bidirectional in (True, False):
        config = replace(SMALL, bidirectional=bidirectional)
        layer = RecurrentLayer(config, 24 if bidirectional else 12).eval()
        width = 24 if bidirectional else 12
        first = layer(x[..., :width], lengths)[0, 0]
        moved = layer(changed[..., :width], lengths)[0, 0]
        assert torch.equal(first, moved) != bidirectional
