"""What a client is told of each mistake: the status and the words, on every route it concerns."""

import io
import struct
import tracemalloc
import zlib
from fractions import Fraction

import av
import numpy as np
import pytest
from audio_files import video_without_audio
from fastapi.testclient import TestClient

from service.app import create_app
from service.store import new_id

RATE_HZ = 16000
ROUTES = {"/transcribe": {}, "/align": {"text": "hello"}, "/probs": {}}
"""Where recordings are sent, and what has to come with them."""
FORMATS = "expected audio (wav, flac, ogg, opus, mp3, m4a, mp4, aac or webm)"


def send(client, route, data, name="clip.wav"):
    return client.post(route, files={"file": (name, data)}, data=ROUTES[route])


def check(answer, status, slug, detail):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["type"] == f"urn:otoscope:problem:{slug}"
    assert problem["detail"] == detail


def with_sample(sounds, value):
    samples = sounds.noise(1)
    samples[100] = value
    return sounds.write(samples, subtype="FLOAT")


def png():
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0\0"))
    return b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IEND", b"")


UNUSABLE = {
    "empty": (lambda _: b"", 422, "audio-empty", "expected an audio file, got 0 bytes"),
    "no samples": (
        lambda s: s.write(np.zeros((0, 1))),
        *(422, "audio-empty", "expected audio, got a stream without samples"),
    ),
    "one sample": (
        lambda s: s.write(np.full((1, 1), 0.5)),
        *(422, "audio-too-short"),
        "expected at least 400 samples at 16000 Hz (25 ms), got 1 (0.1 ms)",
    ),
    "NaN": (
        lambda s: with_sample(s, np.nan),
        *(422, "audio-non-finite", "expected finite samples, got nan, the first at sample 100"),
    ),
    "infinity": (
        lambda s: with_sample(s, -np.inf),
        *(422, "audio-non-finite", "expected finite samples, got -inf, the first at sample 100"),
    ),
    "text": (
        lambda _: b"To be, or not to be.\n" * 50,
        *(415, "audio-unreadable", f"{FORMATS}, got 1050 bytes in no format known here"),
    ),
    "picture": (
        lambda _: png(),
        *(415, "audio-unreadable", f"{FORMATS}, got {len(png())} bytes in no format known here"),
    ),
    "video": (
        lambda _: video_without_audio(),
        *(415, "audio-unreadable"),
        "expected a file with an audio stream, got one with 1 video stream(s) and no audio",
    ),
    "four bytes of a wav": (
        lambda s: s.write(s.noise(1))[:4],
        *(415, "audio-unreadable", f"{FORMATS}, got 4 bytes in no format known here"),
    ),
    "an m4a without its index": (
        lambda s: s.m4a(s.noise(1, channels=2), RATE_HZ)[:3000],
        *(415, "audio-unreadable"),
        f"{FORMATS}, got 3000 bytes of an mp4 or m4a whose index (moov) is missing or incomplete",
    ),
}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("case", UNUSABLE)
def test_audio_that_cannot_be_used(client, sounds, route, case):
    make, status, slug, detail = UNUSABLE[case]
    check(send(client, route, make(sounds)), status, slug, detail)


def claims_4_gb(sounds):
    """A second of wav whose header claims as much as 32 bits can say."""
    data = bytearray(sounds.write(sounds.noise(1)))
    assert (data[:4], data[36:40]) == (b"RIFF", b"data")
    data[4:8], data[40:44] = struct.pack("<I", 2**32 - 1), struct.pack("<I", 2**32 - 16)
    return bytes(data)


USABLE = {
    "silence": (lambda s: s.write(np.zeros((2 * RATE_HZ, 1))), 2.0, ""),
    "8 bits": (lambda s: s.write(s.noise(1), subtype="PCM_U8"), 1.0, ""),
    "192 kHz": (lambda s: s.write(s.noise(1, 192000), 192000), 1.0, ""),
    "200 channels": (lambda s: s.write(s.noise(1, channels=200)), 1.0, ""),
    "cut short": (
        lambda s: s.write(s.noise(4))[: 44 + 2 * RATE_HZ],
        *(1.0, "the file is truncated or damaged: 1.00 s could be decoded"),
    ),
    "a header that claims 4 GB": (
        claims_4_gb,
        *(1.0, "the file is truncated or damaged: 1.00 s could be decoded"),
    ),
}


@pytest.mark.parametrize("case", USABLE)
def test_odd_audio_is_no_mistake(client, sounds, case):
    make, duration_s, warning = USABLE[case]
    data = make(sounds)
    answer = send(client, "/transcribe", data)
    assert answer.status_code == 200, answer.text
    assert answer.json()["duration_s"] == duration_s
    warnings = [warning] if warning else []
    assert answer.json()["warnings"] == warnings
    matrix = send(client, "/probs", data).json()
    assert matrix["warnings"] == warnings
    assert matrix["shape"][0] * matrix["frame_s"] == pytest.approx(duration_s, abs=0.04)


def test_silence_is_a_valid_answer_without_text(client, sounds):
    body = send(client, "/transcribe", USABLE["silence"][0](sounds)).json()
    assert (body["text"], body["words"], body["confidence"]) == ("", [], None)


def hours_of_silence(hours):
    """An Opus file of packets that hold six times 20 ms of nothing (RFC 6716, section 3.2.5)."""
    nothing = bytes([31 << 3 | 3, 6])
    file = io.BytesIO()
    options = {"page_duration": "30000000"}  # microseconds
    with av.open(file, "w", format="ogg", options=options) as container:
        stream = container.add_stream("libopus", rate=48000, layout="mono")
        for number in range(round(hours * 3600 / 0.12)):
            packet = av.Packet(nothing)
            packet.stream, packet.time_base = stream, Fraction(1, 48000)
            packet.pts = packet.dts = 5760 * number
            packet.duration = 5760
            container.mux(packet)
    return file.getvalue()


@pytest.mark.parametrize("route", ROUTES)
def test_hours_in_a_small_file_stop_at_the_limit_in_little_memory(make_settings, route):
    data = hours_of_silence(hours=5)
    assert len(data) < 500_000
    with TestClient(create_app(make_settings(max_duration_s=50.0))) as client:
        tracemalloc.start()
        try:
            answer = send(client, route, data, "clip.opus")
            _, peak_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    check(answer, 413, "audio-too-long", "expected at most 50 s of audio, got more")
    assert peak_bytes < 5 * 3600 * RATE_HZ * 4 / 10, "a tenth of what all samples would take"


FIELDS = {
    "/transcribe": "file, decoder, language_model, beam_width, lm_weight, word_bonus, n_best, "
    "hotwords, phrases, response_format, timestamps, probs",
    "/align": "file, text, response_format",
}


@pytest.mark.parametrize("route", FIELDS)
@pytest.mark.parametrize("place", ["data", "params"])
def test_a_field_that_nobody_knows(client, short_wav, route, place):
    fields = {"data": dict(ROUTES[route]), "params": {}}
    fields[place]["language"] = "en"
    answer = client.post(route, files={"file": short_wav}, **fields)
    check(answer, 422, "form", f"expected the fields {FIELDS[route]}, got 'language'")


def test_a_field_of_probs_that_nobody_knows(client, short_wav):
    for method, query in (("POST", {}), ("GET", {"id": new_id()})):
        files = {"file": short_wav} if method == "POST" else None
        answer = client.request(method, "/probs", params={**query, "language": "en"}, files=files)
        assert answer.status_code == 422
        assert answer.json()["detail"] == (
            "query.language: Extra inputs are not permitted, got 'en'"
        )
    answer = client.post("/probs", files={"file": short_wav}, data={"language": "en"})
    detail = "expected the field file alone, got 'language': options go in the query"
    check(answer, 422, "form", detail)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    ("files", "detail"),
    [
        (
            [("file", b"a"), ("file", b"b")],
            "expected one file in the field 'file' of multipart/form-data, got 2 "
            "(Content-Type: multipart/form-data)",
        ),
        (
            [("file", (None, b"a"))],
            "file: expected a file, got text (its part needs a filename)",
        ),
    ],
)
def test_two_files_and_a_file_that_is_none(client, route, files, detail):
    check(client.post(route, files=files, data=ROUTES[route]), 422, "form", detail)


@pytest.mark.parametrize("route", ROUTES)
def test_a_missing_file(client, route):
    answer = client.post(route, data=ROUTES[route])
    kind = "application/x-www-form-urlencoded" if ROUTES[route] else "none"
    detail = (
        "expected one file in the field 'file' of multipart/form-data, got 0 "
        f"(Content-Type: {kind})"
    )
    check(answer, 422, "form", detail)


def test_a_body_of_another_type(client, short_wav):
    headers = {"Content-Type": "audio/wav"}
    answer = client.post("/transcribe", content=short_wav, headers=headers)
    detail = (
        "expected one file in the field 'file' of multipart/form-data, got 0 "
        "(Content-Type: audio/wav)"
    )
    check(answer, 422, "form", detail)


def ask_for(client, result_id):
    """All that can be asked of a result."""
    path, query = f"/transcriptions/{result_id}", {"id": result_id}
    yield client.get(path)
    yield client.get("/probs", params=query)
    yield client.get("/features", params=query)
    yield client.delete(path)


def test_an_id_that_never_was(client):
    result_id = new_id()
    for answer in ask_for(client, result_id):
        detail = f"expected the id of a transcription, got {result_id}"
        check(answer, 404, "result-unknown", detail)


def test_an_id_that_has_expired(make_settings, short_wav):
    with TestClient(create_app(make_settings(result_ttl_s=1e-6))) as client:
        result_id = send(client, "/transcribe", short_wav).json()["id"]
        answers = list(ask_for(client, result_id))
    detail = (
        f"{result_id} is no longer kept: results are kept for 1e-06 s, in 1073741824 bytes, "
        "unless they are deleted"
    )
    for answer in answers:
        check(answer, 410, "result-expired", detail)


@pytest.mark.parametrize("wrong", ["x", "0" * 31, "0" * 33, "G" * 32])
def test_an_id_that_is_none(client, wrong):
    for answer, place in zip(
        ask_for(client, wrong), ("path", "query", "query", "path"), strict=True
    ):
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"] == (
            f"{place}.id: String should match pattern '^[0-9a-f]{{32}}$', got {wrong!r}"
        )
