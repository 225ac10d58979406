import json

import pytest


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("model=a&model=b", "model: expected one value, got 2"),
        ("modle=a", "query.modle: Extra inputs are not permitted, got 'a'"),
        ("model=%E4", "expected a query of text in UTF-8, got 0xe4"),
    ],
)
def test_a_query_that_is_not_as_expected(client, query, detail):
    answer = client.get(f"/model?{query}")
    assert (answer.status_code, answer.json()["detail"]) == (422, detail)


def test_model_describes_itself(client, recognizer):
    body = client.get("/model").json()
    spec = recognizer.spec
    assert body["sha256"] == recognizer.sha256
    assert body["exact_sha256"] == recognizer.exact_sha256
    assert body["spec"] == json.loads(spec.to_json())
    assert body["parameters"] == spec.provenance.parameters
    assert body["training_hours"] == spec.provenance.audio_hours
    assert body["frame_s"] == pytest.approx(spec.frame_s)
    assert body["punctuation"] is None
    assert {"dev_wer", "dev_cer", "parity", "evaluation"} <= set(body)
