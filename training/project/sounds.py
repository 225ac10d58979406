"""How the words of some texts sound, where something knows: what a phoneme head learns."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from otoscope.errors import DictionaryError
from otoscope.pronunciations import write_entries
from otoscope.vocabulary import ARPABET, PhonemeSet
from training.data.espeak import pronounce
from training.data.pronunciation import cmudict_path, within

DICTIONARY = "pronunciations.txt.gz"
_LEAST_HEARD = 5
"""A phoneme that is said less often can't be learned: foreign names have such."""


@dataclass(frozen=True)
class Sounds:
    """What to tell apart, and by which dictionary.

    Attributes:
        pronunciations: as `CorpusConfig.pronunciations`.
    """

    phonemes: PhonemeSet
    pronunciations: str


def find_sounds(
    language: str, texts: Sequence[str], folder: Path, known: PhonemeSet | None = None
) -> tuple[Sounds | None, str]:
    """CMUdict's phonemes for English, for others what eSpeak NG makes of the words.

    Args:
        language: an ISO 639 code.
        texts: normalised.
        folder: where a dictionary is written, as DICTIONARY.
        known: phonemes of a model that goes on; None for those that the texts have.

    Returns:
        None if nothing knows the language; and a line about it for people.
    """
    try:
        if language == "en" and known in (None, ARPABET):
            cmudict_path()
            return Sounds(ARPABET, ""), "phonemes: CMUdict's, as a second task"
        return _by_espeak(language, texts, folder, known)
    except DictionaryError as error:
        return None, f"phonemes: none. {error}"


def _by_espeak(
    language: str, texts: Sequence[str], folder: Path, known: PhonemeSet | None
) -> tuple[Sounds | None, str]:
    running = Counter(word for text in texts for word in text.split())
    words = list(running)
    spoken = pronounce(words, language)
    heard: Counter[str] = Counter()
    for word, names in zip(words, spoken, strict=True):
        heard.update({name: running[word] * names.count(name) for name in set(names)})
    often = [name for name, count in heard.most_common() if count >= _LEAST_HEARD]
    if known is None and not often:
        return None, "phonemes: none. The texts are too short to learn any"
    phonemes = known or PhonemeSet(tuple(often))
    entries = within(phonemes, words, spoken)
    if not entries:
        return None, "phonemes: none. No word is read with those of the model that goes on"
    write_entries(folder / DICTIONARY, entries)
    listed = " ".join(phonemes.symbols)
    return Sounds(phonemes, DICTIONARY), (
        f"phonemes, as eSpeak NG reads {len(entries)} of {len(words)} words: {listed}"
    )
