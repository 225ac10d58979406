import io
import json
import re

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from sentence_model import SAMPLE

from otoscope import load
from otoscope.features import FeatureSpec
from otoscope.strict_json import parse
from service.app import create_app
from service.store.base import new_id

ROUTE = "/features"


def values_of(answer):
    return np.load(io.BytesIO(answer.content), allow_pickle=False)


def test_they_are_what_the_model_read(ask, recognizer):
    expected = recognizer.features(load(SAMPLE, 16000).samples)
    values = values_of(ask(format="npy"))
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, expected)
    log_probs = recognizer.run_heads([values])[0].characters
    [posteriors] = recognizer.posteriors([load(SAMPLE, 16000).samples])
    np.testing.assert_array_equal(log_probs, posteriors.log_probs)


def test_json_is_exact_and_says_how_they_were_computed(ask, recognizer):
    answer = ask()
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    values = values_of(ask(format="npy"))
    np.testing.assert_array_equal(np.array(body["features"], dtype=np.float32), values)
    assert body["shape"] == [339, 80]
    assert (body["frame_s"], body["start_s"]) == (0.01, 0.0)
    assert parse(FeatureSpec, body["spec"], "the answer") == recognizer.spec.features


@pytest.mark.parametrize(
    ("form", "media_type"),
    [("csv", "text/csv; charset=utf-8"), ("npy", "application/x-npy"), ("png", "image/png")],
)
def test_each_format_carries_the_spec_in_a_header(ask, form, media_type):
    by_name = ask(format=form)
    by_accept = ask(headers={"Accept": f"{media_type.partition(';')[0]}, */*;q=0.1"})
    assert by_name.content == by_accept.content
    assert by_name.headers["content-type"] == by_accept.headers["content-type"] == media_type
    assert by_name.headers["otoscope-frame-s"] == "0.01"
    assert json.loads(by_name.headers["otoscope-feature-spec"]) == ask().json()["spec"]


def test_csv_reads_back(ask):
    header, *lines = ask(format="csv").text.split("\r\n")
    assert header.split(",") == ["time_s", *(f"mel_{place}" for place in range(80))]
    table = np.array([line.split(",") for line in lines[:-1]], dtype=np.float32)
    np.testing.assert_array_equal(table[:, 1:], values_of(ask(format="npy")))
    np.testing.assert_allclose(table[:, 0], 0.01 * np.arange(339), atol=1e-6)


def test_a_part_is_a_slice_of_the_whole(ask):
    whole, part = values_of(ask(format="npy")), ask(format="npy", from_s=1, to_s=2)
    np.testing.assert_array_equal(values_of(part), whole[100:200])
    assert part.headers["otoscope-start-s"] == "1.000000"
    body = ask(from_s=1, to_s=2).json()
    assert (body["start_s"], body["shape"]) == (1.0, [100, 80])


def test_a_picture_of_them(ask):
    pictures = [ask(format="png").content, ask(format="png", from_s=1, to_s=2).content]
    assert pictures[0] != pictures[1]
    for picture in pictures:
        with Image.open(io.BytesIO(picture)) as image:
            image.load()
            assert image.size == pytest.approx((1132, 495), abs=1)


def test_what_the_client_has_is_not_sent_again(ask):
    first = ask(format="npy")
    assert re.fullmatch(r"private, max-age=\d+", first.headers["cache-control"])
    assert first.headers["vary"] == "Accept"
    again = ask(format="npy", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert ask(headers={"If-None-Match": first.headers["etag"]}).status_code == 200


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"format": "wav"}, "query.format"),
        ({"from_s": 3.395}, "expected 0 <= from_s < to_s <= 3.395"),
        ({"to_s": 4}, "expected 0 <= from_s < to_s <= 3.395"),
        ({"from_s": 0.001, "to_s": 0.002}, "each 0.01 s up to 3.38 s"),
        ({"unit": "character"}, "query.unit"),
    ],
)
def test_query_that_cannot_be_answered(ask, query, words):
    refused = ask(**query)
    assert refused.status_code == 422
    assert words in refused.json()["detail"]


def test_nothing_acceptable_is_406(ask):
    refused = ask(headers={"Accept": "audio/*"})
    assert refused.status_code == 406
    assert "application/x-npy" in refused.json()["detail"]


def test_unknown_is_404_and_malformed_422(client):
    assert client.get("/features", params={"id": new_id()}).status_code == 404
    assert client.get("/features", params={"id": "x"}).status_code == 422
    assert client.get("/features").status_code == 422


def test_expired_is_410(make_settings, short_wav):
    with TestClient(create_app(make_settings(result_ttl_s=1e-6))) as client:
        result_id = client.post("/transcribe", files={"file": short_wav}).json()["id"]
        assert client.get("/features", params={"id": result_id}).status_code == 410
