import io
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from otoscope import load
from otoscope.formats.posteriors import DISPLAY_NAMES
from service.app import create_app
from service.store.base import new_id

SAMPLE = Path(__file__).resolve().parents[3] / "examples" / "sample.flac"
FORMATS = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "npy": "application/x-npy",
    "png": "image/png",
}


@pytest.fixture(scope="module")
def answer(client, short_wav):
    result_id = client.post("/transcribe", files={"file": short_wav}).json()["id"]
    return client.get("/probs", params={"id": result_id}).json()


@pytest.fixture(scope="module")
def ask(client):
    """GET /probs of the shipped example."""
    result_id = client.post("/transcribe", files={"file": SAMPLE.read_bytes()}).json()["id"]

    def get(headers=None, **query):
        return client.get("/probs", params={"id": result_id, **query}, headers=headers)

    return get


def size_of(answer):
    with Image.open(io.BytesIO(answer.content)) as image:
        image.load()
        assert image.format == "PNG"
        return image.size


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
    # Room for one result of 38 frames of 29 classes and 150 of 80 bins, compressed or not; not two.
    with TestClient(create_app(make_settings(store_max_bytes=65000))) as client:
        first, second = (
            client.post("/transcribe", files={"file": short_wav}).json()["id"] for _ in range(2)
        )
        statuses = [
            client.get("/probs", params={"id": each}).status_code for each in (first, second)
        ]
    assert statuses == [410, 200]


@pytest.mark.parametrize("form", FORMATS)
def test_each_format_by_name_and_by_accept(ask, form):
    by_name = ask(format=form)
    by_accept = ask(headers={"Accept": FORMATS[form].partition(";")[0]})
    for answer in (by_name, by_accept):
        assert answer.status_code == 200
        assert answer.headers["content-type"] == FORMATS[form]
        assert answer.headers["vary"] == "Accept"
        assert answer.headers["otoscope-frame-s"] == "0.04"
        assert answer.headers["otoscope-start-s"] == "0.000000"
    assert by_name.content == by_accept.content
    assert ask(format=form, headers={"Accept": "text/html"}).status_code == 200


def test_formats_agree(ask):
    body = ask().json()
    values = np.load(io.BytesIO(ask(format="npy").content))
    assert values.dtype == np.float32
    assert values.shape == tuple(body["shape"])
    written = np.array(body["probs"], dtype=np.float32)
    np.testing.assert_array_equal(np.round(values, 6), written)
    header, *lines = ask(format="csv").text.split("\r\n")
    assert header.split(",") == ["time_s", *(DISPLAY_NAMES.get(s, s) for s in body["symbols"])]
    assert lines.pop() == ""
    table = np.array([line.split(",") for line in lines], dtype=np.float64)
    np.testing.assert_array_equal(table[:, 1:], body["probs"])
    np.testing.assert_allclose(table[:, 0], 0.04 * np.arange(len(table)), atol=1e-6)


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


@pytest.mark.parametrize("form", ["json", "npy", "csv"])
def test_a_part_is_a_slice_of_the_whole(ask, form):
    def rows(answer):
        if form == "json":
            return answer.json()["probs"]
        if form == "csv":
            return answer.text.splitlines()[1:]
        return np.load(io.BytesIO(answer.content)).tolist()

    part = ask(format=form, from_s=1.0, to_s=2.0)
    assert rows(part) == rows(ask(format=form))[25:50]
    assert part.headers["otoscope-start-s"] == "1.000000"


def test_the_length_that_transcribe_tells_is_no_length_too_much(client):
    body = client.post("/transcribe", files={"file": SAMPLE.read_bytes()}).json()
    query = {"id": body["id"], "to_s": body["duration_s"]}
    assert client.get("/probs", params=query).json()["shape"] == [85, 29]


def test_symbols_and_top_k(ask):
    body = ask(symbols=["a,e", "blank"], top_k=2).json()
    assert body["symbols"] == ["a", "e", "<blank>"]
    assert body["shape"] == [85, 2]
    assert np.array(body["indices"]).shape == (85, 2)
    assert (np.diff(body["probs"], axis=1) <= 0).all()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"format": "xml"}, "query.format"),
        ({"from_s": "x"}, "query.from_s"),
        ({"from_s": -1}, "query.from_s"),
        ({"to_s": "nan"}, "query.to_s"),
        ({"from_s": 2, "to_s": 1}, "expected 0 <= from_s < to_s <= 3.395"),
        ({"to_s": 3.4}, "expected 0 <= from_s < to_s <= 3.395"),
        ({"from_s": 1.01, "to_s": 1.02}, "a frame's centre"),
        ({"top_k": 0}, "query.top_k"),
        ({"top_k": 30}, "top_k: expected at most 29"),
        ({"top_k": 2, "format": "npy"}, "top_k: expected the format json or csv, got npy"),
        ({"top_k": 2, "format": "png"}, "top_k: expected the format json or csv, got png"),
        ({"symbols": "a,ß"}, "got 'ß'"),
        ({"symbol": "a"}, "query.symbol"),
    ],
)
def test_query_that_cannot_be_answered(ask, query, words):
    refused = ask(**query)
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    assert words in refused.json()["detail"]


def test_nothing_acceptable_is_406(ask):
    refused = ask(headers={"Accept": "text/html, image/jpeg;q=0.5"})
    assert refused.status_code == 406
    assert refused.headers["content-type"] == "application/problem+json"
    problem = refused.json()
    assert problem["type"] == "urn:otoscope:problem:not-acceptable"
    assert all(name.partition(";")[0] in problem["detail"] for name in FORMATS.values())


def test_an_answer_may_be_kept_as_long_as_its_result(ask):
    answer = ask()
    scope, age = re.fullmatch(r"(\w+), max-age=(\d+)", answer.headers["cache-control"]).groups()
    assert scope == "private"
    assert 0 < int(age) <= 3600


@pytest.mark.parametrize("form", ["json", "png"])
def test_what_the_client_has_is_not_sent_again(ask, form):
    first = ask(format=form)
    etag = first.headers["etag"]
    assert re.fullmatch(r'"[0-9a-f]{32}"', etag)
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = ask(format=form, headers={"If-None-Match": known})
        assert again.status_code == 304
        assert again.content == b""
        assert again.headers["etag"] == etag
        assert again.headers["vary"] == "Accept"
        assert "max-age" in again.headers["cache-control"]
    changed = ask(format=form, headers={"If-None-Match": '"other"'})
    assert changed.status_code == 200
    assert changed.content == first.content


def test_tags_differ_by_format_query_and_result(ask, answer, client):
    other = client.get("/probs", params={"id": answer["id"]})
    queries = [{}, {"format": "csv"}, {"to_s": 1}, {"symbols": "a"}, {"top_k": 1}]
    tags = [other.headers["etag"], *(ask(**query).headers["etag"] for query in queries)]
    assert len(set(tags)) == len(tags)
    assert ask(headers={"Accept": "text/csv"}).headers["etag"] in tags


def test_wrong_query_is_422_whatever_the_client_has(ask):
    assert ask(top_k=30, headers={"If-None-Match": "*"}).status_code == 422


def test_a_picture_shows_the_part_and_the_symbols(ask):
    # 150 dots an inch; see tests/otoscope/test_pictures.py for the inches.
    whole, part, some = ask(format="png"), ask(format="png", to_s=1), ask(format="png", symbols="a")
    assert size_of(whole) == size_of(part)
    assert size_of(whole) == pytest.approx((1132, 150 * (3.99 + 29 * 0.125)), abs=1)
    assert size_of(some) == pytest.approx((1132, 150 * (3.99 + 6 * 0.125)), abs=1)
    assert whole.content != part.content


def test_a_picture_of_too_much_says_how_to_ask_for_less(client, sounds):
    data = sounds.write(sounds.noise(61))
    result_id = client.post("/transcribe", files={"file": data}).json()["id"]
    for route in ("/probs", "/features"):
        refused = client.get(route, params={"id": result_id, "format": "png"})
        assert refused.status_code == 422
        assert "at most 60 s in a picture, got 61 s" in refused.json()["detail"]
        assert "from_s and to_s" in refused.json()["detail"]
    query = {"id": result_id, "format": "png", "from_s": 59, "symbols": "blank"}
    assert client.get("/probs", params=query).status_code == 200


def test_posted_file_gives_what_its_transcription_gives(ask, client):
    file = {"file": SAMPLE.read_bytes()}
    for query in ({}, {"from_s": "1", "symbols": "a,blank"}, {"top_k": "2"}):
        kept = ask(**query).json()
        fresh = client.post("/probs", files=file, params=query)
        assert fresh.status_code == 200
        del kept["id"]
        assert fresh.json() == {"warnings": [], **kept}
    for form in ("csv", "npy", "png"):
        fresh = client.post("/probs", files=file, params={"format": form})
        assert fresh.headers["content-type"] == FORMATS[form]
        assert fresh.headers["cache-control"] == "no-store"
        assert "etag" not in fresh.headers
        assert fresh.content == ask(format=form).content


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
