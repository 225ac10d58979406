import pytest


def post(client, parts, **query):
    return client.post("/transcribe", files=parts, params=query)


@pytest.mark.parametrize(
    ("parts", "query", "words"),
    [
        ([("file", b"a"), ("file", b"b")], {}, "got 2"),
        ([("probs", (None, b"true"))], {}, "got 0"),
        ([("audio", b"a")], {}, "'audio'"),
        ([("file", b"a"), ("language", (None, b"en"))], {}, "'language'"),
        ([("file", b"a")], {"prob": "true"}, "'prob'"),
        ([("file", (None, b"a"))], {}, "filename"),
        ([("file", b"a"), ("probs", (None, b"maybe"))], {}, "'maybe'"),
        ([("file", b"a"), ("probs", (None, b"true"))], {"probs": "true"}, "probs: expected one"),
    ],
)
def test_form_that_is_not_as_expected(client, parts, query, words):
    answer = post(client, parts, **query)
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:otoscope:problem:form"
    assert words in answer.json()["detail"]


@pytest.mark.parametrize(
    "request_", [{}, {"json": {"file": "clip.wav"}}, {"data": {"probs": "true"}}]
)
def test_body_without_a_file(client, request_):
    answer = client.post("/transcribe", **request_)
    assert answer.status_code == 422
    assert "multipart/form-data" in answer.json()["detail"]


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=x"])
def test_malformed_multipart_is_the_clients_mistake(client, kind):
    answer = client.post("/transcribe", content=b"nonsense", headers={"Content-Type": kind})
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"


def test_every_wrong_field_is_named_whichever_options_it_belongs_to(client):
    answer = post(client, [("file", b"a")], decoder="best", timestamps="frame", beam_width="0")
    assert answer.status_code == 422
    named = [problem.partition(":")[0] for problem in answer.json()["detail"].split("; ")]
    assert named == ["decoder", "beam_width", "timestamps"]
