"""The service as it is started, in processes of its own, over real connections."""

import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest

LIVE_ANSWERS = 3
"""Few enough for a busy machine; a blocked event loop gives none."""


def multipart(data):
    """A request for `data`, its body not yet sent."""
    request = httpx.Request("POST", "http://any/transcribe", files={"file": ("long.wav", data)})
    return request.read(), request.headers["content-type"]


def test_live_answers_while_minutes_are_transcribed(serve, sounds):
    body, content_type = multipart(sounds.write(sounds.noise(240)))
    sent, answers = threading.Event(), []

    def chunks():
        for start in range(0, len(body), 2**16):
            yield body[start : start + 2**16]
        sent.set()

    with serve() as address:

        def transcribe():
            answers.append(
                httpx.post(
                    f"{address}/transcribe",
                    content=chunks(),
                    headers={"Content-Type": content_type},
                    timeout=300,
                )
            )

        thread = threading.Thread(target=transcribe)
        thread.start()
        assert sent.wait(60)
        live = 0
        with httpx.Client(timeout=60) as client:
            while not answers and thread.is_alive():
                assert client.get(f"{address}/health/live").status_code == 200
                live += not answers
        thread.join()
    assert answers[0].status_code == 200, answers[0].text
    assert answers[0].json()["duration_s"] == 240.0
    assert live >= LIVE_ANSWERS


@pytest.fixture(scope="module")
def two_processes(serve_from, tmp_path_factory):
    """A client of a service in two processes, each request on a new connection."""
    with (
        serve_from(tmp_path_factory.mktemp("two"), "--workers", "2") as address,
        httpx.Client(base_url=address, headers={"Connection": "close"}, timeout=60) as client,
    ):
        yield client


def test_any_process_finds_what_another_kept(two_processes, short_wav):
    for _ in range(3):
        result_id = two_processes.post("/transcribe", files={"file": short_wav}).json()["id"]
        asked = [two_processes.get("/probs", params={"id": result_id}) for _ in range(10)]
        assert {answer.status_code for answer in asked} == {200}


def test_any_process_tells_the_numbers_of_all(two_processes, short_wav):
    def heard_s():
        """The seconds of audio that were heard, as either process tells them."""
        told = [two_processes.get("/metrics").text for _ in range(8)]
        return {float(re.search(r"^otoscope_audio_seconds_total (.*)$", x, re.M)[1]) for x in told}

    [before_s] = heard_s()
    for _ in range(4):
        assert two_processes.post("/transcribe", files={"file": short_wav}).status_code == 200
    assert heard_s() == {before_s + 6.0}


def test_body_without_an_end_is_refused_while_it_arrives(serve, short_wav):
    body, content_type = multipart(short_wav)
    limit, sent = 2**20, 0

    def far_too_much():
        nonlocal sent
        yield body[:1000]
        while sent < 64 * limit:
            sent += 2**16
            yield bytes(2**16)

    with serve(OTOSCOPE_MAX_UPLOAD_BYTES=str(limit)) as address:
        answer = httpx.post(
            f"{address}/transcribe",
            content=far_too_much(),
            headers={"Content-Type": content_type},
            timeout=60,
        )
        assert httpx.get(f"{address}/health/live").status_code == 200
    assert answer.status_code == 413  # it arrives though much more was sent
    assert answer.headers["connection"] == "close"
    assert sent > limit


def send_raw(address, head, body=b"", *, hang_up=False):
    """Send bytes as they are; whatever comes back until the server closes the connection."""
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode() + body)
        if hang_up:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while received := connection.recv(2**16):
            answer += received
    return answer.decode()


def test_clients_that_stall_or_lie_are_refused_and_harm_nobody(serve, short_wav):
    body, content_type = multipart(short_wav)
    head = f"POST /transcribe HTTP/1.1\nHost: localhost\nContent-Type: {content_type}\n"
    half = body[: len(body) // 2]
    limits = {"OTOSCOPE_MAX_UPLOAD_PAUSE_S": "2", "OTOSCOPE_MAX_UPLOAD_BYTES": "1000000"}
    with serve(**limits) as address, ThreadPoolExecutor(6) as clients:

        def send(length, *sent, more="", **how):
            request = f"{head}{more}Content-Length: {length}\n\n"
            return clients.submit(send_raw, address, request, *sent, **how)

        answers = [
            send(len(body), half),
            send(10**15),
            send(len(body), half, hang_up=True),
            send(len(half), body),
            send(-1, body),
            send(len(body), body, more="Connection: close\n"),
        ]
        stalled, huge, gone, short, absurd, honest = (answer.result() for answer in answers)
        numbers = httpx.get(f"{address}/metrics", timeout=60).text
    assert stalled.startswith("HTTP/1.1 408 ")
    assert "urn:otoscope:problem:upload-stalled" in stalled
    assert "connection: close" in stalled.lower()
    assert huge.startswith("HTTP/1.1 413 ")
    assert gone == ""
    assert short.startswith("HTTP/1.1 4")
    assert absurd.startswith("HTTP/1.1 400 ")
    assert honest.startswith("HTTP/1.1 200 ")
    statuses = set(re.findall(r'otoscope_http_requests_total\{.*status="(\d+)"', numbers))
    assert {"200", "408", "413"} <= statuses <= {"200", "400", "408", "413", "422", "503"}
