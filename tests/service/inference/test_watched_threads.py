import threading
import time

import pytest

from service.inference.watched_threads import WatchedThreads

WAIT_S = 10.0


def test_work_is_done_with_its_arguments():
    with WatchedThreads(1, "named") as threads:
        assert threads.submit(divmod, 7, 2).result(WAIT_S) == (3, 1)
        assert threads.submit(int, "ff", base=16).result(WAIT_S) == 255
        with pytest.raises(ZeroDivisionError):
            threads.submit(divmod, 7, 0).result(WAIT_S)


def test_each_piece_tells_its_own_wait_when_a_thread_takes_it():
    waits, gate, started = [], threading.Event(), threading.Event()

    def hold():
        started.set()
        gate.wait(WAIT_S)

    with WatchedThreads(1, "named", waits.append) as threads:
        first = threads.submit(hold)
        started.wait(WAIT_S)
        assert len(waits) == 1
        second = threads.submit(lambda: len(waits))
        submitted_s = time.perf_counter()
        first_alone = len(waits)
        held_s = time.perf_counter() - submitted_s
        gate.set()
        first.result(WAIT_S)
        told_before_it_began = second.result(WAIT_S)
    assert (first_alone, told_before_it_began) == (1, 2)
    assert waits[1] >= held_s


def test_what_is_cancelled_while_it_waits_is_not_counted():
    waits, gate = [], threading.Event()
    with WatchedThreads(1, "named", waits.append) as threads:
        held = threads.submit(gate.wait, WAIT_S)
        assert threads.submit(int).cancel()
        gate.set()
        held.result(WAIT_S)
    assert len(waits) == 1


def test_threads_are_initialized_and_named():
    names = []
    with WatchedThreads(
        1, "named", initializer=lambda: names.append(threading.current_thread().name)
    ) as threads:
        threads.submit(int).result(WAIT_S)
    assert names == ["named_0"]
