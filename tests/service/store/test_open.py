import logging

import pytest
from fastapi.testclient import TestClient
from running_redis import running_redis
from stores import RedisStores, put

from service.app import create_app
from service.errors import StartError, StoreError
from service.routes.transcribe import _NOT_KEPT
from service.settings import Settings
from service.store import redis_client
from service.store.open import open_store

NOBODY = "redis://:swordfish@127.0.0.1:1/0"


def transcribe(client, data):
    return client.post("/transcribe", files={"file": data}, data={"decoder": "greedy"})


def test_a_server_that_is_away_at_the_start_may_come_later(caplog, make_posteriors):
    store = open_store(Settings(store=NOBODY))
    assert "results are not kept for now" in caplog.text
    assert "swordfish" not in caplog.text
    with pytest.raises(StoreError):
        put(store, make_posteriors())


def test_a_server_that_refuses_stops_the_start(tmp_path):
    with (
        running_redis(tmp_path, "--requirepass", "swordfish") as server,
        pytest.raises(StartError, match="OTOSCOPE_STORE_PASSWORD") as refused,
    ):
        open_store(Settings(store=server.url, store_password="catfish"))
    assert "fish" not in str(refused.value)


@pytest.mark.slow
def test_what_one_service_keeps_the_others_find(redis_server, short_wav):
    settings = Settings(store=RedisStores(redis_server.url).variables["OTOSCOPE_STORE"])
    with TestClient(create_app(settings)) as one, TestClient(create_app(settings)) as other:
        body = transcribe(one, short_wav).json()
        for path in (f"/probs?id={body['id']}&format=csv", f"/features?id={body['id']}"):
            assert one.get(path).content == other.get(path).content
        assert other.get(f"/transcriptions/{body['id']}").json() == body
        assert other.delete(f"/transcriptions/{body['id']}").status_code == 204
        assert one.get(f"/probs?id={body['id']}").status_code == 410


@pytest.mark.slow
def test_text_is_answered_while_redis_is_away(tmp_path, short_wav, caplog, monkeypatch):
    monkeypatch.setattr(redis_client, "AWAY_S", 0.0)
    caplog.set_level(logging.WARNING)
    with (
        running_redis(tmp_path) as server,
        TestClient(create_app(Settings(store=server.url))) as client,
    ):
        kept = transcribe(client, short_wav).json()
        server.stop()
        away = transcribe(client, short_wav)
        assert away.status_code == 200
        assert away.json() == {**kept, "id": None, "warnings": [_NOT_KEPT]}
        ready = client.get("/health/ready")
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        problem = client.get(f"/probs?id={kept['id']}")
        assert (problem.status_code, problem.json()["type"]) == (503, "urn:otoscope:problem:store")
        assert "otoscope_results_kept NaN" in client.get("/metrics").text
        server.start()
        assert client.get("/health/ready").json()["status"] == "ready"
        assert client.get(f"/probs?id={kept['id']}").status_code == 200
        assert transcribe(client, short_wav).json()["warnings"] == []
    assert caplog.text.count("the posteriors are not kept: the store is away") == 1
    assert "Traceback" not in caplog.text
    assert kept["id"] not in caplog.text
