import re

import pytest
from fastapi.testclient import TestClient

from service.app import create_app
from service.middleware.request_id import choose_id
from service.store.base import new_id
from service.store.sqlite import SqliteStore

MADE = re.compile(r"[0-9a-f]{32}")


@pytest.mark.parametrize(
    "sane", ["a", "7f1c-22", "Root=1-67891233-abcdef", "01J/9.k:3+4_5=", "x" * 128]
)
def test_a_sane_id_is_kept(sane):
    assert choose_id(sane) == sane


@pytest.mark.parametrize("wrong", ["", "x" * 129, "a b", "a\nb", "a\n", 'a"b', "é", "<b>"])
def test_another_gets_a_new_one(wrong):
    assert MADE.fullmatch(choose_id(wrong))


def test_made_ids_differ():
    assert len({choose_id("") for _ in range(100)}) == 100


def test_answers_echo_the_clients_id(client):
    answer = client.get("/health/live", headers={"X-Request-ID": "mine"})
    assert answer.headers.get_list("x-request-id") == ["mine"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/model", 200),
        ("GET", "/nowhere", 404),
        ("GET", "/transcribe", 405),
        ("GET", "/probs", 422),
        ("GET", "/features", 422),
        ("POST", "/transcribe", 422),
        ("POST", "/align", 422),
        ("POST", "/probs", 422),
        ("GET", "/v1/nowhere", 404),
    ],
)
def test_every_answer_has_one(client, method, path, status):
    answers = [client.request(method, path) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [status] * 2
    ids = [answer.headers["x-request-id"] for answer in answers]
    assert all(MADE.fullmatch(each) for each in ids)
    assert ids[0] != ids[1]


def test_so_has_the_answer_to_an_unexpected_error(make_settings, monkeypatch):
    def fail(*_):
        raise RuntimeError("the cause")

    monkeypatch.setattr(SqliteStore, "transcription", fail)
    app = create_app(make_settings(cors_origins="https://a.example"))
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get(
            f"/transcriptions/{new_id()}",
            headers={"X-Request-ID": "mine", "Origin": "https://a.example"},
        )
        numbers = client.get("/metrics").text
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"] == "mine"
    assert answer.headers["access-control-allow-origin"] == "https://a.example"
    assert 'route="/transcriptions/{id}",status="500"} 1.0' in numbers
