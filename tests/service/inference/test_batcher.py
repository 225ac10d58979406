"""Batches of a graph that answers each matrix with its own sum, so that mix-ups show."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import numpy as np
import pytest

from otoscope.posteriors import HeadLogProbs
from service.errors import ClientGoneError, DeadlineError
from service.inference.batcher import Batcher, BatchOptions
from service.inference.deadline import Deadline, _current

WAIT_S = 10.0


class Graph:
    """Runs when the gate is open; remembers the lengths of its batches."""

    def __init__(self):
        self.gate = threading.Event()
        self.entered = threading.Semaphore(0)
        self.batches = []

    def __call__(self, matrices):
        self.batches.append([matrix.shape[0] for matrix in matrices])
        self.entered.release()
        assert self.gate.wait(WAIT_S)
        if any(np.isnan(matrix).any() for matrix in matrices):
            raise FloatingPointError("NaN in the batch")
        return [HeadLogProbs(np.array([[matrix.sum()]]), None) for matrix in matrices]


@pytest.fixture
def graph():
    return Graph()


@pytest.fixture
def threads():
    with ThreadPoolExecutor(32) as pool:
        yield pool


def matrix(frames, value=1.0):
    return np.full((frames, 2), value, dtype=np.float32)


def sums(heads):
    return [float(each.characters[0, 0]) for each in heads]


def until(condition):
    end_s = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.001)


def behind_a_first(batcher, graph, threads, others):
    """What runs after a batch of one, behind which all the others have come to wait."""
    first = threads.submit(batcher.run_heads, [matrix(10)])
    assert graph.entered.acquire(timeout=WAIT_S)
    waiting = []
    for each in others:
        waiting.append(threads.submit(batcher.run_heads, [each]))
        until(lambda: len(batcher._waiting) == len(waiting))
    graph.gate.set()
    assert sums(first.result(WAIT_S)) == [20.0]
    return waiting


def test_what_waits_together_goes_together_and_each_gets_its_own(graph, threads):
    batched = []
    with closing(Batcher(graph, BatchOptions(size=4), on_batch=batched.append)) as batcher:
        others = [matrix(10 + n, n) for n in range(5)]
        waiting = behind_a_first(batcher, graph, threads, others)
        assert [sums(each.result(WAIT_S)) for each in waiting] == [[m.sum()] for m in others]
    assert graph.batches == [[10], [10, 11, 12, 13], [14]]
    assert [each.items for each in batched] == [1, 4, 1]
    assert all(each.waited_s >= 0 for each in batched)


def test_lengths_that_differ_much_stay_apart_and_the_oldest_goes_first(graph, threads):
    with closing(Batcher(graph, BatchOptions(size=4))) as batcher:
        others = [matrix(frames) for frames in (100, 10, 90, 11, 125, 300)]
        for each in behind_a_first(batcher, graph, threads, others):
            each.result(WAIT_S)
    assert graph.batches == [[10], [100, 90, 125], [10, 11], [300]]


def test_a_size_of_one_makes_no_batches(graph, threads):
    with closing(Batcher(graph, BatchOptions(size=1))) as batcher:
        for each in behind_a_first(batcher, graph, threads, [matrix(10)] * 3):
            each.result(WAIT_S)
    assert [len(batch) for batch in graph.batches] == [1] * 4


def test_idle_threads_share_what_waits(threads):
    both = threading.Barrier(2, timeout=WAIT_S)
    batches = []

    def graph(matrices):
        batches.append(len(matrices))
        both.wait()  # passes only if two threads run at once
        return [HeadLogProbs(each, None) for each in matrices]

    options = BatchOptions(workers=2, size=4, wait_s=WAIT_S)
    with closing(Batcher(graph, options, working=lambda: 1)) as batcher:
        heads = batcher.run_heads([matrix(10)] * 4)
    assert len(heads) == 4
    assert batches == [2, 2]


def test_a_thread_waits_for_what_is_on_its_way(graph, threads):
    """The others are known to come, so the wait, longer than the test, ends with the last."""
    graph.gate.set()
    options = BatchOptions(size=8, wait_s=WAIT_S)
    with closing(Batcher(graph, options, working=lambda: 3)) as batcher:
        waiting = [threads.submit(batcher.run_heads, [matrix(10)]) for _ in range(3)]
        for each in waiting:
            each.result(WAIT_S / 2)
    assert graph.batches == [[10, 10, 10]]


def test_alone_nothing_waits(graph):
    graph.gate.set()
    options = BatchOptions(size=8, wait_s=1000.0)
    with closing(Batcher(graph, options, working=lambda: 1)) as batcher:
        assert sums(batcher.run_heads([matrix(3)])) == [6.0]


def test_what_is_alone_has_all_threads_for_itself(graph):
    graph.gate.set()
    alone = Graph()
    alone.gate.set()
    working = 1
    options = BatchOptions(workers=2, size=4, wait_s=0.0)
    with closing(Batcher(graph, options, run_alone=alone, working=lambda: working)) as batcher:
        assert sums(batcher.run_heads([matrix(3)])) == [6.0]
        working = 2  # another is being decoded, or read
        assert sums(batcher.run_heads([matrix(4)])) == [8.0]
    assert alone.batches == [[3]]
    assert graph.batches == [[4]]


def test_the_windows_of_one_recording_share_the_threads(graph):
    graph.gate.set()
    alone = Graph()
    with closing(Batcher(graph, BatchOptions(size=4), run_alone=alone)) as batcher:
        assert sums(batcher.run_heads([matrix(3)] * 4)) == [6.0] * 4
    assert alone.batches == []


def test_one_that_fails_takes_no_other_with_it(graph, threads):
    with closing(Batcher(graph, BatchOptions(size=4))) as batcher:
        others = [matrix(10), matrix(10, np.nan), matrix(10, 3.0)]
        good, bad, other = behind_a_first(batcher, graph, threads, others)
        assert sums(good.result(WAIT_S)) == [20.0]
        assert sums(other.result(WAIT_S)) == [60.0]
        with pytest.raises(FloatingPointError, match="NaN in the batch"):
            bad.result(WAIT_S)


@pytest.mark.parametrize("reason", [ClientGoneError, DeadlineError])
def test_what_nobody_needs_is_not_run(graph, threads, reason):
    ending = Deadline(WAIT_S if reason is ClientGoneError else 0.0)

    def for_one_who_goes():
        _current.set(ending)
        return batcher.run_heads([matrix(77)])

    with closing(Batcher(graph, BatchOptions(size=4))) as batcher:
        first = threads.submit(batcher.run_heads, [matrix(10)])
        assert graph.entered.acquire(timeout=WAIT_S)
        lost = threads.submit(for_one_who_goes)
        stays = threads.submit(batcher.run_heads, [matrix(80)])
        until(lambda: len(batcher._waiting) == 2)
        if reason is ClientGoneError:
            ending.leave()
        graph.gate.set()
        assert sums(first.result(WAIT_S) + stays.result(WAIT_S)) == [20.0, 160.0]
        with pytest.raises(reason):
            lost.result(WAIT_S)
    assert graph.batches == [[10], [80]]


def test_closing_finishes_what_waits_and_takes_no_more(graph, threads):
    batcher = Batcher(graph, BatchOptions(workers=2))
    waiting = [threads.submit(batcher.run_heads, [matrix(10)]) for _ in range(9)]
    until(lambda: batcher._callers == 9)
    graph.gate.set()
    batcher.close()
    assert [sums(each.result(WAIT_S)) for each in waiting] == [[20.0]] * 9
    with pytest.raises(RuntimeError, match="closed"):
        batcher.run_heads([matrix(10)])


def test_many_callers_at_random_moments(threads):
    def graph(matrices):
        time.sleep(0.0005 * len(matrices))
        return [HeadLogProbs(np.array([[each.sum()]]), None) for each in matrices]

    generator = np.random.default_rng(0)
    frames = generator.integers(1, 400, 300)
    options = BatchOptions(workers=3, size=4, wait_s=0.001)
    with closing(Batcher(graph, options, working=lambda: 32)) as batcher:
        waiting = [threads.submit(batcher.run_heads, [matrix(n), matrix(n, 2)]) for n in frames]
        got = [sums(each.result(WAIT_S)) for each in waiting]
    assert got == [[2.0 * n, 4.0 * n] for n in frames]
