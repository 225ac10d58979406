import gzip
import json
import math
from pathlib import Path

import numpy as np
import pytest

from otoscope import ENGLISH
from otoscope.decoding.ngram import NgramModel
from otoscope.vocabulary import Alphabet
from training.text.language_model import LmOptions, MadeFor, TextError, build, measure, pack_arpa

FOR_ENGLISH = MadeFor(ENGLISH, "en")
PHRASE = "the old man sat in the sun"


def novel() -> str:
    """A phrase said often, among seeded words of unequal frequency; one sentence has a digit."""
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("aeioulmnrst"), size=4)) for _ in range(400)]
    lines = []
    for _ in range(600):
        chosen = [words[min(int(rank), 399)] for rank in rng.zipf(1.3, size=8)]
        lines.append(f"{' '.join(chosen).capitalize()}. He said: {PHRASE}! He had 3 dogs.\n")
    return "".join(lines)


@pytest.fixture
def sources(tmp_path: Path) -> tuple[list[Path], list[Path]]:
    with gzip.open(tmp_path / "novel.txt.gz", "wt") as file:
        file.write(novel())
    (tmp_path / "train.jsonl").write_text('{"audio_filepath": "x", "text": "Sit in the sun!"}\n')
    return [tmp_path / "novel.txt.gz"], [tmp_path / "train.jsonl"]


def manifest(folder: Path, *texts: str) -> Path:
    path = folder / "dev.jsonl"
    rows = [json.dumps({"audio_filepath": "x", "text": text}) + "\n" for text in texts]
    path.write_text("".join(rows))
    return path


def test_it_learns_what_follows_what(
    sources: tuple[list[Path], list[Path]], tmp_path: Path
) -> None:
    dev = manifest(tmp_path, "the old man sat", "the zebra sat", "Sit in the sun")
    out = tmp_path / "out" / "lm.npz"
    report = build(*sources, FOR_ENGLISH, [dev], out, options=LmOptions(min_count=2))
    model = NgramModel.load(out)
    assert (
        model.log_prob(["the", "old", "man", "sat"])
        > model.log_prob(["man", "the", "sat", "old"]) + 3
    )
    assert "sit" not in model.vocabulary
    assert "dogs" not in model.vocabulary  # a digit stands beside them
    [source] = report.sources  # what the dev set says is left out of the transcripts, the only one
    assert (source.name, source.sentences, source.weight) == ("novel.txt.gz", 600 * 2, 1.0)
    [known] = report.dev
    assert known.unknown_share == pytest.approx(2 / 11)
    written = json.loads((tmp_path / "out" / "lm.json").read_text())
    assert written["dev"][0]["perplexity"] == pytest.approx(known.perplexity)
    assert measure(model, dev, ENGLISH) == known
    assert report.order == model.order == 4


def test_what_is_said_in_transcripts_is_known_and_what_is_left_out_is_not(
    sources: tuple[list[Path], list[Path]], tmp_path: Path
) -> None:
    (tmp_path / "said.jsonl").write_text(
        '{"audio_filepath": "x", "text": "Zebras sit"}\n{"audio_filepath": "y", "text": "Not I"}\n'
    )
    build(
        sources[0],
        [tmp_path / "said.jsonl"],
        FOR_ENGLISH,
        [],
        tmp_path / "lm.npz",
        leave_out=[manifest(tmp_path, "not i")],
    )
    known = NgramModel.load(tmp_path / "lm.npz").vocabulary
    assert {"zebras", "sit"} <= set(known)
    assert "i" not in known


def test_it_fits_the_size_that_is_asked_for(
    sources: tuple[list[Path], list[Path]], tmp_path: Path
) -> None:
    scores = []
    for most_bytes in (10**6, 25_000, 18_000):
        out = tmp_path / f"{most_bytes}.npz"
        report = build(
            *sources, FOR_ENGLISH, [], out, options=LmOptions(order=3, most_bytes=most_bytes)
        )
        assert report.size_bytes == out.stat().st_size <= most_bytes
        model = NgramModel.load(out)
        said = [line.split(".")[0].lower().split() for line in novel().splitlines()[:50]]
        scores.append(sum(model.log_prob(words) for words in said))
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] < scores[0] - 50


@pytest.mark.parametrize("text", [f"{PHRASE}. Who is there, {PHRASE}?\n" * 30, "Yes.\n", "Oh no."])
def test_a_little_text_is_enough(tmp_path: Path, text: str) -> None:
    (tmp_path / "note.txt").write_text(text)
    options = LmOptions(min_count=1)
    build([tmp_path / "note.txt"], [], FOR_ENGLISH, [], tmp_path / "lm.npz", options=options)
    model = NgramModel.load(tmp_path / "lm.npz")
    said = ENGLISH.normalize(text.split(".", maxsplit=1)[0]).split()
    assert model.log_prob(said) > model.log_prob([*said, "zebra"])


def test_no_text_is_said(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("1914-1918\n")
    with pytest.raises(TextError, match="expected sentences"):
        build([tmp_path / "note.txt"], [], FOR_ENGLISH, [], tmp_path / "lm.npz")


def test_any_alphabet_will_do(tmp_path: Path) -> None:
    greek = Alphabet(("\N{GREEK SMALL LETTER BETA}", "\N{GREEK SMALL LETTER GAMMA}", " "))
    beta, gamma, _ = greek.symbols
    (tmp_path / "note.txt").write_text(f"{beta}{gamma} {gamma}. {gamma}{gamma} {beta}.\n" * 5)
    build([tmp_path / "note.txt"], [], MadeFor(greek), [], tmp_path / "lm.npz")
    model = NgramModel.load(tmp_path / "lm.npz")
    assert model.vocabulary == (beta, beta + gamma, gamma, gamma + gamma)


def test_the_models_of_other_tools_are_packed(tmp_path: Path) -> None:
    arpa = (
        "\\data\\\n\\1-grams:\n-1 <s> -0.5\n-1 </s>\n-1 a -0.3\n\\2-grams:\n-0.5 <s> a\n\\end\\\n"
    )
    (tmp_path / "lm.arpa").write_text(arpa)
    dev = manifest(tmp_path, "a", "b")
    report = pack_arpa(tmp_path / "lm.arpa", FOR_ENGLISH, [dev], tmp_path / "lm.npz")
    assert NgramModel.load(tmp_path / "lm.npz").vocabulary == ("a",)
    assert report.dev[0].unknown_share == 0.5
    assert report.dev[0].perplexity == pytest.approx(10 ** ((0.5 + 1.3) / 2), rel=1e-3)


def test_another_tools_words_are_spelled_in_the_alphabet(tmp_path: Path) -> None:
    """Of those that are the same then, the likelier stays."""
    arpa = (
        "\\1-grams:\n-1 <s>\n-1 </s>\n-2 HELLO\n-1 hello\n-1 DON'T\n\\2-grams:\n-0.5 HELLO DON'T\n"
    )
    (tmp_path / "lm.arpa").write_text(arpa)
    pack_arpa(tmp_path / "lm.arpa", FOR_ENGLISH, [], tmp_path / "lm.npz")
    model = NgramModel.load(tmp_path / "lm.npz")
    assert model.vocabulary == ("don't", "hello")
    assert model.log_prob(["hello"]) == pytest.approx(model.log_prob(["don't"]), rel=1e-3)
    (tmp_path / "lm.arpa").write_text("\\1-grams:\n-1 <s>\n-1 </s>\n-1 нет\n-1 да\n-1 a\n")
    with pytest.raises(TextError, match="2 of 3 in other symbols"):
        pack_arpa(tmp_path / "lm.arpa", FOR_ENGLISH, [], tmp_path / "lm.npz")


def test_a_word_list_alone_is_a_model_and_beside_texts_raises_its_words(
    sources: tuple[list[Path], list[Path]], tmp_path: Path
) -> None:
    (tmp_path / "words.txt").write_text("Stent 30\nAngioplasty\nRoute 66 west\n")
    lists, out = [tmp_path / "words.txt"], tmp_path / "lm.npz"
    build([], [], FOR_ENGLISH, [], out, word_lists=lists)
    model = NgramModel.load(out)
    assert model.vocabulary == ("angioplasty", "stent")  # a line with a digit can't be written
    assert model.log_prob(["stent", "angioplasty"]) == pytest.approx(
        model.log_prob(["angioplasty", "stent"]), abs=0.02
    )
    assert model.log_prob(["stent"]) > model.log_prob(["angioplasty"]) + 3
    assert model.log_prob(["angioplasty"]) > model.log_prob(["zebra"])
    words = [*model.vocabulary, "</s>", "<unk>"]
    numbers = np.array([model.numbers[word] for word in words])
    history = model.start()
    scores, _ = model.score(
        type(history)(*(np.repeat(each, 4, axis=1) for each in history)), numbers
    )
    assert np.exp(scores).sum() == pytest.approx(1.0, abs=0.02)
    build(*sources, FOR_ENGLISH, [], out, word_lists=lists)
    beside = NgramModel.load(out)
    assert "stent" in beside.vocabulary
    assert beside.unigrams[beside.numbers["stent"], 0] > math.log(0.03)  # a twentieth of 30 / 34.6


def test_it_says_which_models_it_is_for(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("ja\n")
    german = MadeFor(Alphabet(tuple("abj\u00e4 ")), "de")
    build([], [], german, [], tmp_path / "lm.npz", word_lists=[tmp_path / "words.txt"])
    model = NgramModel.load(tmp_path / "lm.npz")
    assert (model.language, model.symbols) == ("de", "abj\u00e4 ")
