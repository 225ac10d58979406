"""What OpenAI's clients are told of recordings that are odd, and of those that can't be used."""

import json

import pytest
from fastapi.testclient import TestClient
from odd_audio import IMPOSSIBLE, UNUSABLE, USABLE, hours_of_silence

from service.app import create_app

MODEL = {"model": "english"}


def send(client, data, **form):
    return client.post(
        "/v1/audio/transcriptions", files={"file": ("clip.wav", data)}, data={**MODEL, **form}
    )


def check(answer, status, slug, detail):
    assert answer.status_code == status, answer.text
    assert answer.json() == {
        "error": {
            "message": detail,
            "type": "invalid_request_error",
            "param": "file",
            "code": slug.replace("-", "_"),
        }
    }


@pytest.mark.parametrize("case", UNUSABLE)
def test_audio_that_cannot_be_used(client, sounds, case):
    make, _, slug, detail = UNUSABLE[case]
    check(send(client, make(sounds)), 400, slug, detail)


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_headers_that_can_not_be_true(client, case):
    answer = send(client, IMPOSSIBLE[case])
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "audio_unreadable")


@pytest.mark.parametrize("case", USABLE)
def test_odd_audio_is_no_mistake(client, sounds, case):
    make, duration_s, warning = USABLE[case]
    answer = send(client, make(sounds), response_format="verbose_json")
    assert answer.status_code == 200, answer.text
    assert answer.json()["duration"] == duration_s
    warnings = json.loads(answer.headers.get("otoscope-warnings", "[]"))
    assert warnings == ([warning] if warning else [])


def test_hours_in_a_small_file_stop_at_the_limit(make_settings):
    with TestClient(create_app(make_settings(max_duration_s=50.0))) as client:
        answer = send(client, hours_of_silence(hours=5))
    check(answer, 413, "audio-too-long", "expected at most 50 s of audio, got more")


@pytest.mark.parametrize(
    ("files", "got"),
    [
        ([("file", b"a"), ("file", b"b")], "2 (Content-Type: multipart/form-data)"),
        (None, "0 (Content-Type: application/x-www-form-urlencoded)"),
    ],
)
def test_two_files_and_none(client, files, got):
    answer = client.post("/v1/audio/transcriptions", files=files, data=MODEL)
    detail = (
        "expected one file in the field 'file' of multipart/form-data, or alone with "
        f"Content-Type: audio/*, got {got}"
    )
    check(answer, 400, "form", detail)
