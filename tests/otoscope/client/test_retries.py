"""When a client tries again, and what it then sends."""

import asyncio
import io
import json
import socket
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from otoscope.client import ProblemError, RetryPolicy, UnreachableError
from otoscope.client.retries import retry_after_s

ANSWER = {"text": "", "duration_s": 1.0, "frame_s": 0.04, "confidence": None, "words": []}
ANSWER |= {"decoder": "greedy", "hypotheses": [], "phrases": [], "warnings": [], "id": "a" * 32}
ANSWER |= {"model": {"name": "any", "sha256": "0"}}
BUSY = {"type": "urn:otoscope:problem:queue-full", "title": "The service is busy", "status": 503}
BUSY |= {"detail": "expected at most 16 recordings, got more"}


@pytest.fixture
def pauses(monkeypatch):
    """Seconds that were waited, without waiting."""
    waited = []

    async def note(seconds):
        waited.append(seconds)

    monkeypatch.setattr("otoscope.client.clients.time.sleep", waited.append)
    real = asyncio.sleep
    monkeypatch.setattr(
        "otoscope.client.clients.asyncio.sleep",
        lambda seconds: note(seconds) if seconds else real(0),
    )
    return waited


def failing(failures, **headers):
    """A transport that is busy so often, and the bodies it was sent."""
    bodies = []

    def answer(request):
        bodies.append(request.read())
        if len(bodies) <= failures:
            return httpx.Response(503, json=BUSY, headers=headers)
        return httpx.Response(200, json=ANSWER)

    class Transport(httpx.MockTransport):
        async def handle_async_request(self, request):
            await request.aread()
            return answer(request)

    return Transport(answer), bodies


def test_pauses_double_while_the_service_is_busy(talk, pauses):
    transport, bodies = failing(4)
    answer = talk("http://any", lambda client: client.transcribe(b"sound"), transport=transport)
    assert answer.id == ANSWER["id"]
    assert pauses == [0.5, 1.0, 2.0, 4.0]
    assert len(bodies) == 5


def test_pauses_have_a_bound(talk, pauses):
    transport, _ = failing(5)
    retry = RetryPolicy(retries=5, first_pause_s=1.0, max_pause_s=3.0)
    talk(
        "http://any",
        lambda client: client.transcribe(b"sound"),
        transport=transport,
        retry=retry,
    )
    assert pauses == [1.0, 2.0, 3.0, 3.0, 3.0]


def test_retry_after_is_heeded(talk, pauses):
    transport, _ = failing(2, **{"Retry-After": "7"})
    talk("http://any", lambda client: client.transcribe(b"sound"), transport=transport)
    assert pauses == [7.0, 7.0]


def test_a_long_retry_after_is_not_waited_for(talk, pauses):
    transport, bodies = failing(1, **{"Retry-After": "3600"})
    with pytest.raises(ProblemError, match="busy"):
        talk("http://any", lambda client: client.transcribe(b"sound"), transport=transport)
    assert (pauses, len(bodies)) == ([], 1)


def test_it_gives_up_after_the_last_retry(talk, pauses):
    transport, bodies = failing(9)
    with pytest.raises(ProblemError) as caught:
        talk("http://any", lambda client: client.transcribe(b"sound"), transport=transport)
    assert caught.value.detail == BUSY["detail"]
    assert (len(pauses), len(bodies)) == (4, 5)


def test_what_takes_too_long_is_not_tried_again(talk, pauses):
    late = {**BUSY, "type": "urn:otoscope:problem:deadline"}
    transport = httpx.MockTransport(lambda _: httpx.Response(503, json=late))
    with pytest.raises(ProblemError):
        talk("http://any", lambda client: client.transcribe(b"sound"), transport=transport)
    assert pauses == []


def test_an_open_file_is_sent_whole_each_time(talk, pauses):
    transport, bodies = failing(2)
    file = io.BytesIO(b"all of the sound")
    file.seek(7)
    talk("http://any", lambda client: client.transcribe(file), transport=transport)
    assert len(bodies) == 3
    assert all(b"all of the sound" in body for body in bodies)
    assert not file.closed


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ConnectTimeout])
def test_connections_that_are_not_made_are_tried_again(talk, pauses, error):
    def refuse(request):
        raise error("nobody")

    with pytest.raises(UnreachableError, match="nobody"):
        talk(
            "http://any",
            lambda client: client.model(),
            transport=httpx.MockTransport(refuse),
            retry=RetryPolicy(retries=2),
        )
    assert pauses == [0.5, 1.0]


@pytest.mark.parametrize("error", [httpx.ReadTimeout, httpx.WriteError])
def test_requests_that_may_have_been_received_are_not_repeated(talk, pauses, error):
    def break_off(request):
        raise error("gone")

    transport = httpx.MockTransport(break_off)
    with pytest.raises(UnreachableError, match="gone"):
        talk("http://any", lambda client: client.model(), transport=transport)
    assert pauses == []


def test_health_is_not_retried(talk, pauses):
    transport, bodies = failing(1)
    with pytest.raises(ProblemError):
        talk("http://any", lambda client: client.health(), transport=transport)
    assert (pauses, len(bodies)) == ([], 1)


@pytest.mark.parametrize(
    ("value", "seconds"), [("12", 12), (" 0 ", 0), ("soon", 0), ("-3", 0), ("", 0)]
)
def test_retry_after_in_seconds(value, seconds):
    assert retry_after_s(httpx.Response(503, headers={"Retry-After": value})) == seconds


def test_retry_after_as_a_date():
    now = datetime.now(UTC)
    for when, low, high in (
        (now + timedelta(hours=1), 3000, 3601),
        (now - timedelta(hours=1), 0, 0),
    ):
        value = format_datetime(when, usegmt=True)
        seconds = retry_after_s(httpx.Response(503, headers={"Retry-After": value}))
        assert low <= seconds <= high
    no_zone = httpx.Response(503, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 -0000"})
    assert retry_after_s(no_zone) == 0


@pytest.fixture
def busy_at_first():
    """Address of a real server that answers 503 with Retry-After once, and what it was sent."""
    bodies = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            first = len(bodies) == 1
            content = json.dumps(BUSY if first else ANSWER).encode()
            self.send_response(503 if first else 200)
            self.send_header("Retry-After", "0")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", bodies
        server.shutdown()
        thread.join()


def test_a_file_over_a_real_connection(talk, busy_at_first, sample):
    address, bodies = busy_at_first
    retry = RetryPolicy(first_pause_s=0.0)
    answer = talk(address, lambda client: client.transcribe(sample), retry=retry)
    assert answer.id == ANSWER["id"]
    assert len(bodies) == 2
    assert all(sample.read_bytes() in body for body in bodies)


def test_a_closed_port(talk, pauses):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but not listening
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(UnreachableError, match="GET /model"):
            talk(address, lambda client: client.model(), retry=RetryPolicy(retries=1))
    assert pauses == [0.5]
