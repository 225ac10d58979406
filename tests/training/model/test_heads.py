"""The heads on lower layers: what they see, and that they change nothing above them."""

from dataclasses import replace

import pytest
import torch

from onnx_export.graph import packed
from training.config import ModelConfig
from training.model.network import AcousticModel, Heads, describe

PLAIN = ModelConfig(conv_channels=4, hidden=12, layers=2, dropout=0.0)
HEADS = replace(PLAIN, phoneme_layer=1, intermediate_layer=1)


def build(config: ModelConfig) -> AcousticModel:
    torch.manual_seed(0)
    model = AcousticModel(config, bins=20, classes=6, phoneme_classes=9)
    torch.manual_seed(1)
    model(torch.randn(4, 60, 20), torch.tensor([60, 50, 40, 30]))  # batch norm sees something
    return model.eval()


def both(heads: Heads) -> list[torch.Tensor]:
    assert heads.phonemes is not None
    assert heads.intermediate is not None
    return [heads.phonemes, heads.intermediate]


@pytest.mark.parametrize("layer", [1, 2])
def test_an_item_does_not_depend_on_its_neighbours_or_its_padding(layer: int) -> None:
    model = build(replace(HEADS, phoneme_layer=layer))
    lengths = torch.tensor([41, 17, 1, 30])
    batch = 1e3 * torch.randn(4, 55, 20)
    items = [torch.randn(int(n), 20) for n in lengths]
    for row, item in zip(batch, items, strict=True):
        row[: item.shape[0]] = item
    with torch.inference_mode():
        together = model.heads(batch, lengths)
        for place, item in enumerate(items):
            alone = model.heads(item.unsqueeze(0), torch.tensor([item.shape[0]]))
            for many, one in zip(both(together), both(alone), strict=True):
                frames = int(together.lengths[place])
                assert one.shape[1] == frames
                torch.testing.assert_close(many[place, :frames], one[0], atol=1e-5, rtol=0)


def test_rows_are_log_probabilities_of_the_head() -> None:
    heads = build(HEADS).heads(torch.randn(2, 33, 20), torch.tensor([33, 20]))
    for rows, classes in zip(both(heads), (9, 6), strict=True):
        assert rows.shape == (2, 9, classes)
        torch.testing.assert_close(rows.exp().sum(-1), torch.ones(2, 9))


def test_the_text_is_what_it_is_without_heads() -> None:
    plain, with_heads = build(PLAIN), build(HEADS)
    shared = {k: v for k, v in with_heads.state_dict().items() if "_head." not in k}
    assert shared.keys() == plain.state_dict().keys()
    for name, weights in plain.state_dict().items():
        assert torch.equal(shared[name], weights), name
    x, lengths = torch.randn(2, 40, 20), torch.tensor([40, 25])
    assert torch.equal(plain(x, lengths)[0], with_heads(x, lengths)[0])
    heads = plain.heads(x, lengths)
    assert (heads.phonemes, heads.intermediate) == (None, None)


def test_a_head_on_layer_1_does_not_see_layer_2() -> None:
    x, lengths = torch.randn(2, 40, 20), torch.tensor([40, 25])
    for layer, sees in ((1, False), (2, True)):
        model = build(replace(HEADS, phoneme_layer=layer, intermediate_layer=layer))
        before = both(model.heads(x, lengths))
        with torch.no_grad():
            for weights in model.layers[1].parameters():
                weights.add_(0.1)
        after = both(model.heads(x, lengths))
        assert all(torch.equal(a, b) != sees for a, b in zip(before, after, strict=True))


def test_directions_apart_and_packed_are_the_same_function() -> None:
    model = build(HEADS)
    x, lengths = torch.randn(3, 40, 20), torch.tensor([40, 25, 9])
    with torch.inference_mode():
        apart, together = model.heads(x, lengths), packed(model).heads(x, lengths)
    for a, b in zip(both(apart), both(together), strict=True):
        for row, n in enumerate(apart.lengths):
            torch.testing.assert_close(a[row, :n], b[row, :n], atol=1e-5, rtol=0)


def test_a_phoneme_head_needs_its_number_of_classes() -> None:
    with pytest.raises(ValueError, match="expected the number of phoneme classes"):
        AcousticModel(HEADS, bins=20, classes=6)


def test_the_heads_are_in_the_description() -> None:
    assert describe(PLAIN).endswith("2 bidirectional LSTM layers of 12")
    assert describe(HEADS).endswith("phonemes from layer 1, intermediate CTC from layer 1")
