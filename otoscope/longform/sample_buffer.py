"""The part of a stream's samples that is still needed."""

import numpy as np

from otoscope.audio import Samples, joined


class SampleBuffer:
    """Samples by their place in the stream, without those that were dropped.

    Attributes:
        start: place of the first that is kept.
        stop: place behind the last.
    """

    def __init__(self) -> None:
        self.start = self.stop = 0
        self._pieces: list[Samples] = []

    def add(self, samples: Samples) -> None:
        """Append (samples,) float32."""
        self._pieces.append(samples)
        self.stop += samples.size

    def view(self, start: int, stop: int) -> Samples:
        """Samples start..stop-1 of the stream, which have to be there still."""
        self._pieces = [joined(self._pieces)]
        return self._pieces[0][start - self.start : stop - self.start]

    def drop_before(self, start: int) -> None:
        """Free what lies before `start`."""
        if start > self.start:
            kept = self.view(start, self.stop)
            self._pieces = [np.array(kept)]
            self.start = start
