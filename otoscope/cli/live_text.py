"""What is said, on a terminal while it is said, elsewhere an utterance a line."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from otoscope.formats.tables import to_json
from otoscope.schemas.streaming import FinalMessage, PartialMessage, SaidMessage

_CLEARED = "\r\x1b[K"
_GREY, _PLAIN = "\x1b[90m", "\x1b[0m"
"""ECMA-48: the line from its beginning erased; bright black, and no colour."""


class LiveText:
    """Writes messages to standard output. Close it, or use it in `with`.

    On a terminal the last line is the utterance so far, words that may still change in grey.
    """

    def __init__(self, *, as_json: bool) -> None:
        self._json = as_json
        terminal = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self._terminal = terminal and not as_json
        self._unfinished = False

    def write(self, message: SaidMessage) -> None:
        """Show a message, as far as it is to be shown."""
        if self._json:
            self._put(to_json(message.model_dump()).decode() + "\n")
        elif isinstance(message, FinalMessage):
            text = message.written or message.text
            line = f"{text}\n" if text else ""
            self._put(_CLEARED * self._terminal + line)
            self._unfinished = False
        elif isinstance(message, PartialMessage) and self._terminal:
            columns = shutil.get_terminal_size().columns - 1
            self._put(_CLEARED + _shown(message, columns))
            self._unfinished = True

    def close(self) -> None:
        """Leave the cursor on an empty line."""
        if self._terminal:
            self._put("\n" if self._unfinished else _CLEARED)

    def _put(self, text: str) -> None:
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()


@contextmanager
def live_text(*, as_json: bool) -> Iterator[LiveText]:
    """A `LiveText`, closed at the end."""
    shown = LiveText(as_json=as_json)
    try:
        yield shown
    finally:
        shown.close()


def _shown(message: PartialMessage, columns: int) -> str:
    """The end of the words that fits into one line, for a longer one could not be erased."""
    solid = " ".join(word.word for word in message.words[: message.confirmed])
    cut = max(0, len(message.text) - columns)
    return f"{message.text[cut : len(solid)]}{_GREY}{message.text[max(cut, len(solid)) :]}{_PLAIN}"
