"""Words while they are spoken: audio in pieces of any size -> what is said so far."""

from otoscope.streaming.events import Event, Final, Frames, Partial, SpeechStarted
from otoscope.streaming.options import StreamingOptions
from otoscope.streaming.transcriber import StreamingTranscriber, decode_here

__all__ = [
    "Event",
    "Final",
    "Frames",
    "Partial",
    "SpeechStarted",
    "StreamingOptions",
    "StreamingTranscriber",
    "decode_here",
]
