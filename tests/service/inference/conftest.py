"""A pool, workers that decode, and what they are given to do."""

import subprocess
from dataclasses import replace

import numpy as np
import pytest
from held_work import HeldWork
from sentence_model import SAMPLE

from otoscope import FrameClock, PhonemePosteriors, load, processes
from otoscope.decoding.decoder import open_decoder
from service.inference import decode_workers
from service.inference.decode_workers import DecodeWorkers
from service.inference.request_pool import RequestPool

LONG_S = 5.0


@pytest.fixture
def pool():
    pool = RequestPool(threads=1, capacity=2)
    yield pool
    pool.close()


@pytest.fixture
def held():
    return HeldWork()


@pytest.fixture(scope="module")
def decoder(recognizer, sentence_model):
    return open_decoder(recognizer.spec, recognizer.exact_sha256, sentence_model, None)


@pytest.fixture(scope="module")
def posteriors(recognizer):
    """Of the sample."""
    [found] = recognizer.posteriors([load(SAMPLE, 16000).samples])
    return found


@pytest.fixture
def long_posteriors(posteriors, monkeypatch):
    """The sample twice, and limits for which that is long."""
    clock = FrameClock(posteriors.clock.frame_s, 2 * posteriors.clock.duration_s)
    assert clock.duration_s > LONG_S
    monkeypatch.setattr(decode_workers, "LONG_S", LONG_S)
    phonemes = posteriors.phonemes
    return replace(
        posteriors,
        log_probs=np.tile(posteriors.log_probs, (2, 1)),
        clock=clock,
        phonemes=PhonemePosteriors(np.tile(phonemes.log_probs, (2, 1)), phonemes.phonemes),
    )


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
def make_workers(decoder):
    """DecodeWorkers that are closed after the test."""
    every = []

    def make_one(count, *stage):
        every.append(DecodeWorkers(decoder, count, *stage))
        return every[-1]

    yield make_one
    for each in every:
        each.close()
