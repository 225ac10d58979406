"""A progress bar on standard error."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, Self


class Progress:
    """Counts files and seconds of audio.

    Shown for several files, on a terminal only, and if tqdm is installed.
    """

    def __init__(self, files: int) -> None:
        self._bar: Any = None
        self._audio_s = 0.0
        self._started_s = time.monotonic()
        if files > 1 and sys.stderr.isatty() and find_spec("tqdm") is not None:
            from tqdm import tqdm  # noqa: PLC0415 - an extra

            self._bar = tqdm(
                total=files, unit="file", leave=False, dynamic_ncols=True, mininterval=0
            )

    def advance(self, audio_s: float) -> None:
        """One more file is done, with so much audio."""
        self._audio_s += audio_s
        if self._bar is not None:
            took_s = max(time.monotonic() - self._started_s, 1e-9)
            speed = f"{self._audio_s / took_s:.1f} s of audio a second"
            self._bar.set_postfix_str(speed, refresh=False)
            self._bar.update()

    def write_line(self, line: str) -> None:
        """Write a line to standard error, above the bar."""
        with self.hidden():
            sys.stderr.write(f"{line}\n")

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Hide the bar while something else is written to the terminal."""
        if self._bar is None:
            yield
            return
        self._bar.clear()
        try:
            yield
        finally:
            self._bar.refresh()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()
