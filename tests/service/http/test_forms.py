import io
import shutil
import tempfile

import numpy as np
import pytest
import soundfile
from ready_client import ready_client

HEARD = "was a long time before he came home to his father"


@pytest.fixture(scope="module")
def speech(pytestconfig):
    return (pytestconfig.rootpath / "examples/sample.flac").read_bytes()


def post(client, parts, **query):
    return client.post("/transcribe", files=parts, params=query)


@pytest.mark.parametrize(
    ("parts", "query", "words"),
    [
        ([("file", b"a"), ("file", b"b")], {}, "got 2"),
        ([("probs", (None, b"true"))], {}, "got 0"),
        ([("audio", b"a")], {}, "'audio'"),
        ([("file", b"a"), ("language", (None, b"en"))], {}, "'language'"),
        ([("file", b"a")], {"prob": "true"}, "'prob'"),
        ([("file", (None, b"a"))], {}, "filename"),
        ([("file", b"a"), ("probs", (None, b"maybe"))], {}, "'maybe'"),
        ([("file", b"a"), ("probs", (None, b"true"))], {"probs": "true"}, "probs: expected one"),
    ],
)
def test_form_that_is_not_as_expected(client, parts, query, words):
    answer = post(client, parts, **query)
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:otoscope:problem:form"
    assert words in answer.json()["detail"]


@pytest.mark.parametrize(
    "request_", [{}, {"json": {"file": "clip.wav"}}, {"data": {"probs": "true"}}]
)
def test_body_without_a_file(client, request_):
    answer = client.post("/transcribe", **request_)
    assert answer.status_code == 422
    assert "multipart/form-data" in answer.json()["detail"]


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=x"])
def test_malformed_multipart_is_the_clients_mistake(client, kind):
    answer = client.post("/transcribe", content=b"nonsense", headers={"Content-Type": kind})
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"


def test_every_wrong_field_is_named_whichever_options_it_belongs_to(client):
    answer = post(client, [("file", b"a")], decoder="best", timestamps="frame", beam_width="0")
    assert answer.status_code == 422
    named = [problem.partition(":")[0] for problem in answer.json()["detail"].split("; ")]
    assert named == ["decoder", "beam_width", "timestamps"]


def test_a_part_named_in_another_alphabet_only_is_a_file(client, speech):
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file"; '
        b"filename*=UTF-8''%E4%BD%A0.flac\r\n\r\n" + speech + b"\r\n--x--\r\n"
    )
    answer = client.post(
        "/transcribe", content=body, headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert (answer.status_code, answer.json()["text"]) == (200, HEARD)


def test_a_part_without_a_name_and_with_a_type_of_sound_is_a_file(client, speech):
    answer = client.post("/transcribe", files={"file": (None, 50 * speech, "audio/flac")})
    assert answer.status_code == 200  # beyond the 1 MiB of a text, too


TYPES = ["audio/flac", "Audio/X-Whatever; rate=1", "video/webm", "application/octet-stream"]


@pytest.mark.parametrize("kind", TYPES)
def test_a_recording_as_the_body(client, speech, kind):
    headers = {"Content-Type": kind}
    answer = client.post("/transcribe", content=speech, headers=headers)
    assert (answer.status_code, answer.json()["text"]) == (200, HEARD)


def test_options_of_a_recording_as_the_body_stand_in_the_query(client, speech):
    headers = {"Content-Type": "audio/flac"}
    query = {"response_format": "text", "timestamps": "word"}
    answer = client.post("/transcribe", content=speech, headers=headers, params=query)
    assert answer.text == f"{HEARD}\n"
    answer = client.post("/align", content=speech, headers=headers, params={"text": HEARD})
    assert answer.json()["text"] == HEARD
    answer = client.post("/probs", content=speech, headers=headers, params={"format": "npy"})
    assert np.load(io.BytesIO(answer.content)).shape == (85, 29)
    answer = client.post("/align", content=speech, headers=headers)
    assert (answer.status_code, answer.json()["detail"]) == (422, "text: Field required")


@pytest.mark.parametrize(("body", "kind"), [(b"", "audio-empty"), (b"RIFF", "audio-unreadable")])
def test_a_body_that_is_no_recording(client, body, kind):
    answer = client.post("/transcribe", content=body, headers={"Content-Type": "audio/wav"})
    assert answer.json()["type"] == f"urn:otoscope:problem:{kind}"


def test_a_large_body_goes_through_a_file(client, speech):
    headers = {"Content-Type": "audio/wav"}
    samples, rate_hz = soundfile.read(io.BytesIO(speech), dtype="int16")
    wav = io.BytesIO()
    soundfile.write(wav, np.tile(samples, 20), rate_hz, format="WAV")
    assert len(wav.getvalue()) > 2**21
    answer = client.post("/transcribe", content=wav.getvalue(), headers=headers)
    assert answer.json()["duration_s"] == pytest.approx(20 * 3.395)


def test_slashes_at_the_end(client, speech):
    answer = client.post("/transcribe/", files={"file": speech}, follow_redirects=False)
    assert answer.status_code == 200
    assert client.get("/v1/models/", follow_redirects=False).status_code == 200
    assert client.get("/v1//models", follow_redirects=False).status_code == 200


@pytest.mark.parametrize("path", ["/transcribe", "/v1/audio/transcriptions", "/align", "/probs"])
def test_no_room_for_a_file_is_told_and_not_unexpected(client, monkeypatch, tmp_path, path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    answer = client.post(path, files={"file": bytes(2**21)}, data={"text": "a"})
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "10"
    assert "temporary directory" in answer.text
    assert "No such file" in answer.text


def test_a_full_temporary_directory_is_told_and_emptied(client, monkeypatch, small_disk, short_wav):
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))
    for _ in range(3):
        answer = client.post("/transcribe", files={"file": bytes(2**23)})
        assert answer.status_code == 503
        assert answer.json()["type"] == "urn:otoscope:problem:uploads-full"
        assert "No space left" in answer.json()["detail"]
    assert shutil.disk_usage(small_disk).used < 2**20
    assert client.post("/transcribe", files={"file": short_wav}).status_code == 200


def test_an_upload_has_its_place_from_its_first_byte(make_settings, short_wav):
    """One that is refused is not received."""
    with ready_client(make_settings(inference_threads=1, queue_size=0)) as client:
        with client.app.state.services.pool.place():
            answer = client.post("/transcribe", files={"file": short_wav})
        assert answer.status_code == 503
        assert answer.json()["type"] == "urn:otoscope:problem:queue-full"
        assert answer.headers["connection"] == "close"
        assert client.post("/transcribe", files={"file": short_wav}).status_code == 200


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("audio.mp3", "audio/mpeg"),
        ("blob", "application/octet-stream"),
        ("a.m4a", "audio/x-m4a"),
        ("a.txt", "text/plain"),
        ("\u4f60.flac", "audio/webm;codecs=opus"),
    ],
)
def test_neither_name_nor_type_says_what_a_file_is(client, speech, name, kind):
    answer = client.post("/transcribe", files={"file": (name, speech, kind)})
    assert (answer.status_code, answer.json()["text"]) == (200, HEARD)


def test_a_file_without_a_type(client, speech):
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        + speech
        + b"\r\n--x--\r\n"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = client.post("/transcribe", content=body, headers=headers)
    assert (answer.status_code, answer.json()["text"]) == (200, HEARD)


def align(client, speech, text, *, own="", whole=""):
    """POST /align with `text`, bytes, and encodings named by its part and the whole form."""
    part = f"Content-Type: text/plain; charset={own}\r\n" if own else ""
    body = (
        b'--x\r\nContent-Disposition: form-data; name="text"\r\n'
        + part.encode()
        + b"\r\n"
        + text
        + b'\r\n--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        + speech
        + b"\r\n--x--\r\n"
    )
    kind = "multipart/form-data; boundary=x" + (f"; charset={whole}" if whole else "")
    return client.post("/align", content=body, headers={"Content-Type": kind})


@pytest.mark.parametrize(
    ("encoding", "own", "whole"),
    [
        *(("utf-8", "", ""), ("utf-8-sig", "", ""), ("utf-16", "", ""), ("utf-16-le", "", "")),
        *(("latin-1", "iso-8859-1", ""), ("cp1252", "", "windows-1252"), ("utf-8", "UTF-8", "")),
        ("utf-8", "utf-8", "latin-1"),
    ],
)
def test_text_in_an_encoding_that_is_told(client, speech, encoding, own, whole):
    text = HEARD.replace("father", "fäther")
    answer = align(client, speech, text.encode(encoding), own=own, whole=whole)
    assert answer.status_code == 200, answer.text
    assert answer.json()["words"][-1]["word"] == "father"


@pytest.mark.parametrize(
    ("text", "own", "words"),
    [
        ("fäther".encode("latin-1"), "", "text: expected text in UTF-8 (or UTF-16 with a byte "),
        (b"father \xff\xfe", "utf-8", "got 0xff at byte 7"),
        (b"father", "hex", "text: expected text in 'hex'"),
        (b"father", "punycode", "text: expected text in 'punycode'"),
        (b"father", "nonsense", "text: expected text in 'nonsense'"),
        (b"father", '"u\0tf"', "text: expected text in 'u\\x00tf'"),
        (b"f\xe4", "ascii", "text: expected text in 'ascii', got other bytes"),
    ],
)
def test_text_in_another_encoding_is_refused(client, speech, text, own, words):
    answer = align(client, speech, text, own=own)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:otoscope:problem:form")
    assert words in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/transcribe", "/align"])
def test_a_query_in_another_encoding_is_refused(client, speech, path):
    answer = client.post(f"{path}?text=f%E4ther&hotwords=f%E4ther", files={"file": speech})
    assert answer.status_code == 422
    assert answer.json()["detail"] == "expected a query of text in UTF-8, got 0xe4"
