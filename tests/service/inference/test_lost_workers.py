"""service.inference.decode_workers: processes that are signalled, killed, or keep still."""

import os
import signal
import sys

import pytest
from decode_jobs import decode, stage_that
from running_service import START_S

from otoscope import job_processes, processes
from otoscope.decoding.options import DecodingOptions
from service.errors import SearchLostError
from service.inference import decode_workers

SEARCH = DecodingOptions()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
def test_signals_for_all_processes_end_none_of_them(make_workers, started, posteriors):
    one = make_workers(1)
    decode(one, posteriors, SEARCH)
    [process] = started
    assert os.getpgid(process.pid) != os.getpgid(0)  # and so Ctrl-C doesn't reach it
    for number in (signal.SIGINT, signal.SIGTERM):
        process.send_signal(number)
    decode(one, posteriors, SEARCH)
    assert started == [process]


def test_an_idle_process_that_was_killed_is_replaced(make_workers, started, posteriors, caplog):
    one = make_workers(1)
    decode(one, posteriors, SEARCH)
    started[0].kill()
    started[0].wait()
    assert decode(one, posteriors, SEARCH).transcript.text
    assert len(started) == 2
    assert [each.getMessage() for each in caplog.records] == [
        "a decode worker ended with -9: another replaces it"
    ]
    assert started[0].poll() is not None


def test_another_process_tries_again_when_one_is_killed(make_workers, started, decoder, posteriors):
    one = make_workers(1, stage_that(lambda: len(started) == 1 and started[0].kill()))
    assert decode(one, posteriors, SEARCH) == decoder.decode(posteriors, SEARCH)
    assert len(started) == 2


def test_who_kills_two_is_told_to_come_again_and_others_are_served(
    make_workers, started, posteriors
):
    deaths = 2
    one = make_workers(1, stage_that(lambda: len(started) <= deaths and started[-1].kill()))
    with pytest.raises(SearchLostError, match="try again in 5 s"):
        decode(one, posteriors, SEARCH)
    assert decode(one, posteriors, SEARCH).transcript.text
    assert len(started) == 3
    assert [each.returncode for each in started[:2]] == [-signal.SIGKILL] * 2


def test_a_process_that_can_not_start_is_an_answer_too(make_workers, monkeypatch, posteriors):
    def full(*_, **__):
        raise OSError("out of memory")

    one = make_workers(1)
    with monkeypatch.context() as patch:
        patch.setattr(processes.subprocess, "Popen", full)
        one.start()
        with pytest.raises(SearchLostError):
            decode(one, posteriors, SEARCH)
    assert decode(one, posteriors, SEARCH).transcript.text


def test_a_worker_that_keeps_still_is_replaced(
    make_workers, started, posteriors, decoder, monkeypatch
):
    monkeypatch.setattr(job_processes, "SILENT_S", 2.0)
    one = make_workers(1)
    decode(one, posteriors, SEARCH)
    started[0].send_signal(signal.SIGSTOP)
    assert decode(one, posteriors, SEARCH) == decoder.decode(posteriors, SEARCH)
    assert [each.poll() for each in started] == [-signal.SIGKILL, None]


def test_a_search_ends_when_its_server_does(decoder, long_posteriors, started):
    worker = decode_workers._Worker(decoder)
    wide = DecodingOptions(beam_width=2000, n_best=100)
    worker._send_message((long_posteriors, wide), lambda: None, 10.0)
    worker._channel.close()  # as the end of the server does
    assert started[0].wait(START_S) == 0
