"""Recognizers that ours is set beside."""

import os
import sys
from pathlib import Path

import pytest

from otoscope import Alphabet, ModelSpec, load
from otoscope.errors import OtoscopeError
from otoscope.vocabulary import ENGLISH
from training.evaluation.peers import open_peers, spelled

SAMPLE = Path(__file__).parents[3] / "examples" / "sample.flac"


def test_pocketsphinx_recognizes_the_sample() -> None:
    pytest.importorskip("pocketsphinx")
    peers = open_peers(["pocketsphinx"], ModelSpec())
    assert "father" in peers["PocketSphinx"](load(SAMPLE, 16000).samples).split()


@pytest.mark.skipif("OTOSCOPE_WHISPER" not in os.environ, reason="names no folder of Whisper's")
def test_whisper_recognizes_the_sample() -> None:
    pytest.importorskip("faster_whisper")
    folder = Path(os.environ["OTOSCOPE_WHISPER"])
    [(name, system)] = open_peers([f"whisper:{folder}"], ModelSpec()).items()
    assert name == f"Whisper {folder.name}"
    assert "father" in system(load(SAMPLE, 16000).samples).split()


@pytest.mark.parametrize("name", ["whisper", "whisper:", "pocketsphinx:x", "kaldi"])
def test_others_are_refused(name: str) -> None:
    with pytest.raises(OtoscopeError, match=f"expected pocketsphinx, or whisper:NAME.*{name!r}"):
        open_peers([name], ModelSpec())


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(OtoscopeError, match=r"expected the package faster-whisper.*\[peers\]"):
        open_peers(["whisper:base"], ModelSpec())


def test_numbers_are_spelled_and_signs_left_out() -> None:
    pytest.importorskip("num2words")
    assert spelled("It's 1,200 \u2014 or 3.5%!", ENGLISH) == (
        "it's one thousand two hundred or three point five percent"
    )
    assert spelled("caf\u00e9 & co", ENGLISH) == "cafe and co"
    german = Alphabet(tuple("abcdefghijklmnopqrstuvwxyz\u00e4\u00f6\u00fc\u00df "))
    assert spelled("12 Z\u00fcge & mehr", german, "de") == "zw\u00f6lf z\u00fcge mehr"


def test_an_english_peer_is_not_run_on_another_language(
    capsys: pytest.CaptureFixture[str],
) -> None:
    german = ModelSpec(name="german", language="de")
    other = ModelSpec(name="greek", alphabet=Alphabet(("\u03b2", " ")))
    for spec in (german, other):
        assert open_peers(["pocketsphinx"], spec) == {}
        assert f"not scored beside '{spec.name}'" in capsys.readouterr().out
