import re
from dataclasses import replace

import numpy as np
import pytest
from fastapi.testclient import TestClient

from otoscope import PhonemePosteriors, PhonemeSet, load
from service.app import create_app
from service.errors import NoPhonemesError
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


def test_the_unit_is_characters_unless_told_otherwise(client, answer):
    assert answer["unit"] == "character"
    asked = client.get("/probs", params={"id": answer["id"], "unit": "character"}).json()
    assert asked == answer


def test_phonemes_of_a_model_without_a_phoneme_head_are_422(client, recognizer, answer):
    if recognizer.spec.phonemes is not None:
        pytest.skip("the shipped model has a phoneme head")
    refused = client.get("/probs", params={"id": answer["id"], "unit": "phoneme"})
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


def test_a_matrix_of_phonemes(make_posteriors):
    log_probs = np.log(np.full((50, 3), 1 / 3, dtype=np.float32))
    phonemes = PhonemePosteriors(log_probs, PhonemeSet(("AA", "CH")))
    posteriors = replace(make_posteriors(), phonemes=phonemes)
    document = matrix(new_id(), posteriors, "phoneme")
    assert document["unit"] == "phoneme"
    assert document["symbols"] == ("AA", "CH", "<blank>")
    assert document["shape"] == (50, 3)
    np.testing.assert_allclose(document["probs"], 1 / 3, atol=1e-6)
    with pytest.raises(NoPhonemesError):
        matrix(new_id(), make_posteriors(), "phoneme")


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
