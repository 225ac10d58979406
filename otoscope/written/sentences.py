"""A recording written sentence by sentence while it is recognized."""

from collections.abc import Iterator
from dataclasses import replace

from otoscope.decoding.decoder import DecodeResult
from otoscope.transcript import Style, Transcript, joined
from otoscope.written.spec import SENTENCE_ENDS
from otoscope.written.text import WrittenText, WrittenToken
from otoscope.written.writer import Writer, Written

_LOOK_AHEAD_WORDS = 12
"""Words that must follow a sentence before its end is final."""

_MOST_WORDS = 200
"""If more words are pending, all are returned, even without an end of a sentence."""

_NOTHING = Transcript("", None, (), ())


class SentenceWriter:
    """The sentences of one recording; those that were returned don't change.

    A punctuation model reads words with their right context, so the last words stay pending.
    """

    def __init__(self, writer: Writer, style: Style | None) -> None:
        """Arguments as of `Writer.write`."""
        self._writer, self._style = writer, style
        self._pending = _NOTHING
        self._finished: list[Written] = []

    def feed(self, result: DecodeResult, *, last: bool = False) -> Written | None:
        """The text that is final now; None if there is none.

        Args:
            result: the next words, with times in the recording.
            last: whether no words follow.
        """
        known = joined((self._pending, result.transcript))
        words = len(known.words)
        written = self._writer.write(replace(result, transcript=known), self._style)
        final = words if last else _final_words(written)
        self._pending = known.part(final, words) if final < words else _NOTHING
        if not final:
            return None
        self._finished.append(written if final == words else _beginning(written, final))
        return self._finished[-1]

    def whole(self, result: DecodeResult) -> Written:
        """All words, written as `feed` returned them."""
        if not self._finished or self._finished[0].written is None:
            return self._writer.write(result, self._style)
        return Written(result.transcript, WrittenText(tuple(self._tokens())))

    def _tokens(self) -> Iterator[WrittenToken]:
        start = 0
        for part in self._finished:
            for token in part.written.tokens if part.written is not None else ():
                ends = start + token.start_word, start + token.end_word
                yield replace(token, start_word=ends[0], end_word=ends[1])
            start += len(part.heard.words)


def _final_words(written: Written) -> int:
    """The number of leading words, in whole sentences, that are final."""
    words = len(written.heard.words)
    if written.written is None or words > _MOST_WORDS:
        return words
    ends = (token.end_word for token in written.written.tokens if token.mark in SENTENCE_ENDS)
    return max((end for end in ends if end <= words - _LOOK_AHEAD_WORDS), default=0)


def _beginning(written: Written, words: int) -> Written:
    """The first `words` words, which end at the end of a token."""
    assert written.written is not None  # noqa: S101 - checked by `_final_words`
    tokens = tuple(token for token in written.written.tokens if token.end_word <= words)
    return Written(written.heard.part(0, words), WrittenText(tokens))
