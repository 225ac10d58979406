import pytest
from fastapi.testclient import TestClient
from transcribing import transcribe

from service.app import create_app
from service.store.base import new_id


def test_gives_what_transcribe_gave(client, short_wav):
    answer = transcribe(client, short_wav)
    again = client.get(f"/transcriptions/{answer.json()['id']}")
    assert again.status_code == 200
    assert again.headers["content-type"] == "application/json"
    assert again.content == answer.content


@pytest.mark.parametrize(
    ("form", "decoder", "counts"),
    [
        ({}, "beam + LM", (1, 0)),
        ({"decoder": "greedy"}, "greedy", (0, 0)),
        ({"n_best": "3", "hotwords": "father"}, "beam + LM", (3, 0)),
        ({"phrases": "yes, no"}, "phrases", (0, 2)),
    ],
)
def test_gives_what_was_said_as_it_was_read(client, request, form, decoder, counts):
    flac = request.config.rootpath / "examples/sample.flac"
    answer = transcribe(client, flac.read_bytes(), **form)
    body = answer.json()
    assert body["words"]
    assert body["decoder"] == decoder
    assert (len(body["hypotheses"]), len(body["phrases"])) == counts
    assert client.get(f"/transcriptions/{body['id']}").content == answer.content


def test_nothing_is_kept_of_a_request_that_is_refused(make_settings, short_wav):
    with TestClient(create_app(make_settings())) as client:
        store = client.app.state.services.store
        refused = transcribe(client, short_wav, decoder="greedy", hotwords="father")
        assert refused.status_code == 422
        assert store.usage().results == 0
        assert transcribe(client, short_wav).status_code == 200
        assert store.usage().results == 1


def test_leaves_the_matrix_to_probs(client, short_wav):
    body = transcribe(client, short_wav, probs="true").json()
    assert body.pop("probs")
    assert client.get(f"/transcriptions/{body['id']}").json() == body


def test_deleted_is_gone_and_stays_gone(client, short_wav):
    result_id, other = (transcribe(client, short_wav).json()["id"] for _ in range(2))
    deleted = client.delete(f"/transcriptions/{result_id}")
    assert (deleted.status_code, deleted.content) == (204, b"")
    for answer in (
        client.get(f"/transcriptions/{result_id}"),
        client.get("/probs", params={"id": result_id}),
        client.get("/features", params={"id": result_id}),
        client.delete(f"/transcriptions/{result_id}"),
    ):
        assert answer.status_code == 410
        assert answer.json()["type"] == "urn:otoscope:problem:result-expired"
        assert "deleted" in answer.json()["detail"]
    assert client.get(f"/transcriptions/{other}").status_code == 200


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_queries_are_refused(client, short_wav, method):
    path = f"/transcriptions/{transcribe(client, short_wav).json()['id']}"
    refused = client.request(method, path, params={"format": "csv"})
    assert (refused.status_code, "format" in refused.json()["detail"]) == (422, True)
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_unknown_and_malformed_ids(client, method):
    assert client.request(method, f"/transcriptions/{new_id()}").status_code == 404
    malformed = client.request(method, "/transcriptions/nothing")
    assert malformed.status_code == 422
    assert "path.id" in malformed.json()["detail"]
