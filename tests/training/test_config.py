from pathlib import Path

import pytest

from otoscope import ARPABET
from otoscope.errors import SpecError
from otoscope.strict_json import dump, parse
from training.config import TrainingConfig
from training.config_file import read_config
from training.model.network import AcousticModel, parameter_count

CONFIGS = Path(__file__).parents[2] / "training" / "configs"
WHISPER = """[features]
kind = "whisper"
n_fft = 400
preemphasis = 0.0
log_guard = 1e-10
[model]
encoder = "whisper"
"""
SHIPPED = sorted(CONFIGS.glob("*.toml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_configs_are_read_and_survive_a_checkpoint(path: Path) -> None:
    config = read_config(path)
    assert parse(TrainingConfig, dump(config), "checkpoint") == config


@pytest.mark.parametrize(
    ("toml", "named"),
    [
        ("[corpus]\ntrain = []\ndev = []\n[model]\nlayer = 3", "model.layer"),
        ("[corpus]\ntrain = []\ndev = []\n[model]\nlayers = 'three'", "model.layers"),
        ("[corpus]\ndev = []", "corpus.train"),
        ("[corpus]\ntrain = []\ndev = []\n[model]\ntime_strides = [1, 1]", "time_strides"),
        ("[corpus]\ntrain = [{manifest = 'a', share = 0.0}]\ndev = []", "share"),
        ("[corpus", "TOML"),
        ("[corpus]\ntrain = []\ndev = []\n[model]\nphoneme_layer = 4", "phoneme_layer.*0 to 3"),
        ("[corpus]\ntrain = []\ndev = []\n[model]\nphoneme_layer = -1", "phoneme_layer.*0 to 3"),
        ("[corpus]\ntrain = []\ndev = []\n[model]\nphoneme_layer = 2", "phoneme_weight.*both"),
        ("[corpus]\ntrain = []\ndev = []\n[loss]\nphoneme_weight = 0.3", "phoneme_layer.*both"),
        ("[corpus]\ntrain = []\ndev = []\n[loss]\nintermediate_weight = 0.1", "intermediate_layer"),
        ("[corpus]\ntrain = []\ndev = []\n[loss]\nphoneme_weight = 1.0", "below 1 in sum"),
        ("[corpus]\ntrain = []\ndev = []\n[loss]\nphoneme_weight = -0.1", "from 0 on"),
        ("[corpus]\ntrain = []\ndev = []\n[loss]\nword_weight = 0.1", "loss.word_weight"),
        (f"[corpus]\ntrain = []\ndev = []\n{WHISPER}frozen_layers = 7", "frozen_layers.*0 to 6"),
        (f"[corpus]\ntrain = []\ndev = []\n{WHISPER}pool_after = 0", "pool_after.*1 to 6"),
        (
            f"[corpus]\ntrain = []\ndev = []\n{WHISPER}pool_after = 1\nrow_stride = 2",
            "row_stride.*2 or 4.*got 8",
        ),
        ("[corpus]\ntrain = []\ndev = []\n[model]\nrow_stride = 2", "row_stride.*convolutions"),
        ("[corpus]\ntrain = []\ndev = []\n[model]\npool_after = 1", "pool_after.*convolutions"),
        (f"[corpus]\ntrain = []\ndev = []\nmax_s = 30.0\n{WHISPER}", "max_s.*30 s.*36.7 s"),
        ("phonemes = ['A', 'A']\n[corpus]\ntrain = []\ndev = []", "different phonemes"),
        ("[corpus]\ntrain = []\ndev = []\n[features]\nkind = 'chroma'", "kind"),
        *(
            (f"[corpus]\ntrain = []\ndev = []\n{line}", named)
            for line, named in (
                ("speeds = []", "speeds.*at least 1"),
                ("speeds = [0.0, 1.0]", "speeds.*greater than 0"),
                ("min_s = 9.0\nmax_s = 2.0", "min_s <= max_s"),
                ("[model]\nlayers = 0", "layers"),
                ("[model]\ndropout = 1.0", "dropout.*less than 1"),
                ("[augment]\nnoise_snr_db = [25.0, 5.0]", "noise_snr_db.*lowest.*25 and 5"),
                ("[augment]\nnoise_probability = 3.0", "noise_probability"),
                ("[augment]\ntime_masks_per_s = -1.0", "time_masks_per_s"),
                ("[optimiser]\npeak_learning_rate = 0.0", "peak_learning_rate"),
                ("[optimiser]\naverage_decay = 1.0", "average_decay"),
                ("[loop]\nepochs = 0", "epochs"),
                ("[loop]\nbatch_s = -1.0", "batch_s"),
            )
        ),
    ],
)
def test_a_wrong_file_is_refused_by_name(tmp_path: Path, toml: str, named: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(toml)
    with pytest.raises(SpecError, match=named):
        read_config(path)


def test_without_a_head_there_are_no_phonemes(tmp_path: Path) -> None:
    path = tmp_path / "plain.toml"
    path.write_text("[corpus]\ntrain = []\ndev = []")
    config = read_config(path)
    assert config.head_phonemes is None
    assert config.loss.character_weight == 1.0


def test_the_small_english_model_has_its_phoneme_head_on_layer_3_of_4() -> None:
    config = read_config(CONFIGS / "english-small.toml")
    assert config.head_phonemes == ARPABET
    assert (config.model.phoneme_layer, config.model.layers) == (3, 4)
    assert config.loss.character_weight == pytest.approx(0.7)
    model = AcousticModel(
        config.model, config.features.bins, config.alphabet.size, config.phonemes.size
    )
    assert parameter_count(model) <= 12e6
