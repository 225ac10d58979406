import json

import pytest


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
