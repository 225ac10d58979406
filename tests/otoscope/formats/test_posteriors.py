import csv
import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import entropy

from otoscope import Alphabet, FrameClock, PhonemePosteriors, PhonemeSet, Posteriors
from otoscope.errors import NoPhonemesError, ViewError
from otoscope.formats.posteriors import ViewOptions, probs_csv, probs_document, select, write
from otoscope.formats.tables import to_json
from otoscope.schemas.matrices import ProbsMatrix


def read(posteriors, **fields):
    """The JSON answer, as a client reads it."""
    return json.loads(to_json(probs_document(select(posteriors, ViewOptions(**fields)))))


def rows_of(data):
    return list(csv.reader(io.StringIO(data.decode(), newline="")))


def of_probs(probs, symbols=("a", "b")):
    """Posteriors with these probabilities, (frames, symbols and blank)."""
    with np.errstate(divide="ignore"):
        log_probs = np.log(np.array(probs, dtype=np.float32))
    return Posteriors(log_probs, Alphabet(symbols), FrameClock(0.04, 0.04 * len(probs)))


def test_matrix_is_written_to_six_decimals(make_posteriors):
    text = to_json(probs_document(select(make_posteriors()))).decode()
    numbers = re.findall(r"\d\.\d+(?!e)", text.split('"probs":')[1])
    assert len(numbers) > 1000
    assert max(len(number) for number in numbers) == len("0.123456")


def test_the_whole_matrix_has_every_field(make_posteriors):
    posteriors = make_posteriors()
    body = probs_document(select(posteriors))
    assert body.keys() == ProbsMatrix.model_fields.keys() - {"indices"}
    assert body["shape"] == (50, 29)
    assert body["start_s"] == 0.0
    np.testing.assert_allclose(body["probs"], posteriors.probs, atol=1e-6)


def test_a_matrix_of_phonemes(make_posteriors):
    log_probs = np.log(np.full((50, 3), 1 / 3, dtype=np.float32))
    phonemes = PhonemePosteriors(log_probs, PhonemeSet(("AA", "CH")))
    posteriors = replace(make_posteriors(), phonemes=phonemes)
    body = probs_document(select(posteriors, ViewOptions(unit="phoneme")))
    assert body["unit"] == "phoneme"
    assert body["symbols"] == ["AA", "CH", "<blank>"]
    assert body["shape"] == (50, 3)
    np.testing.assert_allclose(body["probs"], 1 / 3, atol=1e-6)
    view = select(posteriors, ViewOptions(unit="phoneme", symbols=["CH,blank"]))
    assert view.names == ["CH", "<blank>"]
    with pytest.raises(NoPhonemesError):
        select(make_posteriors(), ViewOptions(unit="phoneme"))


def test_entropy_is_that_of_each_row(make_posteriors):
    posteriors = make_posteriors()
    expected = entropy(posteriors.probs.astype(np.float64), axis=1)
    np.testing.assert_allclose(read(posteriors)["entropy_nats"], expected, atol=2e-6)
    chosen = read(posteriors, symbols=["a"], from_s=0.4, to_s=0.8)
    np.testing.assert_allclose(chosen["entropy_nats"], expected[10:20], atol=2e-6)


def test_entropy_of_certain_and_of_uniform_rows():
    answer = read(of_probs([[1, 0, 0], [1 / 3] * 3, [0.5, 0.5, 0]]))
    np.testing.assert_allclose(answer["entropy_nats"], [0, np.log(3), np.log(2)], atol=1e-6)


def test_blank_is_summed_up_over_the_whole_recording():
    posteriors = of_probs([[0.1, 0.1, 0.8], [0.5, 0.1, 0.4], [0.3, 0.3, 0.4], [0, 0, 1]])
    for part in ({}, {"from_s": 0.0, "to_s": 0.04}, {"symbols": ["a"]}):
        answer = read(posteriors, **part)
        assert answer["blank_share"] == 0.75
        assert answer["blank_prob"] == pytest.approx(
            {"mean": 0.65, "median": 0.6, "min": 0.4, "max": 1.0}, abs=1e-6
        )


def test_a_part_is_a_slice_of_the_whole(make_posteriors):
    posteriors = make_posteriors()
    whole, part = read(posteriors), read(posteriors, from_s=0.4, to_s=1.0)
    assert part["start_s"] == 0.4
    assert part["shape"] == [15, 29]
    assert part["probs"] == whole["probs"][10:25]
    assert part["entropy_nats"] == whole["entropy_nats"][10:25]
    view = select(posteriors, ViewOptions(from_s=0.4, to_s=1.0))
    np.testing.assert_array_equal(view.probs, posteriors.probs[10:25])
    assert view.span_s == (0.4, 1.0)


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (["a"], ["a"]),
        (["z,a"], ["z", "a"]),
        (["z", "a,b"], ["z", "a", "b"]),
        (["space,blank,'"], [" ", "<blank>", "'"]),
        ([" ", "<blank>"], [" ", "<blank>"]),
    ],
)
def test_chosen_symbols_are_columns_in_that_order(make_posteriors, wanted, names):
    posteriors = make_posteriors()
    answer, whole = read(posteriors, symbols=wanted), read(posteriors)
    assert answer["symbols"] == names
    columns = [whole["symbols"].index(name) for name in names]
    np.testing.assert_array_equal(answer["probs"], np.array(whole["probs"])[:, columns])


def test_a_comma_may_be_a_symbol():
    posteriors = of_probs([[0.2, 0.3, 0.5]], symbols=("a", ","))
    assert read(posteriors, symbols=[","])["probs"] == [[0.3]]
    assert read(posteriors, symbols=[",", "a"])["symbols"] == [",", "a"]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (["a,ä"], r"symbols: expected some of a, b, .*space, ', blank, got 'ä'"),
        (["A"], "got 'A'"),
        ([""], "got ''"),
        (["a,,b"], "got ''"),
        (["a,b,a"], "symbols: expected each once, got a, b, a"),
        (["space", " "], "expected each once"),
    ],
)
def test_symbols_that_cannot_be_columns(make_posteriors, wanted, message):
    with pytest.raises(ViewError, match=message):
        select(make_posteriors(), ViewOptions(symbols=wanted))


def test_top_k_of_each_frame(make_posteriors):
    posteriors = make_posteriors()
    answer = read(posteriors, top_k=3)
    assert answer["shape"] == [50, 3]
    assert len(answer["symbols"]) == 29
    expected = np.sort(posteriors.probs, axis=1)[:, ::-1][:, :3]
    np.testing.assert_allclose(answer["probs"], expected, atol=1e-6)
    for frame, indices in enumerate(answer["indices"]):
        np.testing.assert_allclose(posteriors.probs[frame, indices], expected[frame])


def test_top_k_of_chosen_columns():
    posteriors = of_probs([[0.1, 0.2, 0.7], [0.25, 0.25, 0.5]])
    answer = read(posteriors, symbols=["b,a"], top_k=1)
    assert answer["symbols"] == ["b", "a"]
    assert answer["indices"] == [[0], [0]]  # of equals the first column
    assert answer["probs"] == [[0.2], [0.25]]


def test_top_k_beyond_the_symbols(make_posteriors):
    assert read(make_posteriors(), top_k=29)["shape"] == [50, 29]
    with pytest.raises(ViewError, match=r"top_k: expected at most 29 .*, got 30"):
        select(make_posteriors(), ViewOptions(top_k=30))
    with pytest.raises(ViewError, match=r"top_k: expected at most 2 .*, got 3"):
        select(make_posteriors(), ViewOptions(top_k=3, symbols=["a,b"]))


def test_csv_has_the_numbers_of_json(make_posteriors):
    posteriors = make_posteriors()
    answer = read(posteriors, from_s=0.4)
    header, *rows = rows_of(probs_csv(select(posteriors, ViewOptions(from_s=0.4))))
    assert header == ["time_s", *"abcdefghijklmnopqrstuvwxyz", "space", "'", "blank"]
    table = np.array(rows, dtype=np.float64)
    np.testing.assert_allclose(table[:, 0], 0.4 + 0.04 * np.arange(40), atol=1e-6)
    np.testing.assert_array_equal(table[:, 1:], answer["probs"])


def test_csv_of_top_k(make_posteriors):
    posteriors = make_posteriors()
    answer = read(posteriors, top_k=2)
    header, *rows = rows_of(probs_csv(select(posteriors, ViewOptions(top_k=2))))
    assert header == ["time_s", "symbol_1", "prob_1", "symbol_2", "prob_2"]
    plain = [*"abcdefghijklmnopqrstuvwxyz", "space", "'", "blank"]
    for row, indices, probs in zip(rows, answer["indices"], answer["probs"], strict=True):
        assert [row[1], row[3]] == [plain[index] for index in indices]
        assert [float(row[2]), float(row[4])] == probs
    assert [float(row[0]) for row in rows[:3]] == [0.0, 0.04, 0.08]


def test_npy_is_exact_and_json_is_it_rounded(make_posteriors):
    posteriors = make_posteriors()
    values = np.load(io.BytesIO(write(select(posteriors), "npy", {}, None)))
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, posteriors.probs)
    written = np.array(read(posteriors)["probs"], dtype=np.float32)
    np.testing.assert_array_equal(np.round(values, 6), written)
