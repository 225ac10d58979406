import re

import numpy as np
import pytest
from fastapi.testclient import TestClient

from otoscope import load
from service.app import create_app
from service.matrix import matrix, to_json
from service.store import new_id


@pytest.fixture(scope="module")
def answer(client, short_wav):
    result_id = client.post("/transcribe", files={"file": short_wav}).json()["id"]
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


def test_matrix_is_written_to_six_decimals(make_posteriors):
    text = to_json(matrix(new_id(), make_posteriors())).decode()
    numbers = re.findall(r"\d\.\d+(?!e)", text.split('"probs":')[1])
    assert len(numbers) > 1000
    assert max(len(number) for number in numbers) == len("0.123456")


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
        result_id = client.post("/transcribe", files={"file": short_wav}).json()["id"]
        answer = client.get("/probs", params={"id": result_id})
    assert answer.status_code == 410
    assert answer.json()["type"] == "urn:otoscope:problem:result-expired"


def test_result_that_gave_way_is_410(make_settings, short_wav):
    # Room for one result of 38 frames of 29 classes, compressed or not; not for two.
    with TestClient(create_app(make_settings(store_max_bytes=6000))) as client:
        first, second = (
            client.post("/transcribe", files={"file": short_wav}).json()["id"] for _ in range(2)
        )
        statuses = [
            client.get("/probs", params={"id": each}).status_code for each in (first, second)
        ]
    assert statuses == [410, 200]
