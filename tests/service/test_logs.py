import io
import json
import logging
import re
import sqlite3
import subprocess
import sys

import httpx
import pytest
from asgi_correlation_id import correlation_id
from fastapi.testclient import TestClient

from service.app import create_app
from service.logs import log_exchange, make_formatter
from service.middleware.access_log import Exchange
from service.store.base import new_id

READY = "ready on %s - try: curl -F file=@examples/sample.flac %s/transcribe"
ADDRESS = "http://127.0.0.1:8000"


@pytest.fixture
def written():
    """A stream that every logger writes JSON to, and a function that reads its lines."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(make_formatter("json"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(level)


def write(log_format, message, *arguments, **record):
    made = logging.getLogger("service.app").makeRecord(
        "service.app", logging.INFO, __file__, 1, message, arguments, None, **record
    )
    return make_formatter(log_format).format(made)


def test_console_line_ends_with_its_message():
    line = write("console", READY, ADDRESS, ADDRESS)
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d info service\.app: ready on http://127\.0\.0\.1:8000 - "
        r"try: curl -F file=@examples/sample\.flac http://127\.0\.0\.1:8000/transcribe",
        line,
    )


def test_console_line_shows_fields_behind_the_message():
    line = write("console", "request", extra={"method": "GET", "status": 200})
    assert line.endswith("info service.app: request method=GET status=200")


def test_json_line_has_everything():
    token = correlation_id.set("mine")
    line = json.loads(
        write("json", "request %d", 7, extra={"status": 200, "color_message": "\x1b[1m"})
    )
    correlation_id.reset(token)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", line.pop("timestamp"))
    assert line == {
        "event": "request 7",
        "level": "info",
        "logger": "service.app",
        "request_id": "mine",
        "status": 200,
    }


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_exceptions_are_written_with_their_traceback(log_format):
    with pytest.raises(ValueError, match="the cause") as caught:
        int("the cause")
    exc_info = (caught.type, caught.value, caught.tb)
    made = logging.getLogger("a").makeRecord("a", logging.ERROR, "", 1, "failed", (), exc_info)
    line = make_formatter(log_format).format(made)
    text = json.loads(line)["exception"] if log_format == "json" else line
    assert "ValueError: invalid literal" in text
    assert "test_logs.py" in text


def test_an_exchange_is_one_line(written):
    log_exchange(Exchange("POST", "/transcribe", 200, 0.12345, 1000))
    [line] = written()
    assert line["logger"] == "service.requests"
    assert (line["event"], line["method"], line["route"]) == ("request", "POST", "/transcribe")
    assert (line["status"], line["duration_ms"], line["bytes_in"]) == (200, 123.5, 1000)


def test_requests_are_logged_with_their_id_and_without_their_results_id(client, short_wav, written):
    body = client.post("/transcribe", files={"file": short_wav}).json()
    asked = {"X-Request-ID": "mine"}
    for path in (f"/probs?id={body['id']}", f"/transcriptions/{body['id']}", f"/x/{body['id']}"):
        client.get(path, headers=asked)
    client.delete(f"/transcriptions/{body['id']}", headers=asked)
    lines = [line for line in written() if line["logger"] == "service.requests"]
    assert [line["route"] for line in lines] == [
        *("/transcribe", "/probs", "/transcriptions/{id}", "unmatched", "/transcriptions/{id}")
    ]
    assert [line["status"] for line in lines] == [200, 200, 200, 404, 204]
    assert lines[0]["bytes_in"] > len(short_wav)
    assert [line["request_id"] for line in lines[1:]] == ["mine"] * 4
    ours = [line for line in written() if not line["logger"].startswith("httpx")]  # the client's
    assert body["id"] not in json.dumps(ours)


def test_what_a_thread_of_the_pool_logs_has_the_requests_id(make_settings, short_wav, written):
    settings = make_settings()
    with TestClient(create_app(settings)) as client:
        with sqlite3.connect(settings.store_path) as connection:
            connection.execute("DROP TABLE results")
        asked = {"X-Request-ID": "mine"}
        client.post("/transcribe", files={"file": short_wav}, headers=asked)
    [line] = [line for line in written() if line["logger"] == "service.routes.transcribe"]
    assert line["request_id"] == "mine"
    assert re.search(r"\b[0-9a-f]{32}\b", json.dumps(line)) is None  # the result's id
    assert "the store failed: no such table" in line["message"]


@pytest.mark.slow
def test_a_server_writes_json_and_no_ids_where_there_is_no_terminal(serve, short_wav, tmp_path):
    log = tmp_path / "log"
    with (
        log.open("w") as stderr,
        serve(stderr=stderr) as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        result_id = client.post("/transcribe", files={"file": short_wav}).json()["id"]
        client.get("/probs", params={"id": result_id})
        client.get(f"/transcriptions/{new_id()}")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    loggers = {line["logger"] for line in lines}
    assert {"service.app", "service.requests", "uvicorn.error"} <= loggers
    assert any(line["event"].startswith(f"ready on {address} - try: curl") for line in lines)
    assert result_id not in log.read_text()
    requests = [line["route"] for line in lines if line["logger"] == "service.requests"]
    assert requests[-3:] == ["/transcribe", "/probs", "/transcriptions/{id}"]


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_configured_once_for_all_loggers_and_warnings(log_format):
    code = (
        "import logging, warnings; from service.logs import configure_logs;"
        f"configure_logs('warning', '{log_format}'); configure_logs('info', '{log_format}');"
        "logging.getLogger('some.library').info('hello');"
        "logging.getLogger('some.library').debug('not this');"
        "warnings.warn('careful')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = done.stderr.splitlines()
    assert len([line for line in lines if "hello" in line]) == 1
    assert "not this" not in done.stderr
    if log_format == "json":
        assert json.loads(lines[0])["logger"] == "some.library"
        assert json.loads(lines[1])["logger"] == "py.warnings"
    else:
        assert lines[0].endswith("info some.library: hello")


def test_what_native_libraries_write_becomes_lines_of_the_log():
    code = (
        "import logging, os, sys, time\n"
        "from service.logs import capture_native_output, configure_logs\n"
        "configure_logs('info', 'json', capture_native_output())\n"
        "os.write(2, b'[src/libmpg123] error: bad\\nframe \\xff\\n' + b'x' * 1200 + b'\\n')\n"
        "os.system('echo a child >&2')\n"
        "sys.stderr.write('from Python\\n')\n"
        "time.sleep(0.5)\n"
        "logging.getLogger('service').warning('own')\n"
        "os.write(2, b'the last\\n')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    native = [each["event"] for each in lines if each.get("logger") == "service.native"]
    assert native[:2] == ["[src/libmpg123] error: bad", "frame \\xff"]
    assert native[2:] == ["x" * 500, "x" * 500, "x" * 200, "a child", "from Python", "the last"]
    assert [each["event"] for each in lines if each["logger"] == "service"] == ["own"]
