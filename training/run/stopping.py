"""Ctrl-C and SIGTERM, which end a run at its next step with a checkpoint."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopRequest:
    """Whether a signal has come.

    Attributes:
        came: True from then on.
    """

    def __init__(self) -> None:
        self.came = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take signals down instead of ending the process."""
        before = {number: signal.signal(number, self._take) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _take(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self.came = True


def leave_signals_to_the_run(worker: int) -> None:  # noqa: ARG001
    """Ctrl-C reaches every process of a terminal, but only the run may stop its worker."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
