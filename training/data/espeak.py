"""Pronunciations by eSpeak NG, which knows how a hundred languages are read.

It is a program of its own (`apt-get install espeak-ng`), and tells phonemes in the International
Phonetic Alphabet. Marks of stress are left out, as they are of CMUdict.
"""

import re
import shutil
import subprocess
from collections.abc import Sequence

from otoscope.errors import DictionaryError

_PROGRAM = "espeak-ng"
_NOT_PHONEMES = re.compile(r"\([\w-]+\)|[ˈˌ?]")
"""Where a word is read as one of another language, "(en)"; stress; what IPA has no sign for."""


def pronounce(words: Sequence[str], language: str) -> list[tuple[str, ...]]:
    """How each word sounds: names of its phonemes, none for what is silent.

    Args:
        words: of letters, without white space.
        language: an ISO 639 code.

    Raises:
        DictionaryError: if eSpeak NG is not installed, or does not know the language.
    """
    program = shutil.which(_PROGRAM)
    if program is None:
        raise DictionaryError(f"expected {_PROGRAM} for pronunciations, which is not installed")
    done = subprocess.run(  # noqa: S603 - a fixed program; words are its input, not its arguments
        [program, "-q", "-v", language, "--ipa", "--sep= ", "--stdin"],
        input="\n\n".join(words),  # a paragraph each, which comes back as a line each
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise DictionaryError(f"{_PROGRAM} -v {language}: {done.stderr.strip()}")
    lines = done.stdout.splitlines()
    if len(lines) != len(words):
        raise DictionaryError(
            f"{_PROGRAM} -v {language}: expected {len(words)} pronunciations, got {len(lines)}"
        )
    return [tuple(_NOT_PHONEMES.sub(" ", line).split()) for line in lines]
