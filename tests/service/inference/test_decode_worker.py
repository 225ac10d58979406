"""service.inference.decode_worker: what they load, and how they end."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient
from running_service import START_S, service_process

from service.app import create_app
from service.inference import decode_workers

SAMPLE = (Path(__file__).resolve().parents[3] / "examples" / "sample.flac").read_bytes()


def test_a_process_loads_neither_model_nor_web_framework():
    module = "service.inference.decode_worker"
    code = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {"numpy", "otoscope"} <= loaded
    assert not loaded & {"onnxruntime", "av", "soundfile", "fastapi", "pydantic_settings", "redis"}


@pytest.mark.parametrize("path", ["/transcribe", "/v1/audio/transcriptions"])
def test_a_lost_search_is_503(make_settings, monkeypatch, path):
    def die(*_):
        raise EOFError

    monkeypatch.setattr(decode_workers._Worker, "run", die)
    with TestClient(create_app(make_settings(search_processes=1))) as client:
        answer = client.post(
            path, files={"file": SAMPLE}, data={"model": "english"} if "v1" in path else {}
        )
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert "try again in 5 s" in answer.text


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_no_process_outlives_a_server_that_is_killed(tmp_path):
    results = tmp_path / "results.sqlite3"
    with service_process(
        results,
        stderr=subprocess.PIPE,
        OTOSCOPE_SEARCH_PROCESSES="2",
        OTOSCOPE_LOG_LEVEL="error",
    ) as (process, address):
        for _ in range(2):
            answer = httpx.post(f"{address}/transcribe", files={"file": SAMPLE}, timeout=60)
            assert answer.json()["decoder"] == "beam + LM"
        process.kill()
        _, said = process.communicate(timeout=START_S)  # ends with the last that holds the pipe
    assert said == b""
