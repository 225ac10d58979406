"""Compressed streams that come in pieces, whole and damaged, in a real decoding process."""

import asyncio
import io
import os
import signal
import threading
from contextlib import closing

import numpy as np
import pytest
import soundfile
from recorded import cut, recorded

from otoscope import load
from otoscope.audio import DecodeProcesses, StreamDecoder
from otoscope.audio.stream import resample
from otoscope.errors import (
    AudioRateError,
    DecoderLostError,
    DecodersBusyError,
    UnreadableAudioError,
)

RATE_HZ = 16_000
GIVE_UP_S = 60.0


@pytest.fixture(scope="module")
def processes():
    """In place of the folder's: shared by all tests here, which take one stream after another."""
    processes = DecodeProcesses(2)
    yield processes
    processes.close()


@pytest.fixture(scope="module")
def speech():
    """Three seconds of a gliding tone at 48 kHz."""
    time_s = np.arange(3 * 48_000) / 48_000
    return (0.5 * np.sin(2 * np.pi * (200 + 150 * time_s) * time_s)).astype(np.float32)


def decoded(processes, pieces, between=None):
    """All samples of a stream; `between` is awaited before its end."""

    async def run():
        decoder, taken = StreamDecoder(processes, RATE_HZ), []

        async def take():
            async for samples in decoder.samples():
                taken.append(samples)  # noqa: PERF401 - more tasks look at it

        taking = asyncio.create_task(take())
        for piece in pieces:
            await decoder.put(piece)
        if between is not None:
            await between(decoder, taken)
        decoder.end()
        await taking
        return np.concatenate(taken)

    async def in_time():
        async with asyncio.timeout(GIVE_UP_S):
            return await run()

    return asyncio.run(in_time())


def likeness(one, other):
    """Their greatest correlation within 10 ms."""
    inside = slice(2000, 40_000)
    return max(
        np.corrcoef(one[inside], other[inside.start + lag : inside.stop + lag])[0, 1]
        for lag in range(-160, 161, 1)
    )


@pytest.mark.parametrize("container", ["webm", "ogg"])
@pytest.mark.parametrize("seed", range(3))
def test_pieces_of_any_size_give_the_file(processes, speech, container, seed):
    data = recorded(speech, container)
    expected = load(data, RATE_HZ).samples
    pieces = cut(data, np.random.default_rng(seed)) if seed else [data]
    samples = decoded(processes, pieces)
    np.testing.assert_allclose(samples, expected, atol=1e-5)
    assert likeness(samples, resample(speech, 48_000, RATE_HZ)) > 0.99


def test_what_was_put_in_is_decoded_before_more_comes(processes, speech):
    data = recorded(speech)

    async def between(decoder, taken):
        await decoder.drained()
        assert sum(map(len, taken)) > 0.95 * 3 * RATE_HZ

    decoded(processes, [data], between)


def test_vorbis_of_another_rate(processes, speech):
    file = io.BytesIO()
    soundfile.write(file, speech[::2], 24_000, format="OGG", subtype="VORBIS")
    samples = decoded(processes, [file.getvalue()])
    assert likeness(samples, resample(speech, 48_000, RATE_HZ)) > 0.99


@pytest.mark.parametrize("container", ["webm", "ogg"])
def test_a_stream_that_breaks_off_is_decoded_so_far(processes, speech, container):
    data = recorded(speech, container)
    whole = load(data, RATE_HZ).samples
    samples = decoded(processes, [data[: len(data) // 2]])
    assert 0.3 * whole.size < samples.size < 0.7 * whole.size
    np.testing.assert_allclose(samples[:10_000], whole[:10_000], atol=1e-5)


@pytest.mark.parametrize("container", ["webm", "ogg"])
@pytest.mark.parametrize("seed", range(8))
def test_damage_neither_hangs_nor_ends_more_than_the_stream(processes, speech, container, seed):
    generator = np.random.default_rng(seed)
    data = np.frombuffer(recorded(speech, container), dtype=np.uint8).copy()
    first = 0 if seed % 2 else 600  # with its header or without
    places = generator.integers(first, data.size, 10 * (1 + seed))
    data[places] = generator.integers(0, 256, places.size)
    try:
        samples = decoded(processes, cut(data.tobytes(), generator))
    except (UnreadableAudioError, AudioRateError):
        samples = np.zeros(0)
    assert samples.size <= 60 * RATE_HZ
    assert decoded(processes, [recorded(speech)]).size > 2.9 * RATE_HZ


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no audio at all" * 5000,
        bytes(100_000),
        b"\x1a\x45\xdf\xa3",
        b"RIFF" + bytes(40) + b"WAVEfmt ",
        b"OggS" * 10_000,
        b"#EXTM3U\nfile:///etc/passwd\n" * 100,
    ],
    ids=["nothing", "text", "zeros", "four bytes", "wav", "pages", "playlist"],
)
def test_what_is_no_such_stream_is_refused(processes, data):
    with pytest.raises(UnreadableAudioError, match=r"webm or ogg|can't be decoded"):
        decoded(processes, [data])


def test_files_of_other_kinds_are_refused(processes, speech, pytestconfig):
    with pytest.raises(UnreadableAudioError, match="webm or ogg"):
        decoded(processes, [(pytestconfig.rootpath / "examples/sample.flac").read_bytes()])


@pytest.mark.parametrize(
    ("number", "expected", "words"),
    [
        (signal.SIGSEGV, UnreadableAudioError, "broke down"),
        (signal.SIGKILL, DecoderLostError, "was ended"),
    ],
)
def test_a_process_that_dies_ends_its_stream_alone(processes, speech, number, expected, words):
    data = recorded(speech)

    async def between(decoder, _):
        await decoder.drained()
        os.kill(borrowed[0]._process.pid, number)

    borrowed, borrow = [], processes.borrow

    def watched():
        borrowed.append(borrow())
        return borrowed[0]

    processes.borrow = watched
    try:
        with pytest.raises(expected, match=words):
            decoded(processes, [data[:8000]], between)
    finally:
        del processes.borrow
    assert borrowed[0].exit_code() == -number
    assert decoded(processes, [data]).size > 2.9 * RATE_HZ


def test_who_is_not_listened_to_waits(processes, speech):
    data = recorded(np.tile(speech, 20))

    async def run():
        decoder = StreamDecoder(processes, RATE_HZ)
        taking = decoder.samples()
        flood = asyncio.create_task(decoder.put(data * 40))
        await anext(taking)
        await asyncio.sleep(1)
        assert not flood.done()
        await taking.aclose()
        await flood  # the process is gone, and nobody wants it any more

    asyncio.run(run())


def test_one_stream_too_many(processes, speech):
    async def run():
        streams = [StreamDecoder(processes, RATE_HZ) for _ in range(3)]
        for stream in streams[:2]:
            await stream.put(recorded(speech))
        open_ones = [stream.samples() for stream in streams]
        for each in open_ones[:2]:
            await anext(each)
        with pytest.raises(DecodersBusyError):
            await anext(open_ones[2])
        for each in open_ones[:2]:
            await each.aclose()

    asyncio.run(run())
    assert decoded(processes, [recorded(speech)]).size > 2.9 * RATE_HZ


def test_a_stream_that_is_left_while_its_process_starts_takes_no_place(speech, monkeypatch):
    """Cancelled, whether the event loop goes on or ends."""
    borrowing, go_on, back = threading.Event(), threading.Event(), threading.Event()

    def borrow():
        borrowing.set()
        assert go_on.wait(GIVE_UP_S)
        return usual()

    def give_back(process, *, whole):
        give(process, whole=whole)
        back.set()

    async def leave():
        decoder = StreamDecoder(one_place, RATE_HZ)
        taking = asyncio.create_task(anext(decoder.samples()))
        await asyncio.to_thread(borrowing.wait)
        taking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await taking
        go_on.set()
        with pytest.raises(OSError, match="Bad file descriptor"):
            decoder._ours.send(b"closed")

    with closing(DecodeProcesses(1)) as one_place:
        usual, give = one_place.borrow, one_place.give_back
        with monkeypatch.context() as patch:
            patch.setattr(one_place, "borrow", borrow)
            patch.setattr(one_place, "give_back", give_back)
            asyncio.run(leave())
            assert back.wait(GIVE_UP_S)
        assert decoded(one_place, [recorded(speech)]).size > 2.9 * RATE_HZ


def test_a_stream_too_many_leaves_no_sockets():
    async def run():
        decoder = StreamDecoder(none, RATE_HZ)
        with pytest.raises(DecodersBusyError):
            await anext(decoder.samples())
        await asyncio.wait_for(decoder.drained(), GIVE_UP_S)
        with pytest.raises(OSError, match="Bad file descriptor"):
            decoder._ours.send(b"closed")

    with closing(DecodeProcesses(0)) as none:
        asyncio.run(run())
