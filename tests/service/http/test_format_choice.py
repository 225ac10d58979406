"""Which format POST /transcribe answers in, and which options go with it."""

import pytest
from transcribing import FILES, transcribe

from service.http.responses import ID_HEADER


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("*/*", "application/json"),
        ("text/plain", FILES["text"]),
        ("text/vtt, text/plain;q=0.9", FILES["vtt"]),
    ],
)
def test_accept_chooses_where_nothing_else_does(client, accept, content_type):
    answer = transcribe(client, accept=accept)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == content_type
    assert answer.text.startswith("File type") is False
    named = transcribe(client, accept=accept, response_format="textgrid")
    assert named.text.startswith("File type")
    assert "segments" in transcribe(client, accept=accept, response_format="verbose_json").json()


def test_nothing_acceptable_is_406(client):
    answer = transcribe(client, accept="image/png, text/html;q=0.9")
    assert answer.status_code == 406
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:otoscope:problem:not-acceptable"
    assert answer.json()["detail"] == (
        "expected an Accept header that allows application/json, text/plain, "
        "application/x-subrip, text/vtt, text/csv, text/event-stream, or "
        "response_format=json|verbose_json|text|srt|vtt|textgrid|csv, "
        "got Accept: image/png, text/html;q=0.9"
    )


@pytest.mark.parametrize(
    ("form", "detail"),
    [
        *(
            (
                {"response_format": form, field: value},
                f"{field}: expected response_format json or verbose_json, which alone have a "
                f"place for it, got {form}",
            )
            for form in FILES
            for field, value in (("probs", "true"), ("n_best", "2"))
        ),
        *(
            (
                {"response_format": form, "timestamps": "none"},
                f"timestamps: expected {allowed} with response_format {form}, which is made of "
                "times, got none",
            )
            for form, allowed in (
                ("srt", "word"),
                ("vtt", "word"),
                ("textgrid", "word or char"),
                ("verbose_json", "char or word"),
            )
        ),
        *(
            (
                {"response_format": form, "timestamps": "char"},
                f"timestamps: expected {allowed} with response_format {form}, which has no place "
                "for characters, got char",
            )
            for form, allowed in (("text", "word or none"), ("srt", "word"), ("vtt", "word"))
        ),
        (
            {"response_format": "xml"},
            "response_format: Input should be 'json', 'verbose_json', 'text', 'srt', 'vtt', "
            "'textgrid' or 'csv', got 'xml'",
        ),
        (
            {"timestamps": "frame"},
            "timestamps: Input should be 'none', 'word' or 'char', got 'frame'",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(client, form, detail):
    answer = transcribe(client, **form)
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:otoscope:problem:form"
    assert answer.json()["detail"] == detail


def test_what_accept_chooses_has_to_go_together_too(client):
    answer = transcribe(client, accept="text/vtt", timestamps="none")
    assert answer.status_code == 422
    assert "response_format vtt" in answer.json()["detail"]


def test_openapi_shows_every_answer(client):
    document = client.get("/openapi.json").json()
    operation = document["paths"]["/transcribe"]["post"]
    form = operation["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]
    assert form["response_format"]["anyOf"][0]["enum"] == [
        *("json", "verbose_json", "text", "srt", "vtt", "textgrid", "csv")
    ]
    assert form["timestamps"]["anyOf"][0]["enum"] == ["none", "word", "char"]
    answers = operation["responses"]
    assert list(answers["200"]["content"]) == [
        *("application/json", "text/plain", "application/x-subrip", "text/vtt", "text/csv"),
        "text/event-stream",
    ]
    assert {ID_HEADER, "Otoscope-Warnings"} <= set(answers["200"]["headers"])
    assert list(answers["406"]["content"]) == ["application/problem+json"]
    fields = document["components"]["schemas"]["Transcription"]["properties"]
    assert {"segments", "words"} <= set(fields)
    assert fields["words"]["items"]["$ref"].endswith("SpelledWordAnswer")
