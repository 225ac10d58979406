"""Transcriptions that are told of, by both clients."""

import asyncio
import json

import httpx
import numpy as np
import pytest
import soundfile

from otoscope import load
from otoscope.client import (
    AsyncClient,
    Client,
    ProblemError,
    UnexpectedAnswerError,
    UnreachableError,
)
from otoscope.schemas import FinishedAnswer, ProgressAnswer, Transcription

KEY = "swordfish"
RATE_HZ = 16_000


@pytest.fixture(scope="module")
def long_file(sample, tmp_path_factory):
    path = tmp_path_factory.mktemp("long") / "long.flac"
    samples = np.pad(load(sample, RATE_HZ).samples, (0, RATE_HZ))
    soundfile.write(path, np.tile(samples, 60), RATE_HZ)
    return path


@pytest.fixture(params=["waiting", "async"])
def told(request, address):
    """`told(file, **options)`: all that a client of either kind is told."""

    def waiting(file, address=address, transport=None, **options):
        settings = {"api_key": KEY, "transport": transport and transport()}
        with Client(address, **settings) as client:
            return list(client.transcribe_events(file, **options))

    def asynchronous(file, address=address, transport=None, **options):
        async def talking():
            settings = {"api_key": KEY, "transport": transport and transport()}
            async with AsyncClient(address, **settings) as client:
                return [each async for each in client.transcribe_events(file, **options)]

        return asyncio.run(talking())

    return waiting if request.param == "waiting" else asynchronous


def test_a_long_recording(told, long_file):
    first, *others, result = told(long_file, decoder="greedy")
    assert isinstance(first, ProgressAnswer)
    assert isinstance(result, Transcription)
    words = [word for each in others if isinstance(each, FinishedAnswer) for word in each.words]
    assert [word.word for word in words] == result.text.split()
    assert 0 < first.recognized_s < result.duration_s


def test_a_file_that_is_none_and_options_that_are_wrong(told, sample):
    with pytest.raises(ProblemError) as refused:
        told(b"no audio")
    assert refused.value.status == 415
    with pytest.raises(ProblemError, match="beam_width"):
        told(sample, beam_width=0)


def scripted(*pieces, media_type="text/event-stream", breaks=False):
    """A transport that answers with these bytes."""

    class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
        def __iter__(self):
            yield from pieces
            if breaks:
                raise httpx.ReadError("reset")

        async def __aiter__(self):
            for piece in self:
                yield piece

    def answer(_):
        return httpx.Response(200, headers={"content-type": media_type}, stream=Body())

    return lambda: httpx.MockTransport(answer)


PROGRESS = b'event: progress\ndata: {"recognized_s": 84.2}\n\n'
PROBLEM = {"type": "urn:otoscope:problem:deadline", "title": "Too long", "status": 503}


def test_an_error_behind_the_first_event_is_raised(told, sample):
    problem = json.dumps({**PROBLEM, "detail": "expected less"}).encode()
    with pytest.raises(ProblemError, match="expected less") as failed:
        told(sample, transport=scripted(PROGRESS, b"event: error\ndata: " + problem + b"\n\n"))
    assert failed.value.status == 503


@pytest.mark.parametrize("breaks", [False, True])
def test_an_answer_without_a_result_is_an_error(told, sample, breaks):
    other = b"event: of-a-later-version\ndata: {}\n\n"
    with pytest.raises(UnreachableError, match="broke off"):
        told(sample, transport=scripted(PROGRESS, other, PROGRESS[:20], breaks=breaks))


def test_answers_of_others_are_told_apart(told, sample):
    with pytest.raises(UnexpectedAnswerError):
        told(sample, transport=scripted(b"hello", media_type="text/plain"))
    with pytest.raises(UnexpectedAnswerError):
        told(sample, transport=scripted(b'event: progress\ndata: {"x": 1}\n\n'))
