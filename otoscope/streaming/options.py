"""When a stream is heard, when an utterance ends, and when a word is certain."""

from dataclasses import dataclass

from otoscope.errors import OptionsError

LONGEST_WINDOW_S = 15.0
"""Hearing a window again and again costs more than its words are worth beyond."""

LONGEST_UTTERANCE_S = 25.0
"""What is heard once more as a whole has to fit into one window of any model."""


@dataclass(frozen=True)
class StreamingOptions:
    """How a stream is heard.

    Attributes:
        step_s: audio that comes between two hearings.
        shortest_window_s, longest_window_s: a window grows with the audio up to the longest, and
            then shrinks to the shortest.
        overlap_s: of two such windows, in which their posteriors are joined.
        context_s: heard on either side of an utterance, and not part of it.
        silence_s: without a character for so long, an utterance ends; infinite for never.
        lead_s: an utterance begins so long before its first character, and ends so long behind its
            last at most.
        speech_probability: of all characters together, for a frame to be speech.
        longest_utterance_s: a longer one is divided at its longest pause.
        settle_s: a word is confirmed if two hypotheses in a row show it and all words before it,
            and it ended so long ago.
    """

    step_s: float = 0.5
    shortest_window_s: float = 2.5
    longest_window_s: float = 4.0
    overlap_s: float = 1.2
    context_s: float = 1.0
    silence_s: float = 0.8
    lead_s: float = 0.4
    speech_probability: float = 0.5
    longest_utterance_s: float = 20.0
    settle_s: float = 1.1

    def __post_init__(self) -> None:
        if not 0 < self.step_s <= self.shortest_window_s:
            raise OptionsError(
                f"expected step_s above 0, at most shortest_window_s={self.shortest_window_s:g}, "
                f"got {self.step_s:g}"
            )
        if not 0 < self.overlap_s <= self.shortest_window_s <= self.longest_window_s:
            raise OptionsError(
                "expected 0 < overlap_s <= shortest_window_s <= longest_window_s, got "
                f"{self.overlap_s:g}, {self.shortest_window_s:g} and {self.longest_window_s:g}"
            )
        if self.longest_window_s > LONGEST_WINDOW_S:
            raise OptionsError(
                f"expected longest_window_s of at most {LONGEST_WINDOW_S:g}, "
                f"got {self.longest_window_s:g}"
            )
        if not self.longest_window_s <= self.longest_utterance_s <= LONGEST_UTTERANCE_S:
            raise OptionsError(
                f"expected longest_utterance_s of longest_window_s={self.longest_window_s:g} to "
                f"{LONGEST_UTTERANCE_S:g}, got {self.longest_utterance_s:g}"
            )
        if self.settle_s > self.longest_utterance_s / 2:
            raise OptionsError(
                "expected settle_s of at most half of "
                f"longest_utterance_s={self.longest_utterance_s:g}, got {self.settle_s:g}"
            )
        if not 0 < self.speech_probability < 1:
            raise OptionsError(
                f"expected speech_probability between 0 and 1, got {self.speech_probability:g}"
            )
        for name in ("context_s", "silence_s", "lead_s", "settle_s"):
            if not getattr(self, name) >= 0:
                raise OptionsError(f"expected {name} of 0 or more, got {getattr(self, name)}")
