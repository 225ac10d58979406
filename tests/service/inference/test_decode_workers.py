"""service.inference.decode_workers: the same texts from workers, each recording in its turn."""

import signal
import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from decode_jobs import decode, stage_that

from otoscope import FrameClock
from otoscope.decoding.options import DecodingOptions
from otoscope.errors import OptionsError, UnsupportedTextError
from service.errors import ClientGoneError, DeadlineError
from service.inference import deadline
from service.inference.deadline import Deadline
from service.inference.decode_workers import DecodeWorkers

SEARCH = DecodingOptions()


@pytest.fixture(scope="module")
def shared(decoder):
    """Two processes, for tests that leave them alive."""
    two = DecodeWorkers(decoder, 2)
    two.start()
    yield two
    two.close()


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
def test_texts_are_those_of_one_process(shared, decoder, posteriors, form):
    here = decoder.decode(posteriors, DecodingOptions(**form))
    there = decode(shared, posteriors, DecodingOptions(**form))
    assert there == here


@pytest.mark.slow
def test_silence_and_long_recordings_are_the_same_too(
    shared, decoder, make_posteriors, long_posteriors
):
    silence = make_posteriors()
    silence.log_probs[:] = -9.0
    silence.log_probs[:, silence.alphabet.blank_index] = -1e-3
    assert decode(shared, silence, SEARCH).transcript.text == ""
    assert decode(shared, long_posteriors, SEARCH) == decoder.decode(long_posteriors, SEARCH)


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"hotwords": "channel 5"}, UnsupportedTextError),
        ({"n_best": 4, "beam_width": 3}, OptionsError),
    ],
)
def test_errors_of_the_domain_pass(shared, decoder, posteriors, form, error):
    options = DecodingOptions(**form)
    with pytest.raises(error) as here:
        decoder.decode(posteriors, options)
    with pytest.raises(error) as there:
        decode(shared, posteriors, options)
    assert type(there.value) is type(here.value)
    assert str(there.value) == str(here.value)


def test_what_nobody_expected_is_told_and_harms_no_process(make_workers, started, posteriors):
    one = make_workers(1)
    narrow = replace(posteriors, log_probs=posteriors.log_probs[:, :-5])
    with pytest.raises(RuntimeError, match=r"Traceback(.|\n)*Error"):
        decode(one, narrow, SEARCH)
    decode(one, posteriors, SEARCH)
    assert len(started) == 1


def test_a_process_starts_when_it_is_needed_and_ends_with_close(make_workers, started, posteriors):
    one = make_workers(1)
    decode(one, posteriors, DecodingOptions(decoder="greedy"))
    assert not started
    decode(one, posteriors, SEARCH)
    decode(one, posteriors, SEARCH)
    assert [each.poll() for each in started] == [None]
    one.close()
    assert [each.returncode for each in started] == [0]


def test_all_are_started_at_once_if_asked(make_workers, started):
    two = make_workers(2)
    two.start()
    two.close()
    assert [each.returncode for each in started] == [0, 0]


def test_what_nobody_needs_any_more_is_not_begun(make_workers, started, posteriors, monkeypatch):
    one = make_workers(1)
    with monkeypatch.context() as patch:
        patch.setattr(deadline, "current", lambda: Deadline(-1.0))
        with pytest.raises(DeadlineError):
            decode(one, posteriors, SEARCH)
    assert not started
    decode(one, posteriors, SEARCH)


@pytest.mark.slow
@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_long_recording_keeps_no_short_one_waiting(
    make_workers, decoder, posteriors, long_posteriors, count
):
    stage, gave = stage_in_which(lambda: decode(some, posteriors, SEARCH))
    some = make_workers(count, stage)
    assert decode(some, long_posteriors, SEARCH) == decoder.decode(long_posteriors, SEARCH)
    assert gave == [decoder.decode(posteriors, SEARCH)]


@pytest.mark.slow
def test_long_recordings_wait_in_turn_and_keep_no_process(make_workers, started, long_posteriors):
    one = make_workers(1)
    found = [one.submit((long_posteriors, SEARCH)) for _ in range(2)]
    assert found[0].result() == found[1].result()
    assert len(started) == 2
    assert [each.poll() for each in started] == [0, 0]


@pytest.mark.slow
@pytest.mark.parametrize("end", ["client", "time"])
@pytest.mark.parametrize("wanted", [DecodingOptions(beam_width=2000), "his father " * 1000])
def test_a_search_that_nobody_waits_for_is_ended(
    make_workers, started, long_posteriors, end, wanted
):
    one, request = make_workers(1), Deadline(2.5 if end == "time" else 600.0)
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


def test_without_processes_recordings_take_turns_here(make_workers, started, decoder, posteriors):
    inside, most = [], []

    @contextmanager
    def stage():
        inside.append(None)
        most.append(len(inside))
        yield
        inside.pop()

    none = make_workers(0, stage)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(decode(none, posteriors, SEARCH)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [decoder.decode(posteriors, SEARCH)] * 4
    assert (most, started) == ([1] * 4, [])
