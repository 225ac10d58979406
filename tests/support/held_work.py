"""Work of a pool's thread that ends when a test lets it."""

import threading

WAIT_S = 10.0


class HeldWork:
    """Call it in a thread: it says that it has started, and waits to be let go.

    Attributes:
        started: set while it runs, and from then on.
        gate: to be set; it returns True then, False if that took WAIT_S.
    """

    def __init__(self) -> None:
        self.started, self.gate = threading.Event(), threading.Event()

    def __call__(self) -> bool:
        self.started.set()
        return self.gate.wait(WAIT_S)
