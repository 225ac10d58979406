"""A summary of many recordings in a few lines."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from otoscope.errors import OtoscopeError

_HOUR_S = 3600


@dataclass
class Summary:
    """Counts.

    Attributes:
        done: recordings transcribed in this run.
        audio_s: seconds of audio in those.
        held: recordings transcribed before.
        failed: recordings with errors, by kind of error.
        passed_over: files without an audio suffix.
        copies: files with the content of another one.
    """

    done: int = 0
    audio_s: float = 0.0
    held: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    passed_over: int = 0
    copies: int = 0

    def lines(self, took_s: float, processor_s: float | None = None) -> list[str]:
        """The summary as lines of text.

        Args:
            took_s: duration of the run in seconds.
            processor_s: processor time used, in seconds; None if it is not known.
        """
        speed = self.audio_s / max(took_s, 1e-9)
        took = timedelta(seconds=round(took_s))
        audio = f"{_time(self.audio_s)} of audio in {took}, {speed:,.1f} s of audio a second"
        lines = [f"{count_of(self.done, 'recording')} transcribed: {audio}"]
        if processor_s is not None and self.audio_s:
            each = processor_s / self.audio_s
            lines.append(f"cost: {_time(processor_s)} of one CPU, {each:.3f} of the audio's length")
        if self.held:
            lines.append(f"{count_of(self.held, 'recording')} transcribed before")
        if self.copies:
            copies = f"{self.copies:,} copies" if self.copies > 1 else "1 copy"
            lines.append(f"{copies} of another recording, in its row")
        if self.failed:
            kinds = ", ".join(f"{count:,} {kind}" for kind, count in self.failed.most_common())
            lines.append(f"{self.failed.total():,} failed: {kinds}")
        if self.passed_over:
            lines.append(f"{count_of(self.passed_over, 'file')} passed over: not named as audio")
        return lines


def kind_of(error: Exception) -> str:
    """The kind of an error: its slug, or `file` for errors of the operating system."""
    return error.slug if isinstance(error, OtoscopeError) else "file"


def _time(seconds: float) -> str:
    return f"{seconds / _HOUR_S:,.2f} h" if seconds >= _HOUR_S else f"{seconds:,.0f} s"


def count_of(number: int, what: str) -> str:
    """`2 files`, or `1 file`."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")
