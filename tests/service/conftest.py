"""A real application on the real model, and real audio made on the spot."""

import io
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import httpx
import numpy as np
import pytest
import soundfile
from fastapi.testclient import TestClient

from otoscope import ENGLISH, FeatureMatrix, FeatureSpec, FrameClock, Posteriors, Recognizer
from service.app import create_app
from service.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[2]
START_S = 60.0
FEATURE_SPEC = FeatureSpec()


class Sounds:
    """Audio files as bytes."""

    @staticmethod
    def noise(seconds, rate_hz=16000, channels=1, seed=0):
        """Noise whose loudness comes and goes as syllables do, (samples, channels) float32."""
        count = round(seconds * rate_hz)
        noise = np.random.default_rng(seed).standard_normal((count, channels), dtype=np.float32)
        envelope = np.abs(np.sin(2 * np.pi * 1.5 * np.arange(count, dtype=np.float32) / rate_hz))
        return 0.1 * noise * envelope[:, None]

    @staticmethod
    def write(samples, rate_hz=16000, file_format="WAV", subtype=None):
        """Samples as libsndfile writes them."""
        buffer = io.BytesIO()
        soundfile.write(buffer, samples, rate_hz, format=file_format, subtype=subtype)
        return buffer.getvalue()

    @staticmethod
    def m4a(samples, rate_hz):
        """(samples, 2) as AAC in an MPEG-4 file."""
        buffer = io.BytesIO()
        with av.open(buffer, mode="w", format="mp4") as container:
            stream = container.add_stream("aac", rate=rate_hz, layout="stereo")
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(samples.T), format="fltp", layout="stereo"
            )
            frame.sample_rate = rate_hz
            for packet in (*stream.encode(frame), *stream.encode(None)):
                container.mux(packet)
        return buffer.getvalue()


@pytest.fixture(scope="session")
def sounds():
    return Sounds


@pytest.fixture(scope="session")
def short_wav():
    return Sounds.write(Sounds.noise(1.5))


@pytest.fixture
def make_settings(tmp_path) -> Callable[..., Settings]:
    def make(**chosen):
        return Settings(**{"store_path": tmp_path / "results.sqlite3", **chosen})

    return make


@pytest.fixture(scope="session")
def client(tmp_path_factory) -> Iterator[TestClient]:
    """The application as shipped, started once; for tests that change nothing about it."""
    store_path = tmp_path_factory.mktemp("store") / "results.sqlite3"
    with TestClient(create_app(Settings(store_path=store_path))) as client:
        yield client


@pytest.fixture(scope="session")
def recognizer():
    return Recognizer(Settings().model_path)


@pytest.fixture
def make_posteriors() -> Callable[..., Posteriors]:
    def make(frames=50, seed=0):
        scores = np.random.default_rng(seed).standard_normal((frames, ENGLISH.size))
        log_probs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        return Posteriors(log_probs.astype(np.float32), ENGLISH, FrameClock(0.04, frames * 0.04))

    return make


@pytest.fixture
def make_features() -> Callable[..., FeatureMatrix]:
    def make(frames=200, seed=0, spec=FEATURE_SPEC):
        values = np.random.default_rng(seed).standard_normal((frames, spec.bins))
        return FeatureMatrix(values.astype(np.float32), spec)

    return make


@contextmanager
def _serve(store_path, *arguments, stderr=None, **variables):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "service", "--port", str(port), *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "OTOSCOPE_STORE_PATH": str(store_path), **variables},
        stderr=stderr,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_ready(process, address)
        yield address
    finally:
        process.terminate()
        process.wait(START_S)


def _wait_until_ready(process, address):
    deadline_s = time.monotonic() + START_S
    while time.monotonic() < deadline_s:
        assert process.poll() is None, f"the server left with {process.returncode}"
        try:
            if httpx.get(f"{address}/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    pytest.fail(f"the server was not ready within {START_S:g} s")


@pytest.fixture(scope="session")
def serve_from():
    """`serve` for fixtures that live longer than a test: the store's directory comes first."""

    def start(directory, *arguments, **variables):
        return _serve(directory / "results.sqlite3", *arguments, **variables)

    return start


@pytest.fixture
def serve(serve_from, tmp_path):
    """A context manager: ``python -m service`` in a process of its own, giving its address."""

    def start(*arguments, **variables):
        return serve_from(tmp_path, *arguments, **variables)

    return start
