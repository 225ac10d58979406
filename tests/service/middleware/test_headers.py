import pytest


def every_answer(client, short_wav):
    made = client.post("/transcribe", files={"file": short_wav})
    result_id = made.json()["id"]
    yield "transcription", made
    for path in (f"/transcriptions/{result_id}", f"/transcriptions/{result_id}/reading"):
        yield path, client.get(path)
    for path in ("/align", "/probs", "/v1/audio/transcriptions"):
        fields = {"/align": {"text": "a"}, "/v1/audio/transcriptions": {"model": "whisper-1"}}
        yield path, client.post(path, files={"file": short_wav}, data=fields.get(path, {}))
    yield "error", client.post("/transcribe", files={"file": b"text"})
    yield "unknown", client.get("/nowhere")
    for path in ("/health/live", "/health/ready", "/metrics", "/model", "/openapi.json"):
        yield path, client.get(path)


def test_what_is_private_is_kept_by_no_cache(client, short_wav):
    for name, answer in every_answer(client, short_wav):
        assert answer.headers["cache-control"] == "no-store", name
        assert answer.headers["x-content-type-options"] == "nosniff", name


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_the_page_says_itself_how_long_it_is_kept(client, path):
    answer = client.get(path)
    assert answer.headers["cache-control"] != "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers.get_list("x-content-type-options") == ["nosniff"]
