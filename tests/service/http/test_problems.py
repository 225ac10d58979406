import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from otoscope import errors as domain
from service.errors import ServiceError
from service.http.problems import KINDS, add_handlers


def raising(error):
    app = FastAPI()
    add_handlers(app, {})

    @app.get("/")
    def fail():
        raise error

    return TestClient(app, raise_server_exceptions=False)


def all_subclasses(base):
    return {base} | {each for child in base.__subclasses__() for each in all_subclasses(child)}


@pytest.mark.parametrize("base", [domain.AudioError, domain.TextError])
def test_no_mistake_with_audio_or_text_is_the_servers(base):
    for error_class in all_subclasses(base):
        answer = raising(error_class("expected this, got that")).get("/")
        assert 400 <= answer.status_code < 500, error_class
        assert answer.json()["detail"] == "expected this, got that"


def test_every_service_error_has_its_line():
    assert all_subclasses(ServiceError) - {ServiceError} <= set(KINDS)


def test_kinds_differ():
    slugs = [kind.slug or error.slug for error, kind in KINDS.items()]
    assert len(set(slugs)) == len(slugs)


def test_unexpected_error_says_nothing_about_the_inside():
    answer = raising(RuntimeError("the password is swordfish")).get("/")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "swordfish" not in answer.text
    assert answer.json()["title"] == "Internal Server Error"


def test_unexpected_error_reaches_the_servers_log():
    app = raising(RuntimeError("the cause")).app
    with pytest.raises(RuntimeError, match="the cause"):  # what uvicorn logs with its traceback
        TestClient(app, raise_server_exceptions=True).get("/")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("GET", "/transcribe", 405), ("DELETE", "/model", 405)],
)
def test_routing_errors_are_problems_too(client, method, path, status):
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert path in problem["detail"]
    assert ("allow" in answer.headers) == (status == 405)


def test_openapi_shows_errors_as_problems(client):
    paths = client.get("/openapi.json").json()["paths"]
    shown = paths["/transcribe"]["post"]["responses"]
    assert {"200", "413", "415", "422", "503"} <= set(shown)
    assert list(shown["415"]["content"]) == ["application/problem+json"]
    assert {"404", "410", "422"} <= set(paths["/probs"]["get"]["responses"])
