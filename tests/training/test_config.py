from pathlib import Path

import pytest

from otoscope.errors import SpecError
from training.config import config_from_dict, config_to_dict, read_config

SHIPPED = sorted((Path(__file__).parents[2] / "training" / "configs").glob("*.toml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_configs_are_read_and_survive_a_checkpoint(path: Path) -> None:
    config = read_config(path)
    assert config_from_dict(config_to_dict(config), "checkpoint") == config


@pytest.mark.parametrize(
    ("toml", "named"),
    [
        ("[corpus]\ntrain = []\ndev = []\n[model]\nlayer = 3", "model.layer"),
        ("[corpus]\ntrain = []\ndev = []\n[model]\nlayers = 'three'", "model.layers"),
        ("[corpus]\ndev = []", "corpus.train"),
        ("[corpus]\ntrain = []\ndev = []\n[model]\ntime_strides = [1, 1]", "time_strides"),
        ("[corpus]\ntrain = [{manifest = 'a', share = 0.0}]\ndev = []", "share"),
        ("[corpus", "TOML"),
        ("[corpus]\ntrain = []\ndev = []\n[features]\nkind = 'chroma'", "kind"),
    ],
)
def test_a_wrong_file_is_refused_by_name(tmp_path: Path, toml: str, named: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(toml)
    with pytest.raises(SpecError, match=named):
        read_config(path)
