"""Division of the work into tasks of similar cost, without recordings that are done."""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

TASK_S = 60.0
"""CPU seconds of a task, approximately: at most so much is repeated if a worker is lost."""

_TASKS_PER_WORKER = 8
"""At least, if there is little to do, so that all workers end at about the same time."""

_LEAST_TASK_S = 5.0

_FILE_S = 0.05
"""Fixed cost of a recording, in CPU seconds."""


@dataclass(frozen=True)
class Look:
    """A source after its inspection.

    Attributes:
        source: path or URL.
        sha256: of the content, hexadecimal; empty if it can't be read.
        size_bytes: of the content.
        parts_s: length of each part in seconds; a single estimate unless it is long.
        problem: why it can't be read, its kind first; None if it can.
    """

    source: str
    sha256: str = ""
    size_bytes: int = 0
    parts_s: tuple[float, ...] = (0.0,)
    problem: tuple[str, str] | None = None


@dataclass(frozen=True)
class Piece:
    """A recording to transcribe, or a part of a long one.

    Attributes:
        sources: all with this content; the first is read.
        sha256: of the content.
        size_bytes: of the content.
        audio_s: seconds of the piece.
        part: its index, from 0.
        parts: number of parts of the recording.
    """

    sources: tuple[str, ...]
    sha256: str
    size_bytes: int
    audio_s: float
    part: int = 0
    parts: int = 1

    @property
    def key(self) -> str:
        """A unique name."""
        return self.sha256 if self.parts == 1 else f"{self.sha256}-{self.part}-of-{self.parts}"


Task = tuple[Piece, ...]
"""A unit of work for one worker."""


@dataclass(frozen=True)
class Plan:
    """The work of a job.

    Attributes:
        tasks: the most expensive first. Parts of long recordings are tasks of their own.
        long: recordings in parts, which are joined when all parts are done.
        held: number of recordings that have rows already.
        copies: number of sources with the content of another one.
        unread: sources that can't be read.
    """

    tasks: tuple[Task, ...]
    long: tuple[Task, ...]
    held: int
    copies: int
    unread: tuple[Look, ...]

    @property
    def audio_s(self) -> float:
        """Seconds of audio in all tasks."""
        return sum(piece.audio_s for task in self.tasks for piece in task)


def make_plan(
    looks: Iterable[Look],
    rows: Collection[str],
    pieces: Collection[str],
    cost: float,
    workers: int,
) -> Plan:
    """Divide the work.

    Args:
        looks: of all sources.
        rows: SHA-256 of contents that have rows already.
        pieces: keys of parts that are done.
        cost: CPU seconds per second of audio.
        workers: number of them.
    """
    looks = tuple(looks)
    readable = [look for look in looks if look.problem is None]
    contents: dict[str, list[Look]] = {}
    for look in readable:
        contents.setdefault(look.sha256, []).append(look)
    todo = [_pieces(same) for sha256, same in contents.items() if sha256 not in rows]
    short = [each[0] for each in todo if len(each) == 1]
    long = tuple(each for each in todo if len(each) > 1)
    left = [(piece,) for each in long for piece in each if piece.key not in pieces]
    everything_s = sum(_cost_s(piece, cost) for piece in [*short, *(one for (one,) in left)])
    target_s = max(_LEAST_TASK_S, min(TASK_S, everything_s / (workers * _TASKS_PER_WORKER)))
    tasks = [*_packed(short, cost, target_s), *left]
    tasks.sort(key=lambda task: -sum(_cost_s(piece, cost) for piece in task))
    return Plan(
        tuple(tasks),
        long,
        held=len(contents) - len(todo),
        copies=len(readable) - len(contents),
        unread=tuple(look for look in looks if look.problem is not None),
    )


def name_of(task: Task) -> str:
    """A name that depends only on the pieces."""
    return hashlib.sha256("\n".join(piece.key for piece in task).encode()).hexdigest()[:32]


def _pieces(same: Sequence[Look]) -> Task:
    """The parts of one content."""
    look, parts = same[0], len(same[0].parts_s)
    sources = tuple(each.source for each in same)
    return tuple(
        Piece(sources, look.sha256, look.size_bytes, audio_s, part, parts)
        for part, audio_s in enumerate(look.parts_s)
    )


def _cost_s(piece: Piece, cost: float) -> float:
    return piece.audio_s * cost + _FILE_S


def _packed(pieces: Iterable[Piece], cost: float, target_s: float) -> list[Task]:
    """Group pieces in their order into tasks of at most `target_s`; a longer piece is alone."""
    tasks: list[Task] = []
    task: list[Piece] = []
    so_far_s = 0.0
    for piece in pieces:
        piece_s = _cost_s(piece, cost)
        if task and so_far_s + piece_s > target_s:
            tasks.append(tuple(task))
            task, so_far_s = [], 0.0
        task.append(piece)
        so_far_s += piece_s
    return [*tasks, tuple(task)] if task else tasks
