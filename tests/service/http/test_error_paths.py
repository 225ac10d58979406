"""What a client is told of each mistake: the status and the words, on every route it concerns."""

import tracemalloc

import pytest
from fastapi.testclient import TestClient
from odd_audio import IMPOSSIBLE, RATE_HZ, UNUSABLE, USABLE, hours_of_silence

from service.app import create_app
from service.store.base import new_id

ROUTES = {"/transcribe": {}, "/align": {"text": "hello"}, "/probs": {}}
"""Where recordings are sent, and what has to come with them."""


def send(client, route, data, name="clip.wav"):
    return client.post(route, files={"file": (name, data)}, data=ROUTES[route])


def check(answer, status, slug, detail):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["type"] == f"urn:otoscope:problem:{slug}"
    assert problem["detail"] == detail


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("case", UNUSABLE)
def test_audio_that_cannot_be_used(client, sounds, route, case):
    make, status, slug, detail = UNUSABLE[case]
    check(send(client, route, make(sounds)), status, slug, detail)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_headers_that_can_not_be_true(client, route, case):
    answer = send(client, route, IMPOSSIBLE[case])
    assert answer.status_code == 415
    assert answer.json()["type"] == "urn:otoscope:problem:audio-unreadable"


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("case", USABLE)
def test_odd_audio_is_no_mistake(client, sounds, route, case):
    make, duration_s, warning = USABLE[case]
    answer = send(client, route, make(sounds))
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["warnings"] == ([warning] if warning else [])
    if route == "/probs":  # which says how many frames there are
        assert body["shape"][0] * body["frame_s"] == pytest.approx(duration_s, abs=0.04)
    else:
        assert body["duration_s"] == duration_s


def test_silence_is_a_valid_answer_without_text(client, sounds):
    body = send(client, "/transcribe", USABLE["silence"][0](sounds)).json()
    assert (body["text"], body["words"], body["confidence"]) == ("", [], None)


@pytest.mark.parametrize("route", ROUTES)
def test_hours_in_a_small_file_stop_at_the_limit_in_little_memory(make_settings, route):
    data = hours_of_silence(hours=5)
    assert len(data) < 500_000
    with TestClient(create_app(make_settings(max_duration_s=50.0))) as client:
        tracemalloc.start()
        try:
            answer = send(client, route, data, "clip.opus")
            _, peak_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    check(answer, 413, "audio-too-long", "expected at most 50 s of audio, got more")
    assert peak_bytes < 5 * 3600 * RATE_HZ * 4 / 10, "a tenth of what all samples would take"


FIELDS = {
    "/transcribe": "file, model, track, channel, decoder, language_model, beam_width, lm_weight, "
    "word_bonus, n_best, hotwords, phrases, none_of_these, response_format, timestamps, style, "
    "probs, channels",
    "/align": "file, model, track, channel, text, response_format",
}


@pytest.mark.parametrize("route", FIELDS)
@pytest.mark.parametrize("place", ["data", "params"])
def test_a_field_that_nobody_knows(client, short_wav, route, place):
    fields = {"data": dict(ROUTES[route]), "params": {}}
    fields[place]["language"] = "en"
    answer = client.post(route, files={"file": short_wav}, **fields)
    check(answer, 422, "form", f"expected the fields {FIELDS[route]}, got 'language'")


def test_a_field_of_probs_that_nobody_knows(client, short_wav):
    for method, query in (("POST", {}), ("GET", {"id": new_id()})):
        files = {"file": short_wav} if method == "POST" else None
        answer = client.request(method, "/probs", params={**query, "language": "en"}, files=files)
        assert answer.status_code == 422
        assert answer.json()["detail"] == (
            "query.language: Extra inputs are not permitted, got 'en'"
        )
    answer = client.post("/probs", files={"file": short_wav}, data={"language": "en"})
    detail = "expected the field file alone, got 'language': options go in the query"
    check(answer, 422, "form", detail)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    ("files", "detail"),
    [
        (
            [("file", b"a"), ("file", b"b")],
            "expected one file in the field 'file' of multipart/form-data, or alone with "
            "Content-Type: audio/*, got 2 (Content-Type: multipart/form-data)",
        ),
        (
            [("file", (None, b"a"))],
            "file: expected a file, got text (its part needs a filename)",
        ),
    ],
)
def test_two_files_and_a_file_that_is_none(client, route, files, detail):
    check(client.post(route, files=files, data=ROUTES[route]), 422, "form", detail)


@pytest.mark.parametrize("route", ROUTES)
def test_a_missing_file(client, route):
    answer = client.post(route, data=ROUTES[route])
    kind = "application/x-www-form-urlencoded" if ROUTES[route] else "none"
    detail = (
        "expected one file in the field 'file' of multipart/form-data, or alone with "
        f"Content-Type: audio/*, got 0 (Content-Type: {kind})"
    )
    check(answer, 422, "form", detail)


def test_a_body_of_another_type(client, short_wav):
    headers = {"Content-Type": "text/wav"}
    answer = client.post("/transcribe", content=short_wav, headers=headers)
    detail = (
        "expected one file in the field 'file' of multipart/form-data, or alone with "
        "Content-Type: audio/*, got 0 (Content-Type: text/wav)"
    )
    check(answer, 422, "form", detail)


def ask_for(client, result_id):
    """All that can be asked of a result."""
    path, query = f"/transcriptions/{result_id}", {"id": result_id}
    yield client.get(path)
    yield client.get("/probs", params=query)
    yield client.get("/features", params=query)
    yield client.delete(path)


def test_an_id_that_never_was(client):
    result_id = new_id()
    for answer in ask_for(client, result_id):
        detail = f"expected the id of a transcription, got {result_id}"
        check(answer, 404, "result-unknown", detail)


def test_an_id_that_has_expired(make_settings, short_wav):
    with TestClient(create_app(make_settings(result_ttl_s=1e-6))) as client:
        result_id = send(client, "/transcribe", short_wav).json()["id"]
        answers = list(ask_for(client, result_id))
    detail = (
        f"{result_id} is no longer kept: results are kept for 1e-06 s, in 1073741824 bytes, "
        "unless they are deleted"
    )
    for answer in answers:
        check(answer, 410, "result-expired", detail)


@pytest.mark.parametrize("wrong", ["x", "0" * 31, "0" * 33, "G" * 32])
def test_an_id_that_is_none(client, wrong):
    for answer, place in zip(
        ask_for(client, wrong), ("path", "query", "query", "path"), strict=True
    ):
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"] == (
            f"{place}.id: String should match pattern '^[0-9a-f]{{32}}$', got {wrong!r}"
        )
