"""stream=true under /v1, read by OpenAI's own client from a real server."""

import httpx
import numpy as np
import openai
import pytest
from sentence_model import HEARD, SAMPLE

from otoscope import load

SENTENCE = f"W{HEARD[1:]}."


@pytest.fixture(scope="module")
def address(serve_from, tmp_path_factory, written_model):
    variables = {
        "OTOSCOPE_MODEL_PATH": str(written_model),
        "OTOSCOPE_MAX_DURATION_S": "420",
    }
    with serve_from(tmp_path_factory.mktemp("events"), **variables) as address:
        yield address


@pytest.fixture(scope="module")
def ai(address):
    with openai.OpenAI(base_url=f"{address}/v1", api_key="any", max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def speech(sounds):
    """`speech(times)`: the sample so many times, with a second after each."""
    period = np.pad(load(SAMPLE, 16_000).samples, (0, 16_000))

    def repeated(times):
        return ("speech.flac", sounds.write(np.tile(period, times), file_format="FLAC"))

    return repeated


@pytest.mark.parametrize("response_format", ["json", "text"])
def test_deltas_are_the_text(ai, speech, response_format):
    with ai.audio.transcriptions.create(
        file=speech(34), model="whisper-1", response_format=response_format, stream=True
    ) as stream:
        events = list(stream)
    *deltas, done = events
    assert {type(each) for each in deltas} == {openai.types.audio.TranscriptionTextDeltaEvent}
    assert {each.type for each in deltas} == {"transcript.text.delta"}
    assert isinstance(done, openai.types.audio.TranscriptionTextDoneEvent)
    assert len(deltas) > 3
    assert "".join(each.delta for each in deltas) == done.text
    assert done.text.startswith(SENTENCE)
    assert done.logprobs is deltas[0].logprobs is None


def test_a_short_recording_with_logprobs(ai, speech):
    whole = ai.audio.transcriptions.create(file=speech(2), model="whisper-1", include=["logprobs"])
    with ai.audio.transcriptions.create(
        file=speech(2), model="whisper-1", include=["logprobs"], stream=True
    ) as stream:
        delta, done = stream
    assert delta.delta == done.text == whole.text
    expected = [(each.token, each.logprob) for each in whole.logprobs]
    for event in (delta, done):
        assert [(each.token, each.logprob) for each in event.logprobs] == expected


def test_errors_before_the_first_event_are_answers(ai, speech):
    with pytest.raises(openai.BadRequestError) as unreadable:
        ai.audio.transcriptions.create(file=b"no audio", model="whisper-1", stream=True)
    assert unreadable.value.param == "file"
    with pytest.raises(openai.BadRequestError) as refused:
        ai.audio.transcriptions.create(
            file=speech(1), model="whisper-1", response_format="srt", stream=True
        )
    assert (refused.value.status_code, refused.value.param) == (400, "stream")


def test_an_error_behind_the_first_event_reaches_the_client(ai, sounds, speech):
    samples = np.tile(np.pad(load(SAMPLE, 16_000).samples, (0, 16_000)), 100)
    data = sounds.aac(samples[:, None], 16_000)
    stream = ai.audio.transcriptions.create(file=data, model="whisper-1", stream=True)
    assert next(stream).type == "transcript.text.delta"
    with pytest.raises(openai.APIError, match="at most 420 s") as failed:
        list(stream)
    assert failed.value.code == "audio_too_long"


def test_what_has_no_effect_and_what_was_odd(ai, address, speech):
    name, data = speech(1)
    form = {"model": "whisper-1", "stream": "true", "temperature": "0.5"}
    files = {"file": (name, data[:-2000])}
    answer = httpx.post(f"{address}/v1/audio/transcriptions", data=form, files=files, timeout=60)
    assert "temperature" in answer.headers["otoscope-warnings"]
    lines = answer.text.split("\n\n")
    assert lines[-1] == ""
    assert lines[-2].startswith('data: {"type":"transcript.text.done"')
    assert "truncated" in lines[-2]
