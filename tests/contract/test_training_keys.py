"""docs/training.md explains every key that a configuration may have."""

import tomllib
from dataclasses import fields

import make_training_keys
import pytest

from training.config import CorpusConfig, Source, TrainingConfig
from training.config.explain import SECTIONS, explained, toml
from training.config_file import read_config


def test_the_page_is_what_the_dataclasses_say():
    page = make_training_keys.DOCUMENT.read_text(encoding="utf-8")
    assert page == make_training_keys.document(), "run `make configuration`"
    assert "| `warmup_steps` | `500` |" in page


@pytest.mark.parametrize("kind", SECTIONS.values(), ids=lambda kind: kind.__name__)
def test_each_key_is_explained(kind):
    words = explained(kind)
    assert {one.name for one in fields(kind)} == set(words)
    assert all(len(text) > 5 for text in words.values())


def test_a_configuration_that_is_written_is_read_again(tmp_path):
    corpus = CorpusConfig((Source("a.jsonl"), Source("b.jsonl", share=0.5)), ("dev.jsonl",))
    config = TrainingConfig(corpus, name="x", language="de")
    path = tmp_path / "x.toml"
    path.write_text(toml(config, "A head.\nOf two lines."), encoding="utf-8")
    assert read_config(path) == config
    assert path.read_text(encoding="utf-8").startswith("# A head.\n# Of two lines.\n")
    written = tomllib.loads(path.read_text(encoding="utf-8"))
    assert {name for name in SECTIONS if "." not in name and name} - {"features"} <= set(written)
