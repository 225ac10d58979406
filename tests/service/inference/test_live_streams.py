"""What waits of a stream that comes faster than it is heard."""

import asyncio
import time

import numpy as np
import pytest
from held_work import WAIT_S, HeldWork
from scripted_model import SPEC, ScriptedModel, record

from otoscope.audio import PcmStream
from otoscope.decoding.decoder import Decoder
from otoscope.decoding.options import DecodingOptions
from otoscope.streaming import Final, StreamingOptions, StreamingTranscriber, decode_here
from service.inference.live_streams import (
    MOST_WAITING_BYTES,
    MOST_WAITING_PIECES,
    Flushed,
    LiveStream,
)
from service.inference.request_pool import RequestPool

RATE_HZ = 16_000


def open_live(pool):
    transcriber = StreamingTranscriber(
        ScriptedModel(),
        decode_here(Decoder(SPEC.alphabet)),
        StreamingOptions(),
        DecodingOptions(decoder="greedy"),
    )
    return LiveStream(transcriber, PcmStream("s16le", RATE_HZ, RATE_HZ), pool, 2 * RATE_HZ)


@pytest.mark.parametrize("put", [lambda live: live.put(b""), lambda live: live.flush()])
def test_what_is_no_audio_waits_with_its_sender_too(pool, put):
    async def scenario():
        live = open_live(pool)
        for _ in range(MOST_WAITING_PIECES + 1):
            await asyncio.wait_for(put(live), 5)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(put(live), 0.1)
        live.end()
        return [event async for event in live.events()]

    assert asyncio.run(scenario())


SECOND = np.zeros(RATE_HZ, dtype="<i2").tobytes()


def test_clearing_drops_only_what_lies_behind_a_flush(pool):
    async def scenario():
        live = open_live(pool)
        await live.put(SECOND)
        await live.flush()
        await live.put(3 * SECOND)
        live.clear()
        await live.put(2 * SECOND)
        live.end()
        return [each for events in [e async for e in live.events()] for each in events]

    flushed = [each.received_s for each in asyncio.run(scenario()) if isinstance(each, Flushed)]
    assert flushed == [1, 3]


def test_clearing_drops_nothing_of_a_flush_that_is_being_heard():
    """The pool's only thread is held: the step up to the flush waits in it."""
    held, recording = HeldWork(), record(["hello"], [0], np.random.default_rng(0))

    async def scenario():
        pool = RequestPool(threads=1, capacity=2)
        holding = asyncio.create_task(pool.run(held))
        live = open_live(pool)
        await live.put(np.rint(32767 * recording.samples).astype("<i2").tobytes())
        await live.flush()
        hearing = asyncio.create_task(anext(live.events()))
        await asyncio.to_thread(held.started.wait, WAIT_S)
        live.clear()
        held.gate.set()
        assert await holding
        events = await hearing
        await asyncio.to_thread(pool.close)
        return events

    assert [each for each in asyncio.run(scenario()) if isinstance(each, Final)]


def test_a_large_piece_is_heard_in_parts(pool):
    async def scenario():
        live = open_live(pool)
        await live.put(60 * SECOND)
        live.end()
        return [each async for each in live.events()]

    assert len(asyncio.run(scenario())) == -(-60 * len(SECOND) // MOST_WAITING_BYTES)


def test_single_bytes_are_heard_as_soon_as_others(pool):
    data = np.zeros(2 * RATE_HZ, dtype="<i2").tobytes()

    async def scenario():
        live = open_live(pool)

        async def hear():
            async for _ in live.events():
                pass

        hearing = asyncio.create_task(hear())
        for at in range(len(data)):
            await live.put(data[at : at + 1])
            await asyncio.sleep(0)
        live.end()
        await hearing
        return live.received_s

    began_s = time.perf_counter()
    assert asyncio.run(scenario()) == 2
    assert time.perf_counter() - began_s < 10
