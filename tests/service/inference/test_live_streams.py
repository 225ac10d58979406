"""What waits of a stream that comes faster than it is heard."""

import asyncio
import time

import numpy as np
import pytest
from scripted_model import SPEC, ScriptedModel

from otoscope.audio import PcmStream
from otoscope.decoding.decoder import Decoder
from otoscope.decoding.options import DecodingOptions
from otoscope.streaming import StreamingOptions, StreamingTranscriber, decode_here
from service.inference.live_streams import MOST_WAITING_PIECES, LiveStream

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
