"""A compressed stream that is decoded, in a process, for a `LiveStream`."""

import asyncio

from otoscope.audio import StreamDecoder
from service.inference.live_streams import LiveStream


class CodedStream:
    """Bytes of WebM or Ogg in, samples (float32, little-endian) into a `LiveStream`."""

    def __init__(self, live: LiveStream, decoder: StreamDecoder) -> None:
        """No process is started yet."""
        self._live, self._decoder = live, decoder
        self._decoding: asyncio.Task[None] | None = None

    async def put(self, data: bytes) -> None:
        """Put some of the stream in, once there is room for it."""
        if self._decoding is None:
            self._decoding = asyncio.create_task(self._decode())
        await self._decoder.put(data)

    async def flush(self) -> None:
        """End the utterance after everything that was put in."""
        if self._decoding is not None:
            await self._decoder.drained()
        await self._live.flush()

    async def finish(self) -> None:
        """Wait until all that was put in is decoded."""
        self._decoder.end()
        if self._decoding is not None:
            await asyncio.wait({self._decoding})

    def leave(self) -> None:
        """Cancel the work, and stop the process."""
        if self._decoding is not None:
            self._decoding.cancel()
        else:
            self._decoder.close()

    async def _decode(self) -> None:
        try:
            async for samples in self._decoder.samples():
                await self._live.put(samples.astype("<f4", copy=False).tobytes())
        except Exception as error:  # noqa: BLE001 - raised by `LiveStream.events`
            self._live.fail(error)
