"""A made-up language whose punctuation and capitals can be learned in seconds."""

import itertools

import numpy as np
import pytest
import torch

from otoscope.errors import ModelFileError
from otoscope.written.punctuator import Punctuation
from otoscope.written.spec import CASES, MARKS, PunctuationSpec
from training.__main__ import main
from training.punctuation import trainer
from training.punctuation.balance import balance
from training.punctuation.batches import IGNORED, Batches
from training.punctuation.network import PunctuationConfig, PunctuationModel, load_model
from training.punctuation.pauses import PAUSES, draw_pauses
from training.punctuation.scores import markdown_table, score
from training.punctuation.text import labelled_text, marks_of
from training.punctuation.trainer import TrainingOptions, train

SPEC = PunctuationSpec(table_rows=512, window_words=24, overlap_words=8)
CONFIG = PunctuationConfig(embedding=16, hidden=16, layers=1)
OPTIONS = TrainingOptions(steps=120, windows=16, peak_learning_rate=0.02, warmup_steps=10)


def write_text(path, sentences=400, seed=0):
    """Sentences that end with "end", questions with "eh", commas after "so"; "rome" is capital."""
    rng = np.random.default_rng(seed)
    lines = []
    for _ in range(sentences):
        middle = rng.choice(["a", "tree", "is", "so,", "Rome", "green"], size=rng.integers(2, 6))
        words = ["the", *middle, rng.choice(["end.", "eh?"])]
        lines.append(" ".join([words[0].capitalize(), *words[1:]]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def text(tmp_path):
    return labelled_text(write_text(tmp_path / "train.txt"), tmp_path / "cache")


@pytest.mark.slow
def test_what_a_language_shows_is_learned(text, tmp_path):
    dev = labelled_text(write_text(tmp_path / "dev.txt", 60, seed=1), tmp_path / "cache")
    scores = train([text], [dev], SPEC, CONFIG, OPTIONS, folder=tmp_path / "run")
    found = {one.name: one.f1 for one in scores["dev.txt"]}
    for name in ("comma", "full stop", "question mark", "capitals"):
        assert found[name] > 0.95, found
    assert load_model(tmp_path / "run" / "punctuation.pt").spec == SPEC


@pytest.mark.slow
def test_a_run_that_is_broken_off_goes_on_to_the_same_weights(text, tmp_path, monkeypatch):
    options = TrainingOptions(steps=6, windows=4, warmup_steps=2)
    train([text], [], SPEC, CONFIG, options, folder=tmp_path / "whole")
    monkeypatch.setattr(trainer, "_SAVE_MINUTES", 0.0)
    drawn = itertools.count()
    draw = Batches.draw

    def broken(*arguments):
        if next(drawn) == 3:
            raise KeyboardInterrupt
        return draw(*arguments)

    monkeypatch.setattr(Batches, "draw", broken)
    with pytest.raises(KeyboardInterrupt):
        train([text], [], SPEC, CONFIG, options, folder=tmp_path / "broken")
    train([text], [], SPEC, CONFIG, options, folder=tmp_path / "broken")
    whole, resumed = (
        load_model(tmp_path / name / "punctuation.pt") for name in ("whole", "broken")
    )
    for name, weights in whole.state_dict().items():
        assert torch.equal(weights, resumed.state_dict()[name]), name
    other = PunctuationConfig(embedding=16, hidden=8, layers=1)
    with pytest.raises(ModelFileError, match=r"other choices in .*hidden"):
        train([text], [], SPEC, other, options, folder=tmp_path / "broken")


def test_a_class_that_is_told_too_rarely_gets_a_bias(text):
    model = PunctuationModel(CONFIG, SPEC)
    before = model.mark.bias.detach().clone()
    marks = marks_of(np.asarray(text.labels))
    doubtful = np.where(np.arange(len(MARKS)) == marks[:, None], 0.4, 0.02)  # of what is right
    doubtful[:, 0] = np.where(marks == 0, 0.92, 0.52)  # always likelier: nothing
    left = iter(range(0, text.words, 2000))

    def log_probs(words, pauses_s):
        start = next(left)
        part = np.log(doubtful[start : start + len(words)])
        return np.zeros((len(words), len(CASES))), part

    balance(model, log_probs, [text], text.words)
    biases = (model.mark.bias - before).detach().numpy()
    assert biases[0] == 0
    given = (np.log(doubtful) + biases).argmax(axis=1)
    assert (given == marks).all()


def test_padding_and_neighbours_change_nothing():
    torch.manual_seed(0)
    model = PunctuationModel(CONFIG, SPEC).eval()
    words = torch.randint(1, SPEC.table_rows, (3, 20, 4))
    pauses = torch.randint(0, SPEC.pause_classes, (3, 20))
    with torch.inference_mode():
        together = model(words, pauses, torch.tensor([20, 7, 1]))
        alone = model(words[1:2, :7], pauses[1:2, :7], torch.tensor([7]))
    for both, one in zip(together, alone, strict=True):
        torch.testing.assert_close(both[1, :7], one[0], atol=1e-5, rtol=0)


def test_batches_hold_what_the_text_says(text):
    batch = Batches([text], SPEC).draw(64, np.random.default_rng(0))
    own = torch.arange(SPEC.window_words) < batch.lengths[:, None]
    assert (batch.marks[own] >= 0).all()
    assert (batch.marks[~own] == IGNORED).all()
    assert (batch.rows[~own] == 0).all()
    assert (batch.rows[own] > 0).all()
    silent = (batch.pauses == 0).all(dim=1)
    assert 0.2 < silent.float().mean() < 0.6
    last = batch.marks[torch.arange(64), batch.lengths - 1]
    assert (last >= MARKS.index(".")).float().mean() > 0.4


def test_pauses_are_as_frequent_and_long_as_is_said():
    rng = np.random.default_rng(0)
    for mark, name in enumerate(MARKS):
        pauses_s = draw_pauses(np.full((2000, 50), mark), rng)
        made = pauses_s[pauses_s > 0]
        assert abs(made.size / pauses_s.size - PAUSES[name].share) < 0.01
        assert abs(np.median(made) / PAUSES[name].median_s - 1) < 0.05


def test_scores_by_hand():
    due = Punctuation(np.array([1, 0, 0, 4, 2]), np.array([0, 1, 2, 1, 0]))
    given = Punctuation(np.array([1, 1, 0, 1, 0]), np.array([1, 1, 2, 0, 0]))
    comma, stop, question, _, capitals = score(due, given)
    assert (comma.precision, comma.recall, comma.f1, comma.due) == (0.5, 0.5, 0.5, 2)
    assert stop.f1 == 1
    assert (question.f1, question.due) == (0, 0)
    assert (capitals.precision, capitals.recall, capitals.due) == (0.5, 0.5, 2)
    table = markdown_table([("talk", [comma, stop, question, question, capitals])])
    assert table.splitlines()[-1] == "| talk | 50.0 | 100.0 | 0.0 | 0.0 | 50.0 |"


@pytest.mark.slow
def test_the_commands(tmp_path, capsys):
    write_text(tmp_path / "train.txt")
    write_text(tmp_path / "dev.txt", 20, seed=1)
    arguments = ["punctuation", "--text", str(tmp_path / "train.txt"), "--steps", "2"]
    arguments += ["--dev", str(tmp_path / "dev.txt"), "--run", str(tmp_path / "run")]
    assert main([*arguments, "--cache", str(tmp_path / "cache"), "--threads", "1"]) == 0
    assert (tmp_path / "run" / "punctuation.pt").is_file()
    assert "| dev.txt |" in capsys.readouterr().out
