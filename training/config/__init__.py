"""A training run's choices, as frozen dataclasses; `training.config_file` reads them."""

from dataclasses import dataclass

from otoscope.errors import SpecError
from otoscope.features import FeatureSpec
from otoscope.spec import check_language
from otoscope.strict_json import Strict
from otoscope.vocabulary import ARPABET, ENGLISH, Alphabet, PhonemeSet
from training.config.data import AugmentConfig, CorpusConfig, Source
from training.config.learning import LoopConfig, LossConfig, OptimiserConfig
from training.config.network import ModelConfig

__all__ = [
    "AugmentConfig",
    "CorpusConfig",
    "LoopConfig",
    "LossConfig",
    "ModelConfig",
    "OptimiserConfig",
    "Source",
    "TrainingConfig",
]


@dataclass(frozen=True)
class TrainingConfig(Strict):
    """One training run.

    Attributes:
        corpus: what is read.
        name: of the model.
        language: that is spoken, an ISO 639 code such as "de"; "" if it is not said.
        start: weights that a new run begins with, as `fit --start` takes them; from the folder of
            the configuration. "" for none.
        seed: of everything that is drawn.
        alphabet: symbols that the model writes, as one string.
        phonemes: names of what the phoneme head tells apart, if there is one; ARPABET by default.
        features: how recordings become the network's input.
        model: the network's shape.
        augment: changes to the features while training.
        optimiser: how the weights are changed.
        loss: what is made small.
        loop: how long, how fast, how often.
    """

    corpus: CorpusConfig
    name: str = "english"
    language: str = ""
    start: str = ""
    seed: int = 1
    alphabet: Alphabet = ENGLISH
    phonemes: PhonemeSet = ARPABET
    features: FeatureSpec = FeatureSpec()
    model: ModelConfig = ModelConfig()
    augment: AugmentConfig = AugmentConfig()
    optimiser: OptimiserConfig = OptimiserConfig()
    loss: LossConfig = LossConfig()
    loop: LoopConfig = LoopConfig()

    def __post_init__(self) -> None:
        """Refuse a head without a loss, a loss without a head, and another encoder's features."""
        check_language(self.language)
        if (self.model.encoder == "whisper") != (self.features.kind == "whisper"):
            raise SpecError(
                "model.encoder and features.kind: expected whisper for both or neither, "
                f"got {self.model.encoder} and {self.features.kind}"
            )
        slowest_s = self.corpus.max_s * max(self.corpus.speeds) / min(self.corpus.speeds)
        if slowest_s > self.features.max_s:
            raise SpecError(
                f"corpus.max_s: expected at most {self.features.max_s:g} s at the slowest of the "
                f"speeds, which is what the encoder reads at once; got {slowest_s:.1f} s"
            )
        for head in ("phoneme", "intermediate"):
            layer = getattr(self.model, f"{head}_layer")
            weight = getattr(self.loss, f"{head}_weight")
            if (layer > 0) != (weight > 0):
                raise SpecError(
                    f"model.{head}_layer and loss.{head}_weight: expected both or neither above 0, "
                    f"got {layer} and {weight}"
                )

    @property
    def head_phonemes(self) -> PhonemeSet | None:
        """What the phoneme head's classes mean; None if there is no such head."""
        return self.phonemes if self.model.phoneme_layer else None
