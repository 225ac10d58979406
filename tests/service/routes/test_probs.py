"""GET and POST /probs: of which recordings, and what the numbers are."""

import sqlite3
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from fastapi.testclient import TestClient
from stores import put
from transcribing import transcribe

from otoscope import load
from service.app import create_app
from service.store.base import new_id

ROUTE = "/probs"


@pytest.fixture(scope="module")
def answer(client, short_wav):
    result_id = transcribe(client, short_wav).json()["id"]
    return client.get("/probs", params={"id": result_id}).json()


def test_one_distribution_a_frame(answer):
    probs = np.array(answer["probs"])
    assert probs.shape == tuple(answer["shape"])
    assert ((probs >= 0) & (probs <= 1)).all()
    np.testing.assert_allclose(probs.sum(axis=1), 1.0, atol=1e-4)


def test_symbols_and_times_are_the_models(answer, recognizer):
    assert answer["symbols"] == list(recognizer.spec.alphabet.class_names)
    assert answer["frame_s"] == pytest.approx(recognizer.spec.frame_s)
    assert answer["shape"][0] * answer["frame_s"] == pytest.approx(1.5, abs=recognizer.spec.frame_s)


def test_values_are_those_of_the_library(answer, recognizer, short_wav):
    [posteriors] = recognizer.posteriors([load(short_wav, 16000).samples])
    np.testing.assert_allclose(np.array(answer["probs"]), posteriors.probs, atol=2e-6)


def test_the_unit_is_characters_unless_told_otherwise(client, answer):
    assert answer["unit"] == "character"
    asked = client.get("/probs", params={"id": answer["id"], "unit": "character"}).json()
    assert asked == answer


@pytest.mark.parametrize("name", ["model", "from_s", "format", "top_k"])
def test_a_parameter_given_twice_is_422(client, short_wav, name):
    refused = client.post(f"/probs?{name}=1&{name}=2", files={"file": short_wav})
    assert refused.status_code == 422
    assert refused.json()["type"] == "urn:otoscope:problem:query"
    assert refused.json()["detail"] == f"{name}: expected one value, got 2"


def test_an_id_given_twice_is_422(client, answer):
    for path in ("/probs", "/features"):
        refused = client.get(path, params={"id": [answer["id"], new_id()]})
        assert (refused.status_code, refused.json()["detail"]) == (
            422,
            "id: expected one value, got 2",
        )


def test_phonemes_of_a_model_without_a_phoneme_head_are_422(client, answer):
    store = client.app.state.services.store
    result_id = put(store, replace(store.get(answer["id"]), phonemes=None))
    refused = client.get("/probs", params={"id": result_id, "unit": "phoneme"})
    assert refused.status_code == 422
    assert refused.json()["type"] == "urn:otoscope:problem:no-phonemes"
    assert "no phoneme head" in refused.json()["detail"]
    unknown = client.get("/probs", params={"id": new_id(), "unit": "phoneme"})
    assert unknown.status_code == 404


def test_another_unit_is_422(client, answer):
    refused = client.get("/probs", params={"id": answer["id"], "unit": "word"})
    assert refused.status_code == 422
    assert "query.unit" in refused.json()["detail"]


def test_openapi_tells_of_the_unit(client):
    parameters = client.get("/openapi.json").json()["paths"]["/probs"]["get"]["parameters"]
    [unit] = [parameter for parameter in parameters if parameter["name"] == "unit"]
    assert unit["required"] is False
    assert unit["schema"]["enum"] == ["character", "phoneme"]
    assert unit["schema"]["default"] == "character"


def test_unknown_id_is_404(client):
    answer = client.get("/probs", params={"id": new_id()})
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:otoscope:problem:result-unknown"


@pytest.mark.parametrize("wrong", ["", "x", "0" * 31, "0" * 33, "G" * 32, "../" * 10 + "aa", None])
def test_malformed_id_is_422(client, wrong):
    answer = client.get("/probs", params={} if wrong is None else {"id": wrong})
    assert answer.status_code == 422
    assert "query.id" in answer.json()["detail"]


def test_expired_result_is_410(make_settings, short_wav):
    with TestClient(create_app(make_settings(result_ttl_s=1e-6))) as client:
        result_id = transcribe(client, short_wav).json()["id"]
        answer = client.get("/probs", params={"id": result_id})
    assert answer.status_code == 410
    assert answer.json()["type"] == "urn:otoscope:problem:result-expired"


def test_result_that_gave_way_is_410(make_settings, short_wav):
    # Room for one result of 38 frames of 29 classes and 150 of 80 bins, compressed or not; not two.
    with TestClient(create_app(make_settings(store_max_bytes=65000))) as client:
        first, second = (transcribe(client, short_wav).json()["id"] for _ in range(2))
        statuses = [
            client.get("/probs", params={"id": each}).status_code for each in (first, second)
        ]
    assert statuses == [410, 200]


def test_spoken_example_is_mostly_not_blank_and_rarely_in_doubt(ask):
    body = ask().json()
    probs = np.array(body["probs"])
    assert body["blank_share"] == pytest.approx(np.mean(probs.argmax(axis=1) == 28), abs=1e-6)
    assert body["blank_prob"]["mean"] == pytest.approx(probs[:, 28].mean(), abs=1e-5)
    assert body["blank_prob"]["max"] == pytest.approx(probs[:, 28].max(), abs=1e-6)
    entropies = np.array(body["entropy_nats"])
    assert entropies.shape == (len(probs),)
    assert ((entropies >= 0) & (entropies <= np.log(29))).all()
    sure = probs.max(axis=1) > 0.999
    assert entropies[sure].max() < 0.02 < entropies[~sure].max()


def test_the_length_that_transcribe_tells_is_no_length_too_much(client):
    body = transcribe(client).json()
    query = {"id": body["id"], "to_s": body["duration_s"]}
    assert client.get("/probs", params=query).json()["shape"] == [85, 29]


def test_posted_file_is_not_kept(make_settings, short_wav):
    settings = make_settings()
    with TestClient(create_app(settings)) as client:
        assert client.post("/probs", files={"file": short_wav}).status_code == 200
    with closing(sqlite3.connect(settings.store_path)) as connection:
        assert connection.execute("SELECT count(*) FROM results").fetchone() == (0,)


def test_posted_file_that_breaks_off_is_warned_of(client, sounds):
    data = sounds.write(sounds.noise(8), file_format="FLAC")
    answer = client.post("/probs", files={"file": data[: len(data) // 2]})
    [warning] = answer.json()["warnings"]
    assert "truncated" in warning
    assert warning in answer.headers["otoscope-warnings"]


@pytest.mark.parametrize(
    ("request_", "status", "words"),
    [
        ({}, 422, "expected one file in the field 'file'"),
        ({"files": {"audio": b"x"}}, 422, "expected the field file alone, got 'audio'"),
        ({"files": {"file": b"x"}, "data": {"format": "csv"}}, 422, "options go in the query"),
        ({"files": [("file", b"a"), ("file", b"b")]}, 422, "got 2"),
        ({"files": {"file": b"no audio at all"}}, 415, "15 bytes"),
        ({"files": {"file": b""}}, 422, "0 bytes"),
        ({"files": {"file": b"x"}, "params": {"id": "0" * 32}}, 422, "query.id"),
        ({"files": {"file": b"x"}, "headers": {"Accept": "text/html"}}, 406, "image/png"),
    ],
)
def test_post_that_cannot_be_answered(client, request_, status, words):
    refused = client.post("/probs", **request_)
    assert refused.status_code == status
    assert refused.headers["content-type"] == "application/problem+json"
    assert words in refused.json()["detail"]


def test_openapi_tells_of_every_answer(client):
    paths = client.get("/openapi.json").json()["paths"]
    kept = {"200", "304", "404", "406", "410", "422", "503"}
    for route, method, statuses in (
        ("/probs", "get", kept),
        ("/features", "get", kept),
        ("/probs", "post", {"200", "400", "406", "408", "413", "415", "422", "503"}),
    ):
        operation = paths[route][method]
        assert set(operation["responses"]) == statuses
        content = operation["responses"]["200"]["content"]
        assert list(content) == ["application/json", "text/csv", "application/x-npy", "image/png"]
        assert "$ref" in content["application/json"]["schema"]
        for status in statuses - {"200", "304"}:
            assert list(operation["responses"][status]["content"]) == ["application/problem+json"]
        names = {parameter["name"] for parameter in operation["parameters"]}
        assert {"format", "from_s", "to_s"} <= names
        assert ({"id", "if-none-match"} <= names) == (method == "get")
        assert ({"top_k", "symbols", "unit"} <= names) == (route == "/probs")
    form = paths["/probs"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["required"] == ["file"]
