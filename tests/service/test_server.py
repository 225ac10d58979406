"""The service as it is started, in processes of its own, over real connections."""

import threading

import httpx
import pytest

LIVE_ANSWERS = 3
"""Few enough for a busy machine; a blocked event loop gives none."""


def multipart(data):
    """A request for `data`, its body not yet sent."""
    request = httpx.Request("POST", "http://any/transcribe", files={"file": ("long.wav", data)})
    return request.read(), request.headers["content-type"]


@pytest.mark.slow
def test_live_answers_while_ten_minutes_are_transcribed(serve, sounds):
    body, content_type = multipart(sounds.write(sounds.noise(600)))
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
    assert answers[0].json()["duration_s"] == 600.0
    assert live >= LIVE_ANSWERS


@pytest.mark.slow
def test_any_process_finds_what_another_kept(serve, short_wav):
    with serve("--workers", "2") as address:
        for _ in range(3):
            answer = httpx.post(f"{address}/transcribe", files={"file": short_wav})
            result_id = answer.json()["id"]
            statuses = {
                httpx.get(f"{address}/probs", params={"id": result_id}).status_code
                for _ in range(10)  # each on a new connection, which either process may take
            }
            assert statuses == {200}


@pytest.mark.slow
def test_body_without_an_end_is_refused_while_it_arrives(serve, short_wav):
    body, content_type = multipart(short_wav)
    limit, sent = 2**20, 0

    def far_too_much():
        nonlocal sent
        yield body[:1000]
        while sent < 256 * limit:
            sent += 2**16
            yield bytes(2**16)

    with serve(OTOSCOPE_MAX_UPLOAD_BYTES=str(limit)) as address:
        try:
            status = httpx.post(
                f"{address}/transcribe",
                content=far_too_much(),
                headers={"Content-Type": content_type},
                timeout=60,
            ).status_code
        except httpx.TransportError:
            status = None  # the server answered and hung up while httpx was still sending
        assert httpx.get(f"{address}/health/live").status_code == 200
    assert limit < sent < 64 * limit
    assert status in (413, None)
