import hmac
import logging

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from service.app import create_app
from service.middleware.api_keys import OPEN_PATHS, ApiKeyMiddleware, warn_if_open
from service.settings import Settings

KEYS = ("swordfish", "catfish-2")


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    store_path = tmp_path_factory.mktemp("locked") / "results.sqlite3"
    with TestClient(create_app(Settings(store_path=store_path, api_keys=KEYS))) as client:
        yield client


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


@pytest.mark.parametrize(
    "headers",
    [
        bearer("swordfish"),
        bearer("catfish-2"),
        {"Authorization": "bearer  swordfish "},
        {"X-API-Key": "catfish-2"},
        {"Authorization": "Basic dXNlcjpwYXNz", "X-API-Key": "swordfish"},
    ],
)
def test_any_key_opens(locked, headers):
    assert locked.get("/model", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({}, "got none"),
        ({"Authorization": "Basic swordfish"}, "got none"),
        ({"Authorization": "swordfish"}, "got none"),
        (bearer(""), "not valid"),
        (bearer("swordfis"), "not valid"),
        (bearer("swordfish,catfish-2"), "not valid"),
        (bearer("SWORDFISH"), "not valid"),
        ({"X-API-Key": b"sword\xe9"}, "not valid"),
    ],
)
def test_nothing_else_does(locked, headers, words):
    answer = locked.get("/model", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:otoscope:problem:unauthorized"
    assert words in answer.json()["detail"]
    assert "fish" not in answer.text
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith('Bearer realm="otoscope"')
    assert ('error="invalid_token"' in challenge) == (words == "not valid")
    assert answer.headers["x-request-id"]


def test_every_route_but_the_open_ones_needs_a_key(locked):
    paths = locked.get("/openapi.json").json()["paths"]
    recordings = {"/transcribe", "/transcriptions/{id}", "/align", "/probs", "/features"}
    assert recordings | {"/v1/audio/transcriptions", "/v1/models"} <= set(paths)
    for path, operations in paths.items():
        for method in operations:
            status = locked.request(method, path).status_code
            assert (status == 401) == (path not in OPEN_PATHS), (method, path, status)
    assert locked.get("/nowhere").status_code == 401


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics", "/docs"])
def test_probes_and_metrics_need_none(locked, path):
    assert locked.get(path).status_code in (200, 503)


def test_below_v1_the_refusal_is_openais(locked):
    answer = locked.get("/v1/models")
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "invalid_api_key"
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_no_byte_of_the_body_is_read_before(locked):
    read = []

    async def receive():
        read.append(1)
        return {"type": "http.request", "body": b"x", "more_body": False}

    async def inner(scope, receive, send):
        raise AssertionError("reached without a key")

    sent = []

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/transcribe",
        "query_string": b"",
        "headers": [(b"host", b"testserver")],
        "server": ("testserver", 80),
        "scheme": "http",
        "app": locked.app,
    }
    locked.portal.call(ApiKeyMiddleware(inner, [SecretStr("swordfish")]), scope, receive, send)
    assert sent[0]["status"] == 401
    assert read == []


def test_all_keys_are_compared_whichever_is_right(monkeypatch):
    compared = []
    real = hmac.compare_digest

    def compare(one, other):
        compared.append((len(one), len(other)))
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    ApiKeyMiddleware(None, [SecretStr(key) for key in KEYS])._check(["swordfish"])
    assert compared == [(32, 32)] * 2


def test_openapi_declares_the_keys(locked, client):
    for one, required in ((locked, True), (client, False)):
        document = one.get("/openapi.json").json()
        schemes = document["components"]["securitySchemes"]
        assert schemes["bearer"] == {"type": "http", "scheme": "bearer"}
        post = document["paths"]["/transcribe"]["post"]
        assert {"bearer": []} in post["security"]
        assert ({} in post["security"]) == (not required)
        assert ("401" in post["responses"]) == required
        assert "security" not in document["paths"]["/health/live"]["get"]


def test_open_without_keys(client):
    assert client.get("/model").status_code == 200


@pytest.mark.parametrize(
    ("chosen", "warned"),
    [
        ({}, False),
        ({"host": "localhost"}, False),
        ({"host": "::1"}, False),
        ({"host": "127.8.8.8"}, False),
        ({"host": "0.0.0.0"}, True),
        ({"host": "::"}, True),
        ({"host": "speech.example"}, True),
        ({"host": "0.0.0.0", "api_keys": "swordfish"}, False),
    ],
)
def test_a_service_open_to_the_network_says_so(make_settings, caplog, chosen, warned):
    with caplog.at_level(logging.WARNING):
        warn_if_open(make_settings(**chosen))
    assert ("OTOSCOPE_API_KEYS" in caplog.text) == warned
