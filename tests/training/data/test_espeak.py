"""How eSpeak NG reads words."""

import shutil

import pytest

from otoscope.errors import DictionaryError
from training.data.espeak import pronounce


@pytest.mark.skipif(not shutil.which("espeak-ng"), reason="needs espeak-ng")
class TestInstalled:
    def test_each_word_by_itself(self) -> None:
        words = ["schule", "ich", "'", "laptop", "zwei"]  # the fourth is read as English
        assert pronounce(words, "de") == [
            ("ʃ", "uː", "l", "ə"),
            ("ɪ", "ç"),
            (),
            ("l", "a", "p", "t", "ɒ", "p"),
            ("ts", "v", "aɪ"),
        ]
        assert pronounce([], "de") == []

    def test_neither_stress_nor_what_has_no_sign(self) -> None:
        names = {name for word in pronounce(["beamter", "verein", "übung"], "de") for name in word}
        assert not names & {"ˈ", "ˌ", "?", "??"}

    def test_a_language_that_it_does_not_know(self) -> None:
        with pytest.raises(DictionaryError, match=r"espeak-ng -v xx: .*does not exist"):
            pronounce(["a"], "xx")


def test_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DictionaryError, match=r"espeak-ng .*not installed"):
        pronounce(["a"], "de")
