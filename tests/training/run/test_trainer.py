"""Training on the tones: it learns, and a killed run goes on as if nothing had happened."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tone_runs import COMMAND, ENVIRONMENT, fit_arguments

from onnx_export.__main__ import main as export_main
from onnx_export.export import export
from otoscope import Alphabet, Recognizer
from otoscope.errors import ModelFileError
from training.__main__ import main
from training.config import TrainingConfig
from training.config_file import read_config
from training.data.prepare import prepare
from training.run.trainer import Trainer
from training.weights import checkpoint
from training.weights.batchnorm import fold


def history(run: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]


def test_it_learns_the_tones(whole_run: Path) -> None:
    best = checkpoint.load_exportable(whole_run / "best.pt")
    assert best.spec.provenance.dev_cer is not None
    assert best.spec.provenance.dev_cer < 0.1
    assert best.spec.alphabet.symbols == tuple("abcd ")
    losses = [row["loss"] for row in history(whole_run) if "loss" in row]
    assert losses[-1] < 0.3 * losses[0]


def test_it_writes_for_tensorboard(whole_run: Path) -> None:
    assert list((whole_run / "tensorboard").iterdir())


def test_kill_9_costs_nothing_but_time(
    whole_run: Path, config_path: Path, tones: Path, tmp_path: Path
) -> None:
    run = tmp_path / "killed"
    command = [*COMMAND, *fit_arguments(config_path, tones, run)]
    with subprocess.Popen(command, env=ENVIRONMENT) as process:
        while not _in_the_middle_of_an_epoch(run):
            assert process.poll() is None, "the run ended before it could be killed"
            time.sleep(0.1)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert main(fit_arguments(config_path, tones, run)) == 0
    expected, got = (checkpoint.load(one / "last.pt") for one in (whole_run, run))
    assert got["progress"] == expected["progress"]
    for part in ("model", "average"):
        for name, weights in expected[part].items():
            assert torch.equal(got[part][name], weights), name
    assert history(run) == history(whole_run)


def _in_the_middle_of_an_epoch(run: Path) -> bool:
    if not (run / "last.pt").exists():
        return False
    progress = checkpoint.load(run / "last.pt")["progress"]
    return progress["epoch"] >= 1 and progress["batch"] >= 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "whole_group"), [(signal.SIGTERM, False), (signal.SIGINT, True)]
)
def test_being_stopped_leaves_a_checkpoint(
    config_path: Path, tones: Path, tmp_path: Path, number: signal.Signals, whole_group: bool
) -> None:
    # A terminal's Ctrl-C reaches the process that prepares batches as well.
    run = tmp_path / "stopped"
    command = [*COMMAND, *fit_arguments(config_path, tones, run)]
    with subprocess.Popen(
        command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        while not (run / "last.pt").exists():
            assert process.poll() is None
            time.sleep(0.1)
        before = checkpoint.load(run / "last.pt")["progress"]["step"]
        (os.killpg if whole_group else os.kill)(process.pid, number)
        said, _ = process.communicate()
    assert process.returncode == 130
    assert "the same command continues" in said
    assert checkpoint.load(run / "last.pt")["progress"]["step"] > before


def test_another_configuration_does_not_resume(
    whole_run: Path, config_path: Path, tones: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = config_path.with_name("other.toml")
    other.write_text(config_path.read_text().replace("seed = 3", "seed = 4"))
    assert main(fit_arguments(other, tones, whole_run)) == 2
    assert "seed" in capsys.readouterr().err


def test_a_run_can_be_made_longer(
    whole_run: Path, config_path: Path, tones: Path, tmp_path: Path
) -> None:
    run = tmp_path / "longer"
    shutil.copytree(whole_run, run)
    longer = config_path.with_name("longer.toml")
    longer.write_text(config_path.read_text().replace("epochs = 4", "epochs = 5"))
    assert main(fit_arguments(longer, tones, run)) == 0
    steps = [checkpoint.load(one / "last.pt")["progress"]["step"] for one in (whole_run, run)]
    assert steps[0] < steps[1] == round(steps[0] * 5 / 4)


def test_a_run_from_before_a_setting_goes_on_with_its_default(
    whole_run: Path, config_path: Path, phoneme_config_path: Path, tones: Path, tmp_path: Path
) -> None:
    run = tmp_path / "old"
    shutil.copytree(whole_run, run)
    for name in ("last.pt", "best.pt"):
        state = checkpoint.load(run / name)
        del state["config"]["loss"], state["config"]["phonemes"]
        del state["config"]["corpus"]["pronunciations"]
        del (
            state["config"]["model"]["phoneme_layer"],
            state["config"]["model"]["intermediate_layer"],
        )
        if "spec" in state:
            spec = json.loads(state["spec"])
            del spec["phonemes"]
            state["spec"] = json.dumps(spec)
        checkpoint.save(run / name, state)
    assert main(fit_arguments(config_path, tones, run)) == 0
    old, new = (checkpoint.load_exportable(one / "best.pt") for one in (run, whole_run))
    assert (old.spec, old.config) == (new.spec, new.config)
    assert main(fit_arguments(phoneme_config_path, tones, run)) == 2


@pytest.mark.slow
def test_without_a_dev_set_the_newest_weights_are_the_best(
    config_path: Path, tones: Path, tmp_path: Path
) -> None:
    config = tones / "no-dev.toml"
    text = config_path.read_text().replace('dev = ["dev.jsonl"]', "dev = []")
    config.write_text(text.replace("epochs = 4", "epochs = 2"))
    run = tmp_path / "run"
    assert main(fit_arguments(config, tones, run)) == 0
    best, last = checkpoint.load_exportable(run / "best.pt"), checkpoint.load(run / "last.pt")
    assert best.spec.provenance.dev_cer is None
    assert best.spec.provenance.epochs == 2
    for name, weights in best.model.state_dict().items():
        assert torch.equal(weights, last["average"][f"module.{name}"]), name


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    path = tmp_path / "last.pt"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(ModelFileError, match=r"last\.pt"):
        checkpoint.load(path)


def test_export_and_evaluate_the_run(
    whole_run: Path, tones: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, figures = tmp_path / "model.onnx", tmp_path / "evaluation.json"
    assert export_main([str(whole_run / "best.pt"), "--out", str(model)]) == 0
    arguments = ["evaluate", "--model", str(model), "--json", str(figures), "--show", "2"]
    assert main([*arguments, str(tones / "dev.jsonl")]) == 0
    assert "hypothesis:" in capsys.readouterr().out
    document = json.loads(figures.read_text())
    assert document["model_sha256"] == Recognizer(model).sha256
    [row] = document["sets"]
    assert row["utterances"] == 10
    best = checkpoint.load_exportable(whole_run / "best.pt")
    assert row["rates"]["cer"] == pytest.approx(best.spec.provenance.dev_cer, abs=0.005)


def test_a_run_can_start_with_the_weights_of_another(
    whole_run: Path, config_path: Path, tones: Path, tmp_path: Path
) -> None:
    config = read_config(config_path)
    deeper = replace(config, model=replace(config.model, layers=2))
    trainer = Trainer(
        deeper, prepare(deeper, tones, tones / "cache"), tmp_path / "next", whole_run / "best.pt"
    )
    trainer.resume()
    learned = fold(checkpoint.load_exportable(whole_run / "best.pt").model.state_dict())
    for model in (trainer.model, trainer.average.module):
        weights = fold(model.state_dict())
        for name, values in learned.items():
            torch.testing.assert_close(weights[name], values, atol=1e-5, rtol=1e-4)
        assert any(name.startswith("layers.1.") for name in weights.keys() - learned.keys())


def test_a_run_can_start_with_an_exported_model(
    whole_run: Path, config_path: Path, tones: Path, tmp_path: Path
) -> None:
    learned = checkpoint.load_exportable(whole_run / "best.pt")
    export(learned, tmp_path / "model.onnx")
    config = read_config(config_path)
    config = replace(config, loop=replace(config.loop, epochs=1))
    prepared = prepare(config, tones, tones / "cache")
    trainer = Trainer(config, prepared, tmp_path / "next", tmp_path / "model.onnx")
    trainer.resume()
    x, lengths = torch.randn(2, 60, config.features.bins), torch.tensor([60, 41])
    for model in (trainer.model, trainer.average.module):
        got, _ = model.eval()(x, lengths)
        torch.testing.assert_close(got, learned.model(x, lengths)[0], atol=1e-4, rtol=1e-3)
    assert trainer.fit()


def test_what_a_run_starts_with_has_to_be_there(
    config_path: Path, tones: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = fit_arguments(config_path, tones, tmp_path / "run")
    assert main([*arguments, "--start", str(tmp_path / "none.pt")]) == 2
    assert "none.pt" in capsys.readouterr().err


def trainer_with(
    config: TrainingConfig, tones: Path, run: Path, start: Path, *, force: bool = False
) -> Trainer:
    return Trainer(config, prepare(config, tones, tones / "cache"), run, start, force=force)


def test_a_start_that_hardly_fits_is_refused_with_a_table(
    whole_run: Path,
    config_path: Path,
    tones: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = read_config(config_path)
    wider = replace(config, model=replace(config.model, hidden=64))
    with pytest.raises(ModelFileError, match="--force begins with them") as refusal:
        trainer_with(wider, tones, tmp_path / "a", whole_run / "best.pt").resume()
    assert re.search(r"layers\.0 +0 of +[\d,]+ taken \(new\)", str(refusal.value))
    assert re.search(r"convolutions +([\d,]+) of +\1 taken\n", str(refusal.value))
    trainer_with(wider, tones, tmp_path / "b", whole_run / "best.pt", force=True).resume()
    assert "% taken" in capsys.readouterr().out + capsys.readouterr().err


def test_of_another_alphabet_the_letters_are_taken_that_both_have(
    whole_run: Path, config_path: Path, tones: Path, tmp_path: Path
) -> None:
    config = read_config(config_path)
    other = replace(config, alphabet=Alphabet(tuple("bd caef")))
    trainer = trainer_with(other, tones, tmp_path / "next", whole_run / "best.pt")
    fresh = trainer.model.output.weight.clone()
    trainer.resume()
    learned = checkpoint.load_exportable(whole_run / "best.pt").model.output.weight
    old, new = config.alphabet.class_names, other.alphabet.class_names
    for place, symbol in enumerate(new):
        expected = learned[old.index(symbol)] if symbol in old else fresh[place]
        assert torch.equal(trainer.model.output.weight[place], expected), symbol


def test_a_run_that_goes_on_takes_no_other_start(
    whole_run: Path,
    config_path: Path,
    tones: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = [*fit_arguments(config_path, tones, whole_run), "--start"]
    assert main([*arguments, str(tmp_path / "other.pt")]) == 2
    assert "has begun with no weights" in capsys.readouterr().err
    begun = fit_arguments(config_path, tones, tmp_path / "begun")
    once = config_path.with_name("once.toml")
    once.write_text(config_path.read_text().replace("epochs = 4", "epochs = 1"))
    start = ["--start", str(whole_run / "best.pt")]
    assert main([begun[0], str(once), *begun[2:], *start]) == 0
    assert main([begun[0], str(once), *begun[2:], *start]) == 0
    assert main([begun[0], str(once), *begun[2:]]) == 0
