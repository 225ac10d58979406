"""Words without their times."""

from collections.abc import Sequence

from otoscope.transcript import Word


def text(words: Sequence[Word]) -> str:
    """One line: the words with a space between; nothing at all where there are no words."""
    return " ".join(word.word for word in words) + "\n" if words else ""
