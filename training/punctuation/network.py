"""The punctuation network: rows of a table, summed, and recurrent layers in both directions."""

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from otoscope.errors import ModelFileError
from otoscope.strict_json import Strict, dump, parse
from otoscope.written.features import COLUMNS
from otoscope.written.spec import CASES, MARKS, PunctuationSpec
from training.config import ModelConfig
from training.model.network import RecurrentLayer
from training.weights import checkpoint
from training.weights.from_onnx import punctuation_weights_of


@dataclass(frozen=True)
class PunctuationConfig(Strict):
    """The network's shape.

    Attributes:
        embedding: width of the table.
        hidden: width of a recurrent layer's direction.
        layers: recurrent layers.
    """

    embedding: int = 128
    hidden: int = 128
    layers: int = 2


class PunctuationModel(nn.Module):
    """Words and pauses -> log-probabilities of case and punctuation."""

    def __init__(self, config: PunctuationConfig, spec: PunctuationSpec) -> None:
        super().__init__()
        width = 2 * config.hidden
        self.config = config
        self.spec = spec
        self.words = nn.Embedding(spec.table_rows, config.embedding, padding_idx=0)
        self.pauses = nn.Embedding(spec.pause_classes, width)
        nn.init.normal_(self.words.weight, std=COLUMNS**-0.5)
        self.project = nn.Linear(config.embedding, width)
        layer = ModelConfig(rnn="gru", hidden=config.hidden, layers=config.layers, dropout=0.0)
        self.layers = nn.ModuleList([RecurrentLayer(layer, width) for _ in range(config.layers)])
        self.norm = nn.LayerNorm(width)
        self.case = nn.Linear(width, len(CASES))
        self.mark = nn.Linear(width, len(MARKS))

    def forward(self, words: Tensor, pauses: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Log-probabilities of padded windows.

        Args:
            words: (windows, words, COLUMNS) int64 rows.
            pauses: (windows, words) int64 classes.
            lengths: (windows,) int64; what lies beyond is ignored.

        Returns:
            (windows, words, cases) and (windows, words, marks) float32, natural log.
        """
        x = self.project(self.words(words).sum(dim=2)) + self.pauses(pauses)
        for layer in self.layers:
            x = layer(x, lengths)
        y = self.norm(x)
        return self.case(y).log_softmax(dim=-1), self.mark(y).log_softmax(dim=-1)


def save_model(path: Path, model: PunctuationModel) -> None:
    """Write weights, shape and spec."""
    checkpoint.save(
        path,
        {
            "weights": model.state_dict(),
            "spec": model.spec.to_json(),
            "config": dump(model.config),
        },
    )


def load_model(path: Path) -> PunctuationModel:
    """Read what `save_model` wrote, in evaluation mode; ModelFileError if it is something else."""
    state = checkpoint.load(path)
    config = parse(PunctuationConfig, state["config"], str(path))
    model = PunctuationModel(config, PunctuationSpec.from_json(state["spec"], str(path)))
    model.load_state_dict(state["weights"])
    return model.eval()


def load_weights(path: Path, model: PunctuationModel) -> None:
    """Load weights from a run's `punctuation.pt` or from a `punctuation.onnx` into a model.

    Raises:
        ModelFileError: if the file is neither, or has weights of other shapes.
    """
    if path.suffix == ".onnx":
        weights = punctuation_weights_of(path)
    else:
        weights = load_model(path).state_dict()
    expected = {name: tuple(one.shape) for name, one in model.state_dict().items()}
    got = {name: tuple(one.shape) for name, one in weights.items()}
    if got != expected:
        differing = sorted(set(got.items()) ^ set(expected.items()))
        raise ModelFileError(f"{path}: expected the shapes of a new model, got others: {differing}")
    model.load_state_dict(weights)
