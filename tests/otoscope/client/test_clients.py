"""Both clients against a real service."""

import io

import httpx
import numpy as np
import pytest

from otoscope import ARPABET, ENGLISH, Recognizer, align, load, longform
from otoscope.client import (
    AddressError,
    AsyncClient,
    Client,
    ProblemError,
    UnexpectedAnswerError,
    UnreachableError,
)
from otoscope.errors import OptionsError

TEXT = "it was a long time before he came home to his father"


@pytest.fixture(scope="module")
def recognition(sentence_model, sample):
    """What the library recognizes."""
    samples = load(sample, 16000).samples
    return longform.recognize(Recognizer(sentence_model), [samples], keep_features=True)


class OneWay(io.RawIOBase):
    """A file that can't be rewound, as a pipe."""

    def __init__(self, data):
        self._file = io.BytesIO(data)

    def readable(self):
        return True

    def readinto(self, buffer):
        return self._file.readinto(buffer)


@pytest.mark.parametrize("kind", ["path", "name", "bytes", "file", "pipe"])
def test_a_recording_in_any_form(ask, sample, kind):
    data = sample.read_bytes()
    advanced = io.BytesIO(data)
    advanced.seek(1000)
    forms = {
        "path": sample,
        "name": str(sample),
        "bytes": data,
        "file": advanced,
        "pipe": OneWay(data),
    }
    answer = ask(lambda client: client.transcribe(forms[kind]))
    assert answer.decoder == "beam + LM"
    assert answer.text == " ".join(word.word for word in answer.words) != ""
    assert answer.duration_s == 3.395


def test_options_are_sent(ask, sample):
    greedy = ask(lambda client: client.transcribe(sample, decoder="greedy", probs=True))
    assert (greedy.decoder, greedy.hypotheses) == ("greedy", [])
    assert greedy.probs.shape == (85, 29)
    several = ask(lambda client: client.transcribe(sample, n_best=3, beam_width=50, word_bonus=1.0))
    assert len(several.hypotheses) == 3
    hot = ask(lambda client: client.transcribe(sample, hotwords={"fathur": 30.0, "new york": 5.0}))
    assert "fathur" in hot.text
    closed = ask(lambda client: client.transcribe(sample, phrases=["good morning", TEXT]))
    assert (closed.decoder, closed.text) == ("phrases", TEXT)
    assert {one.phrase for one in closed.phrases} == {"good morning", TEXT}


def test_a_style_is_asked_for(ask, sample):
    for style, warnings in (("written", 1), ("verbatim", 0), (None, 0)):
        answer = ask(lambda client: client.transcribe(sample, style=style))  # noqa: B023 - at once
        assert (answer.written, len(answer.written_tokens)) == (None, 0)
        assert len(answer.warnings) == warnings, style


def test_list_items_with_commas_are_refused(ask, sample):
    with pytest.raises(OptionsError, match=r"phrases: .*'yes, sir'"):
        ask(lambda client: client.transcribe(sample, phrases=["yes, sir", "no"]))


def test_an_alignment(ask, sample, recognition):
    answer = ask(lambda client: client.align(sample, TEXT))
    expected = align(recognition.posteriors, TEXT)
    assert answer.text == TEXT
    assert [word.start_frame for word in answer.words] == [w.start_frame for w in expected.words]


def test_a_result_is_fetched_and_deleted(ask, sample, recognition):
    answer = ask(lambda client: client.transcribe(sample))
    assert ask(lambda client: client.transcription(answer.id)) == answer
    probs = ask(lambda client: client.probs(answer.id))
    np.testing.assert_allclose(probs.probs, recognition.posteriors.probs, atol=1e-4)
    assert probs.symbols == ENGLISH.class_names
    assert (probs.frame_s, probs.start_s, probs.unit) == (0.04, 0.0, "character")
    features = ask(lambda client: client.features(answer.id))
    assert features.spec == recognition.features.spec
    np.testing.assert_allclose(features.values, recognition.features.values, atol=1e-4)
    assert ask(lambda client: client.delete(answer.id)) is None
    with pytest.raises(ProblemError, match="no longer kept") as caught:
        ask(lambda client: client.transcription(answer.id))
    assert caught.value.status == 410
    assert caught.value.title == "The result is no longer kept"


def test_a_part_of_the_posteriors_of_a_file(ask, sample, recognition):
    probs = ask(lambda client: client.probs_of_file(sample, unit="phoneme", from_s=1.0, to_s=2.0))
    expected = recognition.posteriors.phonemes.probs[25:50]
    np.testing.assert_allclose(probs.probs, expected, atol=1e-4)
    assert probs.symbols == ARPABET.class_names
    np.testing.assert_allclose(probs.centers_s, np.arange(25, 50) * 0.04)


def test_a_part_of_the_posteriors_of_a_result(ask, sample):
    answer = ask(lambda client: client.transcribe(sample))
    whole = ask(lambda client: client.probs(answer.id, unit="phoneme"))
    part = ask(lambda client: client.probs(answer.id, unit="phoneme", from_s=1.0))
    np.testing.assert_array_equal(part.probs, whole.probs[25:])
    assert (part.start_s, part.symbols) == (1.0, ARPABET.class_names)


@pytest.mark.parametrize(
    ("form", "start"), [("json", b"{"), ("csv", b"time_s,a,"), ("png", b"\x89PNG")]
)
def test_posteriors_as_files(ask, sample, form, start):
    assert ask(lambda client: client.write_probs(sample, form)).body.startswith(start)


def test_warnings_about_a_file_are_not_lost(ask, sample):
    cut = sample.read_bytes()[:-5000]
    assert "truncated" in ask(lambda client: client.transcribe(cut)).warnings[0]
    assert "truncated" in ask(lambda client: client.probs_of_file(cut)).warnings[0]
    assert "truncated" in ask(lambda client: client.write_probs(cut, "csv")).warnings[0]


def test_model_and_health(ask, sentence_model):
    model = ask(lambda client: client.model())
    assert (model.name, model.spec.alphabet) == ("english", ENGLISH)
    health = ask(lambda client: client.health())
    assert (health.status, health.model.sha256) == ("ready", model.sha256)


@pytest.mark.parametrize(
    ("do", "status", "words"),
    [
        (lambda client: client.transcribe(b""), 422, "0 bytes"),
        (lambda client: client.transcribe(b"no audio at all"), 415, "15 bytes"),
        (lambda client: client.transcribe(b"x", n_best=0), 422, "n_best"),
        (lambda client: client.align(b"x", ""), 415, "expected audio"),
        (lambda client: client.probs("0" * 32), 404, "0000"),
        (lambda client: client.probs("short"), 422, "id"),
    ],
)
def test_problems(ask, do, status, words):
    with pytest.raises(ProblemError) as caught:
        ask(do)
    assert caught.value.status == status
    assert words in caught.value.detail
    assert caught.value.detail in str(caught.value)


@pytest.mark.parametrize("key", [None, "sardine"])
def test_a_key_is_needed(ask, key):
    with pytest.raises(ProblemError, match="expected an API key") as caught:
        ask(lambda client: client.model(), api_key=key)
    assert caught.value.status == 401


def test_a_missing_file(ask, tmp_path):
    with pytest.raises(FileNotFoundError):
        ask(lambda client: client.transcribe(tmp_path / "none.wav"))


@pytest.mark.parametrize("make", [Client, AsyncClient])
@pytest.mark.parametrize("address", ["127.0.0.1:8000", "localhost", "ftp://here", "http://", ""])
def test_malformed_addresses(make, address):
    with pytest.raises(AddressError, match="expected http"):
        make(address)


@pytest.mark.parametrize("key", ["", "two words", "schlüssel", "a\nb"])
def test_malformed_keys_are_not_repeated(key):
    with pytest.raises(AddressError, match="visible ASCII") as caught:
        Client("http://any", api_key=key)
    assert not key or key not in str(caught.value)


def test_no_answer(talk):
    def refuse(request):
        raise httpx.ReadError("connection reset")

    with pytest.raises(UnreachableError, match="GET /model: connection reset"):
        talk("http://any", lambda client: client.model(), transport=httpx.MockTransport(refuse))


@pytest.mark.parametrize(
    "response",
    [
        {"status_code": 200, "text": "<html>It works!</html>"},
        {"status_code": 302, "headers": {"Location": "http://elsewhere"}},
    ],
)
def test_unexpected_answers(talk, response):
    transport = httpx.MockTransport(lambda _: httpx.Response(**response))
    with pytest.raises(UnexpectedAnswerError, match="expected"):
        talk("http://any", lambda client: client.model(), transport=transport)


@pytest.mark.parametrize("headers", [{}, {"Otoscope-Frame-S": "soon"}])
@pytest.mark.parametrize("content", [b"", b"\x93NUMPY, nearly"])
def test_malformed_matrices(talk, headers, content):
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=content, headers=headers))
    with pytest.raises(UnexpectedAnswerError):
        talk("http://any", lambda client: client.features("0" * 32), transport=transport)
    with pytest.raises(UnexpectedAnswerError):
        talk("http://any", lambda client: client.probs("0" * 32), transport=transport)


def test_the_text_of_a_proxy_is_passed_on(talk):
    transport = httpx.MockTransport(lambda _: httpx.Response(502, text="<h1>Bad\nGateway</h1>"))
    with pytest.raises(ProblemError) as caught:
        talk("http://any", lambda client: client.model(), transport=transport)
    assert (caught.value.status, caught.value.title) == (502, "Bad Gateway")
    assert caught.value.detail == "<h1>Bad Gateway</h1>"


def test_an_id_can_not_be_another_path(talk):
    with pytest.raises(AddressError, match="id"):
        talk("http://any", lambda client: client.delete("../model"))


def test_a_path_in_the_address_is_kept(talk):
    asked = []

    def answer(request):
        asked.append(str(request.url))
        return httpx.Response(204)

    transport = httpx.MockTransport(answer)
    talk("http://any/speech/", lambda client: client.delete("a1"), transport=transport)
    assert asked == ["http://any/speech/transcriptions/a1"]
