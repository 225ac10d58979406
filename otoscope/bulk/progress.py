"""Progress of a job: a bar on a terminal, elsewhere a line now and then."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Self

from tqdm import tqdm

_BETWEEN_LINES_S = 30.0


class JobProgress:
    """Shows how much audio is transcribed, how fast, and how long the rest will take."""

    def __init__(self, audio_s: float, say: Callable[[str], None]) -> None:
        """Begin.

        Args:
            audio_s: seconds of audio in all.
            say: called with lines, if standard error is no terminal.
        """
        self._audio_s, self._say = audio_s, say
        self._done_s = 0.0
        self._started_s = self._said_s = time.monotonic()
        self._bar = tqdm(
            total=audio_s,
            desc="audio",
            unit="s",
            unit_scale=True,
            dynamic_ncols=True,
            disable=None,  # where there is no terminal
        )

    def add(self, audio_s: float) -> None:
        """Count seconds of audio that are done."""
        self._done_s += audio_s
        self._bar.update(audio_s)
        now_s = time.monotonic()
        if self._bar.disable and self._done_s and now_s - self._said_s >= _BETWEEN_LINES_S:
            self._said_s = now_s
            self._say(self._line(now_s - self._started_s))

    def _line(self, took_s: float) -> str:
        speed = self._done_s / took_s
        left = timedelta(seconds=round((self._audio_s - self._done_s) / speed))
        done = f"{self._done_s / 3600:,.2f} of {self._audio_s / 3600:,.2f} h"
        return f"{done}, {speed:,.1f} s of audio a second, {left} left"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()
