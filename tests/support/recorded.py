"""What a browser's MediaRecorder sends: Opus in WebM or Ogg, without a length or an index."""

import io

import av
import numpy as np

RATE_HZ = 48_000


def recorded(samples, container="webm"):
    """(samples,) float32 at 48 kHz as a stream that was not known to end."""
    sink = io.BytesIO()
    options = {"live": "1"} if container == "webm" else {}
    with av.open(OneWay(sink), "w", format=container, container_options=options) as file:
        stream = file.add_stream("libopus", rate=RATE_HZ, layout="mono")
        for at in range(0, samples.size, 9600):
            data = np.ascontiguousarray(samples[None, at : at + 9600], dtype=np.float32)
            frame = av.AudioFrame.from_ndarray(data, format="flt", layout="mono")
            frame.sample_rate, frame.pts = RATE_HZ, at
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return sink.getvalue()


class OneWay:
    """A file that can't go back, as a connection."""

    def __init__(self, sink):
        self.write = sink.write


def cut(data, generator, longest=3000):
    """Pieces of random lengths, some of one byte."""
    at = 0
    while at < len(data):
        size = 1 if generator.random() < 0.2 else int(generator.integers(1, longest))
        yield data[at : at + size]
        at += size
