"""Several models in one service: a request says which one it means."""

from dataclasses import replace

import openai
import pytest
from fastapi.testclient import TestClient
from ready_client import ready_client
from sentence_model import HEARD, SAMPLE, SPEC, write_sentence_model

from service.app import create_app
from service.errors import StartError


@pytest.fixture(scope="module")
def german_model(tmp_path_factory):
    """The same network under another name, without a language model."""
    spec = replace(SPEC, name="german", language="de")
    path = write_sentence_model(tmp_path_factory.mktemp("german"), spec)
    path.with_name("lm.npz").unlink()
    return path


@pytest.fixture
def both(make_settings, german_model):
    with ready_client(make_settings(models=(german_model,))) as client:
        yield client


def send(client, route, **fields):
    with SAMPLE.open("rb") as file:
        return client.post(route, files={"file": file}, data=fields)


def test_a_request_chooses_and_its_result_stays_with_its_model(both):
    names = [each["name"] for each in both.get("/model").json()["served"]]
    assert names == ["english", "german"]
    assert both.get("/model", params={"model": "german"}).json()["spec"]["language"] == "de"
    first = send(both, "/transcribe").json()
    assert (first["model"]["name"], first["decoder"]) == ("english", "beam + LM")
    assert first["text"] == HEARD
    other = send(both, "/transcribe", model="german").json()
    assert (other["model"]["name"], other["decoder"]) == ("german", "greedy")
    for answer in (first, other):
        again = both.get(f"/transcriptions/{answer['id']}/reading").json()
        assert (again["model"], again["text"]) == (answer["model"], answer["text"])
        assert both.get("/probs", params={"id": answer["id"], "top_k": 1}).status_code == 200


def test_every_way_in_knows_the_models(both, german_model):
    aligned = send(both, "/align", model="german", text="his father").json()
    assert aligned["model"]["name"] == "german"
    with SAMPLE.open("rb") as file:
        probs = both.post("/probs", params={"model": "german"}, files={"file": file})
    assert probs.status_code == 200
    with both.websocket_connect("/stream?model=german") as socket:
        greeting = socket.receive_json()
        assert (greeting["type"], greeting["model"]["name"]) == ("ready", "german")
        socket.send_json({"type": "end"})


def test_names_that_are_not_served_are_refused(both):
    for route in ("/transcribe", "/align"):
        refused = send(both, route, model="french", **({"text": "a"} if route == "/align" else {}))
        assert refused.status_code == 422
        assert "model: expected 'english' or 'german', got 'french'" in refused.json()["detail"]
    assert both.get("/model", params={"model": "french"}).status_code == 422
    with both.websocket_connect("/stream?model=french") as socket:
        assert socket.receive_json()["status"] == 422


def test_openai_clients_choose_by_name_or_language(both):
    client = openai.OpenAI(base_url="http://testserver/v1", api_key="none", http_client=both)
    assert [each.id for each in client.models.list()] == ["english", "german"]
    assert client.models.retrieve("german").id == "german"

    def language(**chosen):
        with SAMPLE.open("rb") as file:
            answer = client.audio.transcriptions.create(
                file=file, response_format="verbose_json", **chosen
            )
        return answer.language

    assert language(model="german") == "german"
    assert language(model="whisper-1") == "english"
    assert language(model="whisper-1", language="de") == "german"
    with pytest.raises(openai.BadRequestError, match="language: expected 'de'"):
        language(model="german", language="en")


def test_a_name_that_another_has_gives_way_to_the_folder(make_settings, tmp_path):
    again = tmp_path / "english-again"
    again.mkdir()
    path = write_sentence_model(again, replace(SPEC, language="de"))
    with TestClient(create_app(make_settings(models=(path,)))) as client:
        facts = client.get("/model", params={"model": "english-again"}).json()
        assert [each["name"] for each in facts["served"]] == ["english", "english-again"]
        assert (facts["name"], facts["spec"]["language"]) == ("english-again", "de")


def test_two_of_one_name_are_refused(make_settings, sentence_model):
    with (
        pytest.raises(StartError, match="OTOSCOPE_MODELS: expected models of different names"),
        TestClient(create_app(make_settings(models=(sentence_model,)))),
    ):
        pass
