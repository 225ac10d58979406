"""OpenAI's own client against a real server; one server for all tests of this module."""

import json
import re

import httpx
import openai
import pytest
from ready_client import ready_client

from service.http.responses import WARNINGS_HEADER

KEY = "swordfish"
MAX_BYTES = 2**20


@pytest.fixture(scope="module")
def address(serve_from, tmp_path_factory):
    with serve_from(
        tmp_path_factory.mktemp("openai"),
        OTOSCOPE_API_KEYS=KEY,
        OTOSCOPE_MAX_UPLOAD_BYTES=str(MAX_BYTES),
    ) as address:
        yield address


@pytest.fixture(scope="module")
def ai(address):
    with openai.OpenAI(base_url=f"{address}/v1", api_key=KEY, max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def speech(pytestconfig):
    return ("sample.flac", (pytestconfig.rootpath / "examples/sample.flac").read_bytes())


@pytest.fixture(scope="module")
def own(address, speech):
    """What POST /transcribe says."""
    headers = {"Authorization": f"Bearer {KEY}"}
    return httpx.post(
        f"{address}/transcribe", files={"file": speech}, headers=headers, timeout=60
    ).json()


def test_json(ai, speech, own):
    answer = ai.audio.transcriptions.create(file=speech, model="english")
    assert isinstance(answer, openai.types.audio.Transcription)
    assert answer.text == own["text"] != ""
    assert answer.logprobs is None
    assert (answer.usage.type, answer.usage.seconds) == ("duration", 4)


def test_logprobs(ai, speech, own):
    answer = ai.audio.transcriptions.create(
        file=speech, model="whisper-1", response_format="json", include=["logprobs"]
    )
    assert "".join(each.token for each in answer.logprobs) == own["text"]
    assert all(each.logprob <= 0 for each in answer.logprobs)
    assert bytes(map(int, answer.logprobs[0].bytes)).decode() == answer.logprobs[0].token


def test_text(ai, speech, own):
    answer = ai.audio.transcriptions.create(file=speech, model="english", response_format="text")
    assert answer == own["text"] + "\n"


def test_verbose_json(ai, speech, own):
    answer = ai.audio.transcriptions.create(
        file=speech,
        model="english",
        language="en",
        temperature=0,
        prompt="",
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
    )
    assert isinstance(answer, openai.types.audio.TranscriptionVerbose)
    assert (answer.text, answer.language) == (own["text"], "english")
    assert answer.duration == own["duration_s"]
    assert [(word.word, word.start, word.end) for word in answer.words] == [
        (word["word"], word["start_s"], word["end_s"]) for word in own["words"]
    ]
    assert "".join(segment.text for segment in answer.segments) == f" {own['text']}"
    for segment in answer.segments:
        # The client builds its objects unchecked; this checks each field's type.
        openai.types.audio.TranscriptionSegment.model_validate(segment.model_dump(), strict=True)
        assert segment.avg_logprob <= 0
        assert 0 <= segment.no_speech_prob < 0.5


def test_verbose_json_has_segments_only_unless_told_otherwise(ai, speech):
    answer = ai.audio.transcriptions.create(
        file=speech, model="english", response_format="verbose_json"
    )
    assert (answer.words, bool(answer.segments)) == (None, True)


@pytest.mark.parametrize(
    ("response_format", "time"),
    [
        ("srt", r"00:0\d,\d{3} --> 00:00:0\d,\d{3}"),
        ("vtt", r"00:0\d\.\d{3} --> (00:)?00:0\d\.\d{3}"),
    ],
)
def test_subtitles(ai, speech, own, response_format, time):
    answer = ai.audio.transcriptions.create(
        file=speech, model="english", response_format=response_format
    )
    assert answer.startswith("WEBVTT") == (response_format == "vtt")
    assert re.search(time, answer)
    assert own["words"][0]["word"] in answer


def test_models(ai):
    [model] = ai.models.list().data
    assert (model.id, model.object) == ("english", "model")
    assert model.created > 0
    assert ai.models.retrieve("english") == model
    for alias in ("whisper-1", "gpt-4o-transcribe"):
        assert ai.models.retrieve(alias).to_dict() == {**model.to_dict(), "id": alias}


@pytest.mark.parametrize(
    ("chosen", "param"),
    [
        ({"language": "fr"}, "language"),
        ({"temperature": 7}, "temperature"),
        ({"stream": True, "response_format": "vtt"}, "stream"),
        ({"response_format": "diarized_json"}, "response_format"),
        ({"include": ["logprobs"], "response_format": "text"}, "include"),
        ({"timestamp_granularities": ["word"]}, "timestamp_granularities"),
        ({"extra_body": {"best_of": "5"}}, "best_of"),
        ({"extra_query": {"language": "fr"}}, "language"),
        ({"file": ("empty.wav", b"")}, "file"),
        ({"file": ("text.wav", b"To be, or not to be.\n" * 50)}, "file"),
    ],
)
def test_wrong_requests_are_bad_requests(ai, speech, chosen, param):
    with pytest.raises(openai.BadRequestError) as refused:
        ai.audio.transcriptions.create(**{"file": speech, "model": "english", **chosen})
    assert refused.value.param == param
    assert refused.value.type == "invalid_request_error"
    assert "got" in refused.value.body["message"]
    assert refused.value.request_id == refused.value.response.headers["x-request-id"]


def test_unknown_models_are_not_found(ai, speech):
    with pytest.raises(openai.NotFoundError) as refused:
        ai.audio.transcriptions.create(file=speech, model="gpt-4o-realtime")
    assert (refused.value.code, refused.value.param) == ("model_not_found", "model")
    for name in ("gpt-4o-realtime", "openai/whisper-1", "english/versions"):
        with pytest.raises(openai.NotFoundError, match=f"got '{name}'") as refused:
            ai.models.retrieve(name)
        assert refused.value.code == "model_not_found"


def test_unknown_routes_are_not_found(ai):
    with pytest.raises(openai.NotFoundError) as refused:
        ai.files.list()
    assert (refused.value.code, refused.value.type) == (None, "invalid_request_error")
    assert "GET /v1/files" in refused.value.message


def test_a_wrong_key_is_an_authentication_error(address, speech):
    with openai.OpenAI(base_url=f"{address}/v1", api_key="catfish", max_retries=0) as stranger:
        with pytest.raises(openai.AuthenticationError) as refused:
            stranger.audio.transcriptions.create(file=speech, model="english")
        assert refused.value.code == "invalid_api_key"
        assert "catfish" not in str(refused.value)
        with pytest.raises(openai.AuthenticationError):
            stranger.models.list()


def test_too_large_a_file_is_413_and_the_client_gets_to_read_it(ai):
    with pytest.raises(openai.APIStatusError) as refused:
        ai.audio.transcriptions.create(file=("long.wav", bytes(8 * MAX_BYTES)), model="english")
    assert refused.value.status_code == 413
    assert refused.value.code == "upload_too_large"
    assert str(MAX_BYTES) in refused.value.message


def test_a_truncated_file_is_told_of_in_a_header(ai, speech):
    name, data = speech
    answer = ai.audio.transcriptions.with_raw_response.create(
        file=(name, data[: len(data) // 2]), model="english"
    )
    [warning] = json.loads(answer.headers[WARNINGS_HEADER])
    assert "truncated" in warning
    assert answer.parse().text


def test_what_clients_send_out_of_habit_is_taken(ai, speech, own):
    answer = ai.audio.transcriptions.with_raw_response.create(
        file=speech,
        model="gpt-4o-transcribe",
        language="auto",
        prompt="before he came home, and 42",
        temperature=0.2,
        chunking_strategy={"type": "server_vad", "threshold": 0.5},
    )
    assert answer.parse().text == own["text"]
    assert [line.split()[0] for line in json.loads(answer.headers[WARNINGS_HEADER])] == [
        "temperature",
        "chunking_strategy",
    ]


EMPTY = ("language", "prompt", "temperature", "stream", "response_format", "include[]")


@pytest.mark.parametrize("path", ["/v1/audio/transcriptions/", "/v1//audio/transcriptions"])
def test_empty_fields_and_needless_slashes(address, speech, own, path):
    answer = httpx.post(
        address + path,
        files={"file": speech},
        data={"model": "whisper-1", **dict.fromkeys(EMPTY, "")},
        headers={"Authorization": f"Bearer {KEY}"},
        timeout=60,
    )
    assert (answer.status_code, answer.json()["text"]) == (200, own["text"])
    assert WARNINGS_HEADER not in answer.headers


@pytest.mark.parametrize(
    "fields",
    [
        {"timestamp_granularities[0]": "word"},
        {"timestamp_granularities": "word,segment"},
        {"timestamp_granularities[]": "word"},
        {"timestamp_granularities": '["word"]'},
    ],
)
def test_words_are_asked_for_in_any_spelling(address, speech, own, fields):
    answer = httpx.post(
        f"{address}/v1/audio/transcriptions",
        files={"file": speech},
        data={"model": "whisper-1", "response_format": "verbose_json", **fields},
        headers={"Authorization": f"Bearer {KEY}"},
        timeout=60,
    )
    assert [word["word"] for word in answer.json()["words"]] == own["text"].split()


def test_a_busy_service_is_an_internal_server_error_with_the_time_to_wait(make_settings, short_wav):
    with ready_client(make_settings(inference_threads=1, queue_size=0)) as client:
        client.app.state.services.pool._admitted = 1
        answer = client.post(
            "/v1/audio/transcriptions", files={"file": short_wav}, data={"model": "english"}
        )
        client.app.state.services.pool._admitted = 0
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json()["error"]["type"] == "server_error"
    assert answer.json()["error"]["code"] == "queue_full"


def test_openapi_shows_the_form_and_the_errors(client):
    document = client.get("/openapi.json").json()
    post = document["paths"]["/v1/audio/transcriptions"]["post"]
    schema = post["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert set(schema["required"]) == {"file", "model"}
    assert {"timestamp_granularities[]", "include[]", "response_format"} <= set(
        schema["properties"]
    )
    refused = post["responses"]["400"]["content"]["application/json"]["schema"]
    assert set(refused["properties"]["error"]["properties"]) == {"message", "type", "param", "code"}
    assert "$defs" not in json.dumps(document)
