"""The facts of a trained model, as they go into its ModelSpec."""

from datetime import UTC, datetime

from otoscope.spec import ModelSpec, Provenance
from training.config import TrainingConfig
from training.model.network import AcousticModel, describe, parameter_count


def model_spec(
    config: TrainingConfig,
    model: AcousticModel,
    audio_hours: float,
    epochs: float,
    dev_cer: float | None,
) -> ModelSpec:
    """Describe `model` after `epochs` epochs of `audio_hours` hours."""
    return ModelSpec(
        name=config.name,
        features=config.features,
        alphabet=config.alphabet,
        frame_stride=config.model.frame_stride,
        phonemes=config.head_phonemes,
        provenance=Provenance(
            architecture=describe(config.model),
            parameters=parameter_count(model),
            audio_hours=round(audio_hours, 2),
            epochs=epochs,
            corpora=tuple(dict.fromkeys(source.manifest for source in config.corpus.train)),
            created=datetime.now(UTC).date().isoformat(),
            dev_cer=None if dev_cer is None else round(dev_cer, 4),
        ),
    )
