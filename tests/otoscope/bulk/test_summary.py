"""otoscope.bulk.summary: the lines at the end of a run."""

from collections import Counter

from otoscope.bulk.summary import Summary, kind_of
from otoscope.client import ProblemError
from otoscope.errors import ChannelError, EmptyAudioError
from otoscope.schemas import Problem


def test_hours_speed_cost_and_failures():
    failed = Counter({"audio-empty": 1, "audio-unreadable": 1200})
    summary = Summary(1950, 3.5 * 3600, 2, failed, 1, 1)
    assert summary.lines(took_s=700.0, processor_s=7200.0) == [
        "1,950 recordings transcribed: 3.50 h of audio in 0:11:40, 18.0 s of audio a second",
        "cost: 2.00 h of one CPU, 0.571 of the audio's length",
        "2 recordings transcribed before",
        "1 copy of another recording, in its row",
        "1,201 failed: 1,200 audio-unreadable, 1 audio-empty",
        "1 file passed over: not named as audio",
    ]


def test_nothing_was_to_be_done():
    assert Summary().lines(took_s=0.0, processor_s=1.0) == [
        "0 recordings transcribed: 0 s of audio in 0:00:00, 0.0 s of audio a second"
    ]


def test_kinds_are_those_of_problems():
    busy = Problem(type="urn:otoscope:problem:queue-full", title="Busy", status=503, detail="")
    plain = Problem(title="Not Found", status=404, detail="")
    errors = EmptyAudioError(), ChannelError(), OSError(), ProblemError(busy), ProblemError(plain)
    kinds = ["audio-empty", "audio", "file", "queue-full", "http-404"]
    assert [kind_of(each) for each in errors] == kinds
