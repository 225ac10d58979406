"""GET and POST /probs: formats, parts and pictures, and what a client keeps of them."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from transcribing import SAMPLE_FLAC, transcribe

from otoscope.formats.posteriors import DISPLAY_NAMES

ROUTE = "/probs"
FORMATS = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "npy": "application/x-npy",
    "png": "image/png",
}


def size_of(answer):
    with Image.open(io.BytesIO(answer.content)) as image:
        image.load()
        assert image.format == "PNG"
        return image.size


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


def test_tags_differ_by_format_query_and_result(ask, short_wav, client):
    result_id = transcribe(client, short_wav).json()["id"]
    other = client.get("/probs", params={"id": result_id})
    queries = [{}, {"format": "csv"}, {"to_s": 1}, {"symbols": "a"}, {"top_k": 1}]
    tags = [other.headers["etag"], *(ask(**query).headers["etag"] for query in queries)]
    assert len(set(tags)) == len(tags)
    assert ask(headers={"Accept": "text/csv"}).headers["etag"] in tags


def test_wrong_query_is_422_whatever_the_client_has(ask):
    assert ask(top_k=30, headers={"If-None-Match": "*"}).status_code == 422


def test_a_picture_shows_the_part_and_the_symbols(ask):
    # 150 dots an inch; see tests/otoscope/plots/test_plots.py for the inches.
    whole, part, some = ask(format="png"), ask(format="png", to_s=1), ask(format="png", symbols="a")
    assert size_of(whole) == size_of(part)
    assert size_of(whole) == pytest.approx((1132, 150 * (3.99 + 29 * 0.125)), abs=1)
    assert size_of(some) == pytest.approx((1132, 150 * (3.99 + 6 * 0.125)), abs=1)
    assert whole.content != part.content


def test_a_picture_of_too_much_says_how_to_ask_for_less(client, sounds):
    data = sounds.write(sounds.noise(61))
    result_id = transcribe(client, data).json()["id"]
    for route in ("/probs", "/features"):
        refused = client.get(route, params={"id": result_id, "format": "png"})
        assert refused.status_code == 422
        assert "at most 60 s in a picture, got 61 s" in refused.json()["detail"]
        assert "from_s and to_s" in refused.json()["detail"]
    query = {"id": result_id, "format": "png", "from_s": 59, "symbols": "blank"}
    assert client.get("/probs", params=query).status_code == 200


def test_posted_file_gives_what_its_transcription_gives(ask, client):
    file = {"file": SAMPLE_FLAC}
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
