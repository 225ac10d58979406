"""service.inference.decode_workers: the same texts from workers, whatever becomes of these."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from running_service import START_S

from otoscope import FrameClock, PhonemePosteriors, job_processes, load, processes
from otoscope.decoding.decoder import open_decoder
from otoscope.decoding.options import DecodingOptions
from otoscope.errors import OptionsError, UnsupportedTextError
from service.errors import ClientGoneError, DeadlineError, SearchLostError
from service.inference import deadline, decode_workers
from service.inference.deadline import Deadline
from service.inference.decode_workers import DecodeWorkers

SAMPLE = (Path(__file__).resolve().parents[3] / "examples" / "sample.flac").read_bytes()
SEARCH = DecodingOptions()
TIMES_TO_BE_LONG = 2
LONG_S = 5.0


@pytest.fixture(autouse=True)
def soon_long(monkeypatch):
    """The sample is short, and twice the sample is long."""
    monkeypatch.setattr(decode_workers, "LONG_S", LONG_S)


@pytest.fixture(scope="module")
def decoding(recognizer, sentence_model):
    return open_decoder(recognizer.spec, recognizer.exact_sha256, sentence_model, None)


@pytest.fixture(scope="module")
def posteriors(recognizer):
    [found] = recognizer.posteriors([load(SAMPLE, 16000).samples])
    return found


@pytest.fixture(scope="module")
def long_posteriors(posteriors):
    """The sample again and again, longer than what waits for its turn."""
    clock = FrameClock(posteriors.clock.frame_s, posteriors.clock.duration_s * TIMES_TO_BE_LONG)
    assert clock.duration_s > LONG_S
    phonemes = posteriors.phonemes
    return replace(
        posteriors,
        log_probs=np.tile(posteriors.log_probs, (TIMES_TO_BE_LONG, 1)),
        clock=clock,
        phonemes=PhonemePosteriors(
            np.tile(phonemes.log_probs, (TIMES_TO_BE_LONG, 1)), phonemes.phonemes
        ),
    )


@pytest.fixture(scope="module")
def shared(decoding):
    """Two processes, for tests that leave them alive."""
    two = DecodeWorkers(decoding, 2)
    two.start()
    yield two
    two.close()


@pytest.fixture
def started(monkeypatch):
    """The processes that are started from now on."""
    every = []

    class Noted(subprocess.Popen):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            every.append(self)

    monkeypatch.setattr(processes.subprocess, "Popen", Noted)
    return every


@pytest.fixture
def make(decoding):
    """DecodeWorkers that are closed after the test."""
    every = []

    def make_one(count, *stage):
        every.append(DecodeWorkers(decoding, count, *stage))
        return every[-1]

    yield make_one
    for each in every:
        each.close()


def decode(workers, posteriors, options):
    """What a request gets, waiting here."""
    job = workers.decode(posteriors, options)
    try:
        next(job)  # waits for a worker meanwhile
        next(job)
    except StopIteration as end:
        return end.value
    raise AssertionError("expected one wait")


def stage_that(act):
    """A stage that calls `act` whenever it is entered."""

    @contextmanager
    def stage():
        act()
        yield

    return stage


def stage_in_which(come):
    """A stage in which another recording comes while the first is read, and what it gave."""
    coming, gave = iter([come]), []

    def act():
        gave.extend(each() for each in coming)

    return stage_that(act), gave


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"n_best": 5, "lm_weight": 1.0, "word_bonus": 0.5},
        {"hotwords": "fathur:30, his father"},
        {"language_model": False, "decoder": "beam", "n_best": 3},
        {"phrases": "it was a long time, good morning"},
        {"decoder": "greedy"},
    ],
)
def test_texts_are_those_of_one_process(shared, decoding, posteriors, form):
    here = decoding.decode(posteriors, DecodingOptions(**form))
    there = decode(shared, posteriors, DecodingOptions(**form))
    assert there == here


@pytest.mark.slow
def test_silence_and_long_recordings_are_the_same_too(
    shared, decoding, make_posteriors, long_posteriors
):
    silence = make_posteriors()
    silence.log_probs[:] = -9.0
    silence.log_probs[:, silence.alphabet.blank_index] = -1e-3
    assert decode(shared, silence, SEARCH).transcript.text == ""
    assert decode(shared, long_posteriors, SEARCH) == decoding.decode(long_posteriors, SEARCH)


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"hotwords": "channel 5"}, UnsupportedTextError),
        ({"n_best": 4, "beam_width": 3}, OptionsError),
    ],
)
def test_errors_of_the_domain_pass(shared, decoding, posteriors, form, error):
    options = DecodingOptions(**form)
    with pytest.raises(error) as here:
        decoding.decode(posteriors, options)
    with pytest.raises(error) as there:
        decode(shared, posteriors, options)
    assert type(there.value) is type(here.value)
    assert str(there.value) == str(here.value)


def test_what_nobody_expected_is_told_and_harms_no_process(make, started, posteriors):
    one = make(1)
    narrow = replace(posteriors, log_probs=posteriors.log_probs[:, :-5])
    with pytest.raises(RuntimeError, match=r"Traceback(.|\n)*Error"):
        decode(one, narrow, SEARCH)
    decode(one, posteriors, SEARCH)
    assert len(started) == 1


def test_a_process_starts_when_it_is_needed_and_ends_with_close(make, started, posteriors):
    one = make(1)
    decode(one, posteriors, DecodingOptions(decoder="greedy"))
    assert not started
    decode(one, posteriors, SEARCH)
    decode(one, posteriors, SEARCH)
    assert [each.poll() for each in started] == [None]
    one.close()
    assert [each.returncode for each in started] == [0]


def test_all_are_started_at_once_if_asked(make, started):
    two = make(2)
    two.start()
    two.close()
    assert [each.returncode for each in started] == [0, 0]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
def test_signals_for_all_processes_end_none_of_them(make, started, posteriors):
    one = make(1)
    decode(one, posteriors, SEARCH)
    [process] = started
    assert os.getpgid(process.pid) != os.getpgid(0)  # and so Ctrl-C doesn't reach it
    for number in (signal.SIGINT, signal.SIGTERM):
        process.send_signal(number)
    decode(one, posteriors, SEARCH)
    assert started == [process]


def test_an_idle_process_that_was_killed_is_replaced(make, started, posteriors, caplog):
    one = make(1)
    decode(one, posteriors, SEARCH)
    started[0].kill()
    started[0].wait()
    assert decode(one, posteriors, SEARCH).transcript.text
    assert len(started) == 2
    assert [each.getMessage() for each in caplog.records] == [
        "a decode worker ended with -9: another replaces it"
    ]
    assert started[0].poll() is not None


def test_another_process_tries_again_when_one_is_killed(make, started, decoding, posteriors):
    one = make(1, stage_that(lambda: len(started) == 1 and started[0].kill()))
    assert decode(one, posteriors, SEARCH) == decoding.decode(posteriors, SEARCH)
    assert len(started) == 2


def test_who_kills_two_is_told_to_come_again_and_others_are_served(make, started, posteriors):
    deaths = 2
    one = make(1, stage_that(lambda: len(started) <= deaths and started[-1].kill()))
    with pytest.raises(SearchLostError, match="try again in 5 s"):
        decode(one, posteriors, SEARCH)
    assert decode(one, posteriors, SEARCH).transcript.text
    assert len(started) == 3
    assert [each.returncode for each in started[:2]] == [-signal.SIGKILL] * 2


def test_a_process_that_can_not_start_is_an_answer_too(make, monkeypatch, posteriors):
    def full(*_, **__):
        raise OSError("out of memory")

    one = make(1)
    with monkeypatch.context() as patch:
        patch.setattr(processes.subprocess, "Popen", full)
        one.start()
        with pytest.raises(SearchLostError):
            decode(one, posteriors, SEARCH)
    assert decode(one, posteriors, SEARCH).transcript.text


def test_what_nobody_needs_any_more_is_not_begun(make, started, posteriors, monkeypatch):
    one = make(1)
    with monkeypatch.context() as patch:
        patch.setattr(deadline, "current", lambda: Deadline(-1.0))
        with pytest.raises(DeadlineError):
            decode(one, posteriors, SEARCH)
    assert not started
    decode(one, posteriors, SEARCH)


@pytest.mark.slow
@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_long_recording_keeps_no_short_one_waiting(
    make, decoding, posteriors, long_posteriors, count
):
    stage, gave = stage_in_which(lambda: decode(some, posteriors, SEARCH))
    some = make(count, stage)
    assert decode(some, long_posteriors, SEARCH) == decoding.decode(long_posteriors, SEARCH)
    assert gave == [decoding.decode(posteriors, SEARCH)]


@pytest.mark.slow
def test_long_recordings_wait_in_turn_and_keep_no_process(make, started, long_posteriors):
    one = make(1)
    found = [one.submit((long_posteriors, SEARCH)) for _ in range(2)]
    assert found[0].result() == found[1].result()
    assert len(started) == 2
    assert [each.poll() for each in started] == [0, 0]


def test_a_worker_that_keeps_still_is_replaced(make, started, posteriors, decoding, monkeypatch):
    monkeypatch.setattr(job_processes, "SILENT_S", 2.0)
    one = make(1)
    decode(one, posteriors, SEARCH)
    started[0].send_signal(signal.SIGSTOP)
    assert decode(one, posteriors, SEARCH) == decoding.decode(posteriors, SEARCH)
    assert [each.poll() for each in started] == [-signal.SIGKILL, None]


@pytest.mark.slow
@pytest.mark.parametrize("end", ["client", "time"])
@pytest.mark.parametrize("wanted", [DecodingOptions(beam_width=2000), "his father " * 1000])
def test_a_search_that_nobody_waits_for_is_ended(make, started, long_posteriors, end, wanted):
    one, request = make(1), Deadline(2.5 if end == "time" else 600.0)
    longer = replace(
        long_posteriors,
        log_probs=np.tile(long_posteriors.log_probs, (400, 1)),
        phonemes=None,
        clock=FrameClock(0.04, 400 * long_posteriors.clock.duration_s),
    )
    with deadline.applies(request):
        found = one.submit((longer, wanted))
    while not started:
        time.sleep(0.01)
    if end == "client":
        request.cancel()
    with pytest.raises(ClientGoneError if end == "client" else DeadlineError):
        found.result(timeout=60)
    assert started[0].poll() == -signal.SIGKILL


def test_without_processes_recordings_take_turns_here(make, started, decoding, posteriors):
    inside, most = [], []

    @contextmanager
    def stage():
        inside.append(None)
        most.append(len(inside))
        yield
        inside.pop()

    none = make(0, stage)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(decode(none, posteriors, SEARCH)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [decoding.decode(posteriors, SEARCH)] * 4
    assert (most, started) == ([1] * 4, [])


def test_a_search_ends_when_its_server_does(decoding, long_posteriors, started):
    worker = decode_workers._Worker(decoding)
    wide = DecodingOptions(beam_width=2000, n_best=100)
    worker._send_message((long_posteriors, wide), lambda: None, 10.0)
    worker._channel.close()  # as the end of the server does
    assert started[0].wait(START_S) == 0
