"""Live streams in real time: `python -m benchmarks.live --sessions 1 4 8`.

Each session speaks recordings one after another, as fast as they were spoken, to a service of its
own machine. Measured are the times from a word's end, as the final text has it, to the message that
first shows it and to the one that confirms it; and the words that are wrong, beside those of the
same recordings uploaded whole.
"""

import argparse
import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import jiwer
import numpy as np

from benchmarks.servers import Server, otoscope_server
from otoscope import load
from otoscope.client import AsyncClient
from otoscope.schemas.streaming import FinalMessage, PartialMessage

RATE_HZ = 16_000
PIECE_S = 0.1
SILENCE_S = 1.5
SAME_WORD_S = 0.4
"""A word of a partial is that of the final if it ends so near to it."""


@dataclass
class Session:
    """What one session said and saw.

    Attributes:
        said, live: reference and final text of each recording.
        shown_s, confirmed_s: of each word, from its end to its message.
    """

    said: list[str] = field(default_factory=list)
    live: list[str] = field(default_factory=list)
    shown_s: list[float] = field(default_factory=list)
    confirmed_s: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Recording:
    """A recording with silence behind it.

    Attributes:
        path: of its file.
        text: that is said.
        samples: (samples,) int16.
    """

    path: Path
    text: str
    samples: np.ndarray


def open_recordings(manifest: Path, count: int) -> list[Recording]:
    """The first of a manifest."""
    found = []
    for line in manifest.read_text(encoding="utf-8").splitlines()[:count]:
        entry = json.loads(line)
        path = manifest.parent / entry["audio_filepath"]
        samples = np.rint(32767 * load(path, RATE_HZ).samples).astype("<i2")
        silence = np.zeros(round(SILENCE_S * RATE_HZ), dtype="<i2")
        text = entry["text"].lower()
        found.append(Recording(path, text, np.concatenate([samples, silence])))
    return found


async def speak(client: AsyncClient, recording: Recording, session: Session) -> None:
    """One recording in real time."""
    began_s = time.monotonic()

    async def pieces() -> AsyncIterator[bytes]:
        size = round(PIECE_S * RATE_HZ)
        for index, start in enumerate(range(0, recording.samples.size, size), start=1):
            await asyncio.sleep(max(0.0, began_s + index * PIECE_S - time.monotonic()))
            yield recording.samples[start : start + size].tobytes()

    partials: list[tuple[float, PartialMessage]] = []
    texts = []
    async for message in client.stream(pieces(), sample_rate_hz=RATE_HZ):
        now_s = time.monotonic() - began_s
        if isinstance(message, PartialMessage):
            partials.append((now_s, message))
        elif isinstance(message, FinalMessage):
            texts.append(message.text)
            _time_words(message, now_s, partials, session)
    session.said.append(recording.text)
    session.live.append(" ".join(texts))


def _time_words(
    final: FinalMessage,
    now_s: float,
    partials: Sequence[tuple[float, PartialMessage]],
    session: Session,
) -> None:
    for word in final.words:
        shown_s = confirmed_s = now_s
        for at_s, partial in reversed(partials):
            for place, other in enumerate(partial.words):
                same = other.word == word.word and abs(other.end_s - word.end_s) < SAME_WORD_S
                if same and partial.utterance == final.utterance:
                    shown_s = at_s
                    confirmed_s = at_s if place < partial.confirmed else confirmed_s
        session.shown_s.append(shown_s - word.end_s)
        session.confirmed_s.append(confirmed_s - word.end_s)


async def speak_all(url: str, recordings: Sequence[Recording], sessions: int) -> Session:
    """All sessions at a time, each with the recordings in an order of its own."""
    session = Session()

    async def one(index: int) -> None:
        async with AsyncClient(url) as client:
            for place in range(len(recordings)):
                await speak(client, recordings[(index + place) % len(recordings)], session)

    await asyncio.gather(*(one(index) for index in range(sessions)))
    return session


async def upload_all(url: str, recordings: Sequence[Recording]) -> float:
    """Words that are wrong of the recordings uploaded whole."""
    async with AsyncClient(url) as client:
        texts = [(await client.transcribe(each.path)).text for each in recordings]
    return float(jiwer.wer([each.text for each in recordings], texts))


def measure(server: Server, recordings: Sequence[Recording], sessions: int) -> dict[str, float]:
    """Latencies and processor time of so many sessions."""
    cpu_s, began_s = server.cpu_s(), time.monotonic()
    session = asyncio.run(speak_all(server.url, recordings, sessions))
    wall_s = time.monotonic() - began_s
    audio_s = sessions * sum(each.samples.size for each in recordings) / RATE_HZ
    shown, confirmed = (
        np.percentile(each, [50, 95]) for each in (session.shown_s, session.confirmed_s)
    )
    return {
        "sessions": sessions,
        "words": len(session.shown_s),
        "shown_p50_s": float(shown[0]),
        "shown_p95_s": float(shown[1]),
        "confirmed_p50_s": float(confirmed[0]),
        "confirmed_p95_s": float(confirmed[1]),
        "wer": float(jiwer.wer(session.said, session.live)),
        "cpu_s_per_audio_s": (server.cpu_s() - cpu_s) / audio_s,
        "wall_s": wall_s,
        "peak_mib": server.peak_mib(),
    }


def main() -> None:
    """Measure on this machine, and print a line of JSON for each number of sessions."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live", description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("models/english/model.int8.onnx"))
    speech = Path("../shared/corpus/librispeech/dev.jsonl")
    parser.add_argument("--speech", type=Path, default=speech, help="manifest of recordings")
    parser.add_argument("--recordings", type=int, default=6, help="of it, spoken by each session")
    parser.add_argument("--sessions", type=int, nargs="+", default=[1, 4, 8], help="at a time")
    options = parser.parse_args()
    recordings = open_recordings(options.speech, options.recordings)
    with otoscope_server(options.model, OTOSCOPE_MAX_STREAMS="64") as server:
        print(json.dumps({"whole_wer": asyncio.run(upload_all(server.url, recordings))}))
        for sessions in options.sessions:
            figures = measure(server, recordings, sessions)
            print(json.dumps({name: round(value, 4) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
