"""Threads around a graph that answers each matrix with its own sum, so that mix-ups show."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import numpy as np
import pytest

from otoscope import longform
from otoscope.audio import AudioStream
from otoscope.posteriors import HeadLogProbs
from service.errors import ClientGoneError, DeadlineError
from service.inference import threaded_model
from service.inference.deadline import Deadline, applies
from service.inference.threaded_model import Stopwatch, ThreadedModel, model_threads

WAIT_S = 10.0


class Graph:
    """Runs when the gate is open; remembers the lengths of what it has run."""

    spec = None

    def __init__(self):
        self.gate = threading.Event()
        self.entered = threading.Semaphore(0)
        self.ran = []

    def run_padded(self, batch, lengths):
        [length] = lengths
        assert batch.shape[:2] == (1, length)
        self.ran.append(int(length))
        self.entered.release()
        assert self.gate.wait(WAIT_S)
        if np.isnan(batch).any():
            raise FloatingPointError("NaN in the features")
        return [HeadLogProbs(np.array([[batch.sum()]]), None)]


@pytest.fixture
def graph():
    return Graph()


@pytest.fixture
def callers():
    with ThreadPoolExecutor(32) as pool:
        yield pool


@pytest.fixture
def make(graph):
    """Models of recordings that share so many threads, which end with the test."""
    executors = []

    def make_models(threads):
        executors.append(model_threads(threads))
        return lambda: ThreadedModel(graph, executors[-1], Stopwatch())

    yield make_models
    graph.gate.set()
    for each in executors:
        each.shutdown()


def matrix(frames, value=1.0):
    return np.full((frames, 2), value, dtype=np.float32)


def sums(heads):
    return [float(each.characters[0, 0]) for each in heads]


def test_each_gets_its_own_and_who_comes_first_goes_first(graph, make, callers):
    model = make(1)
    frames = range(10, 15)
    waiting = []
    for number, length in enumerate(frames):
        waiting.append(callers.submit(model().run_heads, [matrix(length, number)]))
        if number == 0:
            assert graph.entered.acquire(timeout=WAIT_S)
        while model()._threads._work_queue.qsize() < number:
            time.sleep(0.001)
    graph.gate.set()
    got = [sums(each.result(WAIT_S)) for each in waiting]
    assert got == [[2.0 * length * number] for number, length in enumerate(frames)]
    assert graph.ran == list(frames)


def test_no_more_run_at_once_than_there_are_threads(graph, make, callers):
    model = make(2)
    waiting = [callers.submit(model().run_heads, [matrix(10)]) for _ in range(5)]
    for _ in range(2):
        assert graph.entered.acquire(timeout=WAIT_S)
    assert not graph.entered.acquire(timeout=0.05)
    graph.gate.set()
    assert [sums(each.result(WAIT_S)) for each in waiting] == [[20.0]] * 5


def test_the_windows_of_one_recording_share_the_threads(graph, make, callers):
    ran = callers.submit(make(2)().run_heads, [matrix(frames) for frames in (3, 4, 5)])
    for _ in range(2):
        assert graph.entered.acquire(timeout=WAIT_S)
    graph.gate.set()
    assert sums(ran.result(WAIT_S)) == [6.0, 8.0, 10.0]


def test_one_that_fails_takes_no_other_with_it(graph, make, callers):
    graph.gate.set()
    model = make(1)
    good, bad, other = (
        callers.submit(model().run_heads, [each])
        for each in (matrix(10), matrix(10, np.nan), matrix(10, 3.0))
    )
    assert sums(good.result(WAIT_S)) == [20.0]
    assert sums(other.result(WAIT_S)) == [60.0]
    with pytest.raises(FloatingPointError, match="NaN in the features"):
        bad.result(WAIT_S)


@pytest.mark.parametrize("reason", [ClientGoneError, DeadlineError])
def test_work_for_a_request_that_is_over_is_not_run(graph, make, callers, reason):
    model, over = make(1), Deadline(WAIT_S if reason is ClientGoneError else 0.0)

    def for_one_who_leaves():
        with applies(over):
            return model().run_heads([matrix(77)])

    first = callers.submit(model().run_heads, [matrix(10)])
    assert graph.entered.acquire(timeout=WAIT_S)
    lost = callers.submit(for_one_who_leaves)
    stays = callers.submit(model().run_heads, [matrix(80)])
    while model()._threads._work_queue.qsize() < 2:
        time.sleep(0.001)
    if reason is ClientGoneError:
        over.cancel()
    graph.gate.set()
    assert sums(first.result(WAIT_S) + stays.result(WAIT_S)) == [20.0, 160.0]
    with pytest.raises(reason):
        lost.result(WAIT_S)
    assert graph.ran == [10, 80]


def test_ending_the_threads_finishes_what_waits_and_takes_no_more(graph, callers):
    threads = model_threads(2)
    model = ThreadedModel(graph, threads, Stopwatch())
    waiting = [callers.submit(model.run_heads, [matrix(10)]) for _ in range(9)]
    while threads._work_queue.qsize() < 7:
        time.sleep(0.001)
    graph.gate.set()
    threads.shutdown()
    assert [sums(each.result(WAIT_S)) for each in waiting] == [[20.0]] * 9
    with pytest.raises(RuntimeError, match="after shutdown"):
        model.run_heads([matrix(10)])


def test_many_callers_at_random_moments(graph, make, callers):
    graph.gate.set()
    model = make(3)
    frames = np.random.default_rng(0).integers(1, 400, 300)
    waiting = [callers.submit(model().run_heads, [matrix(n), matrix(n, 2)]) for n in frames]
    got = [sums(each.result(WAIT_S)) for each in waiting]
    assert got == [[2.0 * n, 4.0 * n] for n in frames]


@pytest.fixture
def ticking(monkeypatch):
    """A clock that is a second further whenever it is read."""
    ticks = count()
    monkeypatch.setattr(threaded_model.time, "perf_counter", lambda: float(next(ticks)))


@pytest.mark.usefixtures("ticking")
def test_a_stage_adds_up():
    stopwatch = Stopwatch()
    for stage in ("model", "decode", "model"):
        with stopwatch.timed(stage):
            pass
    assert stopwatch.took_s == {"model": 2.0, "decode": 1.0}


def test_posteriors_are_the_recognizers(recognizer, sounds):
    """Of a recording that needs several windows."""
    data, stopwatch = sounds.write(sounds.noise(60)), Stopwatch()
    expected = longform.recognize(recognizer, AudioStream(data, 16000)).posteriors
    with model_threads(2) as threads:
        model = ThreadedModel(recognizer, threads, stopwatch)
        got = longform.recognize(model, AudioStream(data, 16000)).posteriors
    np.testing.assert_array_equal(got.log_probs, expected.log_probs)
    np.testing.assert_array_equal(got.phonemes.log_probs, expected.phonemes.log_probs)
    assert got.clock == expected.clock
    assert set(stopwatch.took_s) == {"features", "model"}
