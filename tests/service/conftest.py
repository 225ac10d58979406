"""A real application on a model that knows one sentence, and real audio made on the spot."""

import io
import os
import subprocess
from collections.abc import Callable, Iterator

import av
import numpy as np
import pytest
import soundfile
from fastapi.testclient import TestClient
from ready_client import ready_client
from running_redis import running_redis
from running_service import running_service

from otoscope import FeatureMatrix, FeatureSpec, Recognizer
from service.settings import Settings

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
        return Sounds._aac(samples, rate_hz, "mp4", "stereo")

    @staticmethod
    def aac(samples, rate_hz):
        """(samples, 1) as AAC whose length nobody knows before its end."""
        return Sounds._aac(samples, rate_hz, "adts", "mono")

    @staticmethod
    def _aac(samples, rate_hz, file_format, layout):
        buffer = io.BytesIO()
        with av.open(buffer, mode="w", format=file_format) as container:
            stream = container.add_stream("aac", rate=rate_hz, layout=layout)
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(samples.T), format="fltp", layout=layout
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
def make_settings(tmp_path, sentence_model) -> Callable[..., Settings]:
    def make(**chosen):
        # Processes take a second of a processor to start, and few tests are about them.
        few = {"model_path": sentence_model, "search_processes": 0}
        return Settings(**{"store_path": tmp_path / "results.sqlite3", **few, **chosen})

    return make


@pytest.fixture(scope="session")
def client(tmp_path_factory, sentence_model) -> Iterator[TestClient]:
    """The application with its defaults, started once; for tests that change nothing about it."""
    store_path = tmp_path_factory.mktemp("store") / "results.sqlite3"
    settings = Settings(store_path=store_path, model_path=sentence_model)
    with ready_client(settings) as client:
        yield client


@pytest.fixture(scope="session")
def recognizer(sentence_model):
    return Recognizer(sentence_model)


@pytest.fixture
def make_features() -> Callable[..., FeatureMatrix]:
    def make(frames=200, seed=0, spec=FEATURE_SPEC):
        values = np.random.default_rng(seed).standard_normal((frames, spec.bins))
        return FeatureMatrix(values.astype(np.float32), spec)

    return make


@pytest.fixture(scope="session")
def serve_from(sentence_model):
    """`serve` for fixtures that live longer than a test: the store's directory comes first."""
    few = {"OTOSCOPE_MODEL_PATH": str(sentence_model), "OTOSCOPE_SEARCH_PROCESSES": "0"}

    def start(directory, *arguments, **variables):
        return running_service(directory / "results.sqlite3", *arguments, **{**few, **variables})

    return start


@pytest.fixture
def serve(serve_from, tmp_path):
    """A context manager: ``python -m service`` in a process of its own, giving its address."""

    def start(*arguments, **variables):
        return serve_from(tmp_path, *arguments, **variables)

    return start


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory):
    """A real Redis server; who uses it empties it first, and leaves it running."""
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a file system of 4 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("only root may mount a small file system")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
