"""Small untrained models as a run would hand them to the export."""

from dataclasses import replace

import torch

from otoscope import FeatureSpec, PhonemeSet
from training.config import CorpusConfig, LossConfig, ModelConfig, TrainingConfig
from training.model.network import AcousticModel
from training.weights.checkpoint import Exportable, model_spec

WHISPER = FeatureSpec(kind="whisper", n_fft=400, preemphasis=0.0, log_guard=1e-10)
SMALL = ModelConfig(conv_channels=4, hidden=16, layers=2)
PLAIN = TrainingConfig(CorpusConfig((), ()), model=SMALL)
VARIANTS = {
    "lstm": PLAIN,
    "whisper": replace(
        PLAIN,
        features=WHISPER,
        model=replace(SMALL, encoder="whisper", encoder_size="tiny", encoder_layers=2),
    ),
    "whisper, halved": replace(
        PLAIN,
        features=WHISPER,
        model=replace(
            SMALL, encoder="whisper", encoder_size="tiny", encoder_layers=2, pool_after=1
        ),
    ),
    "whisper, every second row": replace(
        PLAIN,
        features=WHISPER,
        model=replace(
            SMALL, encoder="whisper", encoder_size="tiny", encoder_layers=2, row_stride=2
        ),
    ),
    "gru, stride 2": replace(PLAIN, model=replace(SMALL, rnn="gru", time_strides=(2, 1))),
    "unidirectional mfcc": replace(
        PLAIN, features=FeatureSpec(kind="mfcc"), model=replace(SMALL, bidirectional=False)
    ),
}
SMALL_WITH_PHONEMES = replace(SMALL, phoneme_layer=1)
PHONEMES = replace(PLAIN, model=SMALL_WITH_PHONEMES, loss=LossConfig(phoneme_weight=0.3))
PHONEME_VARIANTS = {
    "lstm": PHONEMES,
    "gru, stride 2, last layer": replace(
        PHONEMES,
        model=replace(SMALL_WITH_PHONEMES, rnn="gru", time_strides=(2, 1), phoneme_layer=2),
    ),
    "unidirectional, another set, intermediate": replace(
        PHONEMES,
        model=replace(SMALL_WITH_PHONEMES, bidirectional=False, intermediate_layer=1),
        loss=LossConfig(0.2, 0.2),
        phonemes=PhonemeSet(("x", "y")),
    ),
}


def untrained(config: TrainingConfig) -> Exportable:
    torch.manual_seed(0)
    bins = config.features.bins
    model = AcousticModel(config.model, bins, config.alphabet.size, config.phonemes.size)
    model(torch.randn(4, 60, bins), torch.tensor([60, 50, 40, 30]))
    spec = model_spec(config, model, audio_hours=0.0, epochs=0, dev_cer=1.0)
    return Exportable(model.eval(), spec, config)
