"""Written text in the answers of every route that transcribes, by a model of pauses."""

import base64
import json
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from openai import OpenAI
from pause_punctuator import SPEC

from otoscope import load
from otoscope.written.punctuator import Punctuator
from service.app import create_app
from service.http.responses import WARNINGS_HEADER
from service.settings import Settings

SAMPLE = Path(__file__).resolve().parents[3] / "examples" / "sample.flac"
HEARD = "was a long time before he came home to his father"
SENTENCE = f"W{HEARD[1:]}."
WRITTEN = f"{SENTENCE} {SENTENCE} {SENTENCE[:-1]}"
"""Nothing is known of the pause after the last word, and there is no mark."""


def client_of(model_path, folder):
    store_path = folder / "results.sqlite3"
    settings = Settings(store_path=store_path, model_path=model_path, search_processes=0)
    return TestClient(create_app(settings))


@pytest.fixture(scope="module")
def client(tmp_path_factory, written_model):
    with client_of(written_model, tmp_path_factory.mktemp("written")) as client:
        yield client


@pytest.fixture(scope="module")
def speech(sounds):
    """The sample three times, with a second after each."""
    samples = np.pad(load(SAMPLE, 16000).samples, (0, 16000))
    return sounds.write(np.tile(samples, 3), file_format="FLAC")


def post(client, data, path="/transcribe", **form):
    response = client.post(path, files={"file": data}, data=form)
    assert response.status_code == 200, response.text
    return response


def test_json_has_what_was_heard_and_what_is_written(client, speech):
    body = post(client, speech).json()
    words, tokens = body["words"], body["written_tokens"]
    assert body["text"] == " ".join(word["word"] for word in words) == " ".join([HEARD] * 3)
    assert body["written"] == " ".join(token["text"] for token in tokens) == WRITTEN
    places = [p for token in tokens for p in range(token["start_word"], token["end_word"])]
    assert places == list(range(len(words)))
    assert {p: token["mark"] for p, token in enumerate(tokens) if token["mark"]} == {
        10: ".",
        21: ".",
    }
    assert body["hypotheses"][0]["text"] == body["text"]
    assert body["warnings"] == []


def test_verbatim_json_has_nothing_written(client, speech):
    body = post(client, speech, style="verbatim").json()
    assert (body["written"], body["written_tokens"]) == (None, [])
    assert body["text"] == " ".join([HEARD] * 3)


def test_without_times_there_are_no_tokens(client, speech):
    body = post(client, speech, timestamps="none").json()
    assert (body["written"], body["written_tokens"], body["words"]) == (WRITTEN, [], [])


@pytest.mark.parametrize("path", ["/transcribe", "/v1/audio/transcriptions"])
@pytest.mark.parametrize("style", [{}, {"style": "written"}, {"style": "verbatim"}])
def test_people_read_written_text(client, speech, path, style):
    expected = " ".join([HEARD] * 3) if style.get("style") == "verbatim" else WRITTEN
    form = {**style, **({"model": "english"} if path.startswith("/v1") else {})}
    assert post(client, speech, path, response_format="text", **form).text == f"{expected}\n"
    for subtitles in ("srt", "vtt"):
        lines = post(client, speech, path, response_format=subtitles, **form).text.split("\n")
        shown = [line for line in lines if "-->" not in line and not line.isdecimal()]
        assert " ".join(" ".join(shown).replace("WEBVTT", "").split()) == expected


def test_segments_are_the_subtitles_of_the_style(client, speech):
    written = post(client, speech, response_format="verbose_json").json()["segments"]
    assert [each["text"] for each in written] == [SENTENCE, SENTENCE, SENTENCE[:-1]]
    plain = post(client, speech, response_format="verbose_json", style="verbatim").json()
    assert [each["text"] for each in plain["segments"]] == [HEARD] * 3


@pytest.mark.parametrize("response_format", ["textgrid", "csv"])
def test_files_of_words_have_them_as_heard(client, speech, response_format):
    asked = [
        post(client, speech, response_format=response_format, **style).text
        for style in ({}, {"style": "written"}, {"style": "verbatim"})
    ]
    assert asked[0] == asked[1] == asked[2]
    assert "Was" not in asked[0]


def test_what_is_kept_is_written_and_may_be_read_in_another_style(client, speech):
    body = post(client, speech).json()
    place = f"/transcriptions/{body['id']}"
    assert client.get(place).json() == body
    assert client.get(f"{place}/reading").json()["written"] == WRITTEN
    query = {"response_format": "text"}
    assert client.get(f"{place}/reading", params=query).text == f"{WRITTEN}\n"
    query["style"] = "verbatim"
    assert client.get(f"{place}/reading", params=query).text == f"{body['text']}\n"


def test_each_channel_is_written_by_itself(client, sounds):
    samples = load(SAMPLE, 16000).samples
    data = sounds.write(np.stack([samples, np.zeros_like(samples)], axis=1), file_format="FLAC")
    body = post(client, data, channels="separate").json()
    assert (body["written"], body["written_tokens"]) == (None, [])
    first, second = body["channels"]
    assert (first["written"], second["written"]) == (SENTENCE[:-1], "")
    assert first["written_tokens"][0] == {"text": "Was", "mark": "", "start_word": 0, "end_word": 1}
    assert second["written_tokens"] == []


def test_phrases_of_a_list_stay_as_they_were_given(client, speech):
    form = {"phrases": "yes, no", "response_format": "text"}
    assert post(client, speech, **form).text in ("yes\n", "no\n")
    asked = post(client, speech, phrases="yes, no", style="written").json()
    assert asked["written"] is None
    assert "closed list" in asked["warnings"][0]


def test_silence(client, sounds):
    body = post(client, sounds.write(np.zeros(16000))).json()
    assert (body["text"], body["written"], body["written_tokens"]) == ("", "", [])


def test_openais_verbose_json_has_sentences(client, speech):
    form = {"model": "english", "response_format": "verbose_json"}
    body = post(
        client,
        speech,
        "/v1/audio/transcriptions",
        **form,
        **{"timestamp_granularities[]": ["segment", "word"]},
    ).json()
    assert body["text"] == WRITTEN
    assert [segment["text"].strip() for segment in body["segments"]] == [
        *(SENTENCE, SENTENCE, SENTENCE[:-1])
    ]
    assert " ".join(word["word"] for word in body["words"]) == WRITTEN
    for segment in body["segments"]:
        inside = [w for w in body["words"] if segment["start"] <= w["start"] < segment["end"]]
        assert (inside[0]["start"], inside[-1]["end"]) == (segment["start"], segment["end"])


def test_openais_client_asks_for_a_style(client, speech):
    asked = OpenAI(base_url="http://testserver/v1", api_key="any", http_client=client)
    for style, expected in (("written", WRITTEN), ("verbatim", " ".join([HEARD] * 3))):
        answer = asked.audio.transcriptions.create(
            model="english", file=speech, extra_body={"style": style}
        )
        assert answer.text == expected


@pytest.mark.parametrize(
    ("query", "written"),
    [("", SENTENCE[:-1]), ("style=written", SENTENCE[:-1]), ("style=verbatim", None)],
)
def test_live_utterances_are_written_once_they_have_ended(client, query, written):
    data = np.rint(32767 * load(SAMPLE, 16000).samples).astype("<i2").tobytes()
    with client.websocket_connect(f"/stream?{query}") as socket:
        for at in range(0, len(data), 16000):
            socket.send_bytes(data[at : at + 16000])
        socket.send_json({"type": "end"})
        while (message := socket.receive_json())["type"] != "final":
            assert "written" not in message
    assert (message["text"], message["written"]) == (HEARD, written)
    assert " ".join(token["text"] for token in message["written_tokens"]) == (written or "")
    transcripts = []
    with client.websocket_connect(f"/v1/realtime?{query}") as socket:
        audio = {"input": {"format": {"type": "audio/pcm", "rate": 16000}, "turn_detection": None}}
        socket.send_json(
            {"type": "session.update", "session": {"type": "transcription", "audio": audio}}
        )
        append = {"type": "input_audio_buffer.append", "audio": base64.b64encode(data).decode()}
        socket.send_json(append)
        socket.send_json({"type": "input_audio_buffer.commit"})
        while not transcripts:
            message = socket.receive_json()
            transcripts += [message["transcript"]] if message["type"].endswith("completed") else []
    assert transcripts == [written or HEARD]


def test_an_unknown_style_is_refused(client, speech):
    for path in ("/stream", "/v1/realtime"):
        with client.websocket_connect(f"{path}?style=fancy") as socket:
            assert "style: " in json.dumps(socket.receive_json())
    response = client.post("/transcribe", files={"file": speech}, data={"style": "fancy"})
    assert response.status_code == 422
    assert response.json()["detail"] == (
        "style: Input should be 'written' or 'verbatim', got 'fancy'"
    )
    form = {"model": "english", "style": "fancy"}
    response = client.post("/v1/audio/transcriptions", files={"file": speech}, data=form)
    assert (response.status_code, response.json()["error"]["param"]) == (400, "style")


def test_the_model_and_the_metrics_know_of_it(client, speech, written_model):
    sha256 = Punctuator(written_model.with_name("punctuation.onnx")).sha256
    assert client.get("/model").json()["punctuation"] == {"name": SPEC.name, "sha256": sha256}
    post(client, speech)
    assert 'otoscope_stage_duration_seconds_count{stage="written"}' in client.get("/metrics").text


def test_without_a_punctuation_model_all_is_as_heard(tmp_path, sentence_model):
    with client_of(sentence_model, tmp_path) as plain:
        data = SAMPLE.read_bytes()
        assert plain.get("/model").json()["punctuation"] is None
        body = post(plain, data).json()
        assert (body["written"], body["written_tokens"], body["warnings"]) == (None, [], [])
        [warning] = post(plain, data, style="written").json()["warnings"]
        assert "no punctuation.onnx" in warning
        for path, form in (("/transcribe", {}), ("/v1/audio/transcriptions", {"model": "english"})):
            silent = post(plain, data, path, response_format="text", **form)
            assert (silent.text, WARNINGS_HEADER in silent.headers) == (f"{HEARD}\n", False)
            told = post(plain, data, path, response_format="text", style="written", **form)
            assert (told.text, json.loads(told.headers[WARNINGS_HEADER])) == (
                silent.text,
                [warning],
            )
        asked = post(plain, data, style="written").json()
        query = {"style": "written"}
        again = plain.get(f"/transcriptions/{asked['id']}/reading", params=query).json()
        assert again["warnings"] == [warning]
