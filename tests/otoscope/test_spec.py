"""otoscope.spec: one strict JSON document."""

import json
from datetime import date

import pytest

from otoscope.errors import SpecError
from otoscope.features import FeatureSpec
from otoscope.spec import ModelSpec, Provenance
from otoscope.strict_json import dump, parse
from otoscope.vocabulary import Alphabet

SPEC = ModelSpec(
    name="prüfung",
    features=FeatureSpec(
        kind="mfcc",
        n_mfcc=2,
        normalisation="corpus",
        corpus_mean=(0.1, -2.5),
        corpus_std=(1.0, 3e-7),
    ),
    alphabet=Alphabet(tuple("aä ")),
    frame_stride=2,
    provenance=Provenance(architecture="x", parameters=7, corpora=("one", "two"), dev_cer=0.25),
)


def document(spec=SPEC):
    return json.loads(spec.to_json())


def test_round_trip():
    assert ModelSpec.from_json(SPEC.to_json()) == SPEC
    assert ModelSpec.from_json(ModelSpec().to_json()) == ModelSpec()


def test_equal_specs_have_equal_documents():
    assert SPEC.to_json() == ModelSpec.from_json(SPEC.to_json()).to_json()
    assert "prüfung" in SPEC.to_json()


def test_output_frames_are_stride_times_hop_apart():
    assert ModelSpec(frame_stride=4).frame_s == pytest.approx(0.04)


def test_every_field_that_is_missing_is_named():
    for path in (
        ("name",),
        ("frame_stride",),
        ("features", "preemphasis"),
        ("alphabet", "symbols"),
    ):
        data = document()
        inner = data
        for key in path[:-1]:
            inner = inner[key]
        del inner[path[-1]]
        with pytest.raises(SpecError, match=rf"here: .*{path[-1]}"):
            ModelSpec.from_json(json.dumps(data), source="here")
    with pytest.raises(SpecError, match="none for name, features, alphabet, frame_stride"):
        ModelSpec.from_json("{}")


@pytest.mark.parametrize("place", [(), ("features",), ("alphabet",), ("provenance",)])
def test_an_unknown_key_is_named(place):
    data = document()
    inner = data
    for key in place:
        inner = inner[key]
    inner["colour"] = "blue"
    with pytest.raises(SpecError, match=r"here: (\w+\.)?colour: "):
        ModelSpec.from_json(json.dumps(data), source="here")


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("name",), 5),
        (("frame_stride",), "4"),
        (("frame_stride",), 4.5),
        (("frame_stride",), True),
        (("features", "n_mels"), 80.5),
        (("features", "kind"), "chroma"),
        (("features", "window_ms"), "25"),
        (("features", "corpus_mean"), [1.0, "2"]),
        (("alphabet", "symbols"), "abc"),
        (("alphabet", "symbols"), ["a", 1]),
        (("provenance", "dev_cer"), "low"),
        (("features",), None),
    ],
)
def test_a_wrong_type_is_named(place, value):
    data = document()
    inner = data
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    with pytest.raises(SpecError, match=rf"here: {'.'.join(place)}"):
        ModelSpec.from_json(json.dumps(data), source="here")


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("frame_stride",), 0, "frame_stride: expected 1 or more, got 0"),
        (("features", "hop_ms"), 0.0, "at least one sample"),
        (("features", "window_ms"), float("nan"), "features"),
        (("features", "corpus_mean"), [1.0], "needs 2 means and deviations, got 1 and 2"),
        (("alphabet", "symbols"), ["a", "a"], "different symbols"),
    ],
)
def test_values_that_contradict_are_refused(place, value, message):
    data = document()
    inner = data
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    with pytest.raises(SpecError, match=message):
        ModelSpec.from_json(json.dumps(data))


@pytest.mark.parametrize(
    "text",
    ["", "{", "name: english", '["a"]', "null", "3", pytest.param("[" * 100_000, id="nested")],
)
def test_what_is_no_json_object(text):
    with pytest.raises(SpecError, match=r"^here: "):
        ModelSpec.from_json(text, source="here")


def test_a_stride_below_one():
    with pytest.raises(SpecError, match="got 0"):
        ModelSpec(frame_stride=0)


def test_parse_takes_defaults_unless_told_otherwise():
    assert parse(Provenance, {"parameters": 3}, "toml") == Provenance(parameters=3)
    with pytest.raises(SpecError, match="toml: expected all fields, got none for architecture"):
        parse(Provenance, {"parameters": 3}, "toml", complete=True)
    assert parse(Provenance, dump(SPEC.provenance), "toml", complete=True) == SPEC.provenance


def test_what_json_cannot_hold():
    with pytest.raises(SpecError, match="toml: expected what JSON can hold"):
        parse(Provenance, {"created": date(2024, 1, 1)}, "toml")
