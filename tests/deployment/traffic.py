"""Clients that never try again: whatever fails is seen."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

import httpx

READ_EVERY = 5
"""One request in so many reads a result; the others transcribe."""

_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Outcome:
    """What became of a request.

    Attributes:
        kind: transcribe, POST /transcribe; read, GET /probs of a result that was kept.
        status: HTTP's; None if no answer came.
        text: of a transcription.
        result_id: None if nothing was kept, or nothing was to be kept.
        detail: what went wrong.
    """

    kind: Literal["transcribe", "read"]
    started_s: float
    ended_s: float
    status: int | None
    text: str = ""
    result_id: str | None = None
    detail: str = ""

    def under_way(self, from_s: float, to_s: float) -> bool:
        """Whether it had been sent, and not been answered, at some time between these."""
        return self.started_s <= to_s and self.ended_s >= from_s


class Traffic:
    """A number of clients, each of which waits for its answer before it asks again."""

    def __init__(self, http: httpx.AsyncClient, clip: bytes, clients: int) -> None:
        """Send this recording through `http`, again and again."""
        self._http = http
        self._clip = clip
        self._clients = clients
        self._random = random.Random(0)
        self.outcomes: list[Outcome] = []
        self.kept: list[str] = []

    async def run(self, requests: int, disturb: Callable[[], Awaitable[None]]) -> None:
        """Send so many requests, and go on, up to ten times as many, until the trouble is over."""
        trouble = asyncio.create_task(disturb())
        wanted = iter(range(10 * requests))

        async def client() -> None:
            for number in wanted:
                if number >= requests and trouble.done():
                    return
                self.outcomes.append(await self._ask(number))

        await asyncio.gather(*(client() for _ in range(self._clients)))
        await trouble

    async def lost(self) -> list[Outcome]:
        """Read all that was acknowledged as kept; what could not be read."""
        waiting = iter(self.kept)

        async def client() -> list[Outcome]:
            return [await self.read(result_id) for result_id in waiting]

        read = await asyncio.gather(*(client() for _ in range(self._clients)))
        return [each for part in read for each in part if each.status != httpx.codes.OK]

    async def transcribe(self) -> Outcome:
        """Have the recording transcribed."""
        outcome = await self._send(
            "transcribe", "POST", "/transcribe", files={"file": ("clip.flac", self._clip)}
        )
        if outcome.result_id is not None:
            self.kept.append(outcome.result_id)
        return outcome

    async def read(self, result_id: str) -> Outcome:
        """Read a result's posteriors."""
        return await self._send("read", "GET", "/probs", params={"id": result_id, "format": "npy"})

    async def _ask(self, number: int) -> Outcome:
        if number % READ_EVERY == 0 and self.kept:
            return await self.read(self._random.choice(self.kept))
        return await self.transcribe()

    async def _send(
        self, kind: Literal["transcribe", "read"], method: str, path: str, **content: object
    ) -> Outcome:
        started_s = time.monotonic()
        try:
            answer = await self._http.request(method, path, timeout=_TIMEOUT_S, **content)
        except httpx.TransportError as error:
            return Outcome(kind, started_s, time.monotonic(), None, detail=repr(error))
        ended_s, status = time.monotonic(), answer.status_code
        if status != httpx.codes.OK:
            return Outcome(kind, started_s, ended_s, status, detail=answer.text[:500])
        if kind == "read":
            return Outcome(kind, started_s, ended_s, status)
        said = answer.json()
        return Outcome(kind, started_s, ended_s, status, said["text"], said["id"])
