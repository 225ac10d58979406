"""A recording written sentence by sentence, while more of it is heard."""

from collections.abc import Iterator
from dataclasses import replace

from otoscope.decoding.decoder import DecodeResult
from otoscope.transcript import Style, Transcript, joined
from otoscope.written.spec import SENTENCE_ENDS
from otoscope.written.text import WrittenText, WrittenToken
from otoscope.written.writer import Writer, Written

_LOOK_AHEAD_WORDS = 12
"""Words behind a sentence that have to be known, for its end to be taken for one."""

_MOST_WORDS = 200
"""Of more words that wait, all are told, though no sentence ends among them."""

_NOTHING = Transcript("", None, (), ())


class SentenceWriter:
    """Sentences of one recording; what was told stays.

    A punctuation model reads words with what follows them, so the last ones wait.
    """

    def __init__(self, writer: Writer, style: Style | None) -> None:
        """Begin with nothing; arguments as of `Writer.write`."""
        self._writer, self._style = writer, style
        self._waiting = _NOTHING
        self._told: list[Written] = []

    def feed(self, result: DecodeResult, *, last: bool = False) -> Written | None:
        """What is certain now; None if nothing is.

        Args:
            result: the next words, with the recording's times.
            last: whether none follow.
        """
        known = joined((self._waiting, result.transcript))
        words = len(known.words)
        written = self._writer.write(replace(result, transcript=known), self._style)
        certain = words if last else _certain_words(written)
        self._waiting = known.part(certain, words) if certain < words else _NOTHING
        if not certain:
            return None
        self._told.append(written if certain == words else _beginning(written, certain))
        return self._told[-1]

    def whole(self, result: DecodeResult) -> Written:
        """All words, written as they were told."""
        if not self._told or self._told[0].written is None:
            return self._writer.write(result, self._style)
        return Written(result.transcript, WrittenText(tuple(self._tokens())))

    def _tokens(self) -> Iterator[WrittenToken]:
        start = 0
        for part in self._told:
            for token in part.written.tokens if part.written is not None else ():
                ends = start + token.start_word, start + token.end_word
                yield replace(token, start_word=ends[0], end_word=ends[1])
            start += len(part.heard.words)


def _certain_words(written: Written) -> int:
    """So many words at the beginning, which whole sentences are made of, stay as they are."""
    words = len(written.heard.words)
    if written.written is None or words > _MOST_WORDS:
        return words
    ends = (token.end_word for token in written.written.tokens if token.mark in SENTENCE_ENDS)
    return max((end for end in ends if end <= words - _LOOK_AHEAD_WORDS), default=0)


def _beginning(written: Written, words: int) -> Written:
    """The first words, which whole tokens stand for."""
    assert written.written is not None  # noqa: S101 - who divides it has looked
    tokens = tuple(token for token in written.written.tokens if token.end_word <= words)
    return Written(written.heard.part(0, words), WrittenText(tokens))
