import json
import sqlite3
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from praatio import textgrid as praat

from otoscope import FeatureMatrix, load
from otoscope import align as align_text
from otoscope.formats import srt, textgrid, vtt
from otoscope.plots.figure import to_png
from otoscope.plots.posteriorgram import draw_posteriorgram
from service.app import create_app

SAMPLE = Path(__file__).resolve().parents[3] / "examples/sample.flac"
SAID = "it was a long time before he came home to his father"


def align(client, text=SAID, data=None, **form):
    file = ("clip", SAMPLE.read_bytes() if data is None else data)
    return client.post("/align", files={"file": file}, data={"text": text, **form})


@pytest.fixture(scope="module")
def sample(recognizer):
    """The sample's posteriors and its text aligned by the library."""
    waveform = load(SAMPLE, recognizer.spec.features.sample_rate_hz)
    [posteriors] = recognizer.posteriors([waveform.samples])
    return posteriors, align_text(posteriors, SAID)


def test_every_character_has_its_frames(client, sample, recognizer):
    answer = align(client, SAID.upper() + ".")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) == {
        *("text", "duration_s", "frame_s", "frames", "log_prob", "words", "model", "warnings")
    }
    assert body["text"] == SAID
    assert (body["duration_s"], body["frames"]) == (3.395, len(sample[0].log_probs))
    assert body["frame_s"] == pytest.approx(recognizer.spec.frame_s)
    assert body["model"] == {"name": recognizer.spec.name, "sha256": recognizer.sha256}
    assert body["warnings"] == []
    for word, expected in zip(body["words"], sample[1].words, strict=True):
        spelled = word.pop("characters")
        assert word == {
            "word": expected.word,
            "start_s": pytest.approx(expected.start_s, abs=5e-4),
            "end_s": pytest.approx(expected.end_s, abs=5e-4),
            "confidence": pytest.approx(expected.confidence, abs=5e-4),
            "start_frame": expected.start_frame,
            "end_frame": expected.end_frame,
            "score": pytest.approx(expected.score, abs=5e-4),
            "gop": pytest.approx(expected.gop, abs=5e-4),
            "gop_start_frame": expected.gop_start_frame,
            "gop_end_frame": expected.gop_end_frame,
        }
        found = [(c["character"], c["start_frame"], c["end_frame"]) for c in spelled]
        assert found == [(c.character, c.start_frame, c.end_frame) for c in expected.characters]
        assert set(spelled[0]) == {
            *("character", "start_s", "end_s", "confidence", "start_frame", "end_frame", "score")
        }


def test_log_probs_of_the_whole_text(client, sample):
    found, aligned = align(client).json()["log_prob"], sample[1]
    assert found == {
        "text": pytest.approx(aligned.log_prob, abs=0.01),
        "path": pytest.approx(aligned.path_log_prob, abs=0.01),
        "free_path": pytest.approx(aligned.free_log_prob, abs=0.01),
    }
    assert found["path"] < found["text"] < 0


def test_the_two_l_of_hello_are_apart(client, sounds):
    body = align(client, "hello", sounds.write(sounds.noise(2))).json()
    [word] = body["words"]
    assert [c["character"] for c in word["characters"]] == list("hello")
    first, second = word["characters"][2:4]
    assert first["end_frame"] < second["start_frame"]


@pytest.mark.parametrize(
    ("chosen", "content_type", "write"),
    [
        ("srt", "application/x-subrip", lambda a, s: srt(a.words, s)),
        ("vtt", "text/vtt; charset=utf-8", lambda a, s: vtt(a.words, s)),
        (
            "textgrid",
            "text/plain; charset=utf-8",
            lambda a, s: textgrid(a.words, a.characters, s),
        ),
    ],
)
def test_files_are_as_the_library_writes_them(client, sample, chosen, content_type, write):
    answer = align(client, response_format=chosen)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == content_type
    assert answer.content.decode() == write(sample[1], sample[0].clock.duration_s)


def test_the_picture_has_the_words_of_the_text(client, sample, recognizer):
    answer = align(client, response_format="png")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    posteriors, aligned = sample
    spec = recognizer.spec.features
    heard = recognizer.features(load(SAMPLE, spec.sample_rate_hz).samples)
    figure = draw_posteriorgram(FeatureMatrix(heard, spec), posteriors, words=aligned.words)
    assert [text.get_text() for text in figure.axes[0].texts] == SAID.split()
    assert answer.content == to_png(figure)
    greedy = client.post("/probs", files={"file": SAMPLE.read_bytes()}, params={"format": "png"})
    assert answer.content != greedy.content, "greedy decoding doesn't read the first word"


def test_a_picture_of_more_than_a_minute_is_refused(client, sounds):
    answer = align(client, "hello", sounds.write(sounds.noise(61)), response_format="png")
    assert answer.status_code == 422
    assert answer.json()["detail"] == (
        "expected at most 60 s in a picture, got 61 s: choose another response_format"
    )


@pytest.mark.parametrize(
    ("accept", "response_format", "content_type"),
    [
        ("application/json", None, "application/json"),
        ("*/*", None, "application/json"),
        ("text/plain", None, "text/plain; charset=utf-8"),
        ("application/x-subrip", None, "application/x-subrip"),
        ("text/vtt, text/plain;q=0.5", None, "text/vtt; charset=utf-8"),
        ("image/*", None, "image/png"),
        ("image/png", "srt", "application/x-subrip"),
        ("text/html", "json", "application/json"),
    ],
)
def test_accept_chooses_where_nothing_else_does(client, accept, response_format, content_type):
    form = {} if response_format is None else {"response_format": response_format}
    answer = client.post(
        "/align",
        files={"file": SAMPLE.read_bytes()},
        data={"text": SAID, **form},
        headers={"Accept": accept},
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == content_type
    if content_type.startswith("text/plain"):
        assert answer.text.startswith('File type = "ooTextFile"')


def test_nothing_acceptable_is_406(client):
    answer = client.post(
        "/align",
        files={"file": SAMPLE.read_bytes()},
        data={"text": SAID},
        headers={"Accept": "text/html"},
    )
    assert answer.status_code == 406
    assert answer.json()["type"] == "urn:otoscope:problem:not-acceptable"
    assert answer.json()["detail"] == (
        "expected an Accept header that allows application/json, text/plain, "
        "application/x-subrip, text/vtt, text/csv, image/png, or "
        "response_format=json|textgrid|srt|vtt|csv|png, "
        "got Accept: text/html"
    )


def test_praatio_reads_the_textgrid(client, tmp_path):
    path = tmp_path / "sample.TextGrid"
    path.write_bytes(align(client, response_format="textgrid").content)
    grid = praat.openTextgrid(str(path), includeEmptyIntervals=False)
    assert " ".join(entry.label for entry in grid.getTier("words").entries) == SAID
    assert "".join(entry.label for entry in grid.getTier("characters").entries) == SAID.replace(
        " ", ""
    )


@pytest.mark.parametrize(
    ("form", "slug", "words"),
    [
        ({"text": ""}, "text-empty", "got ''"),
        ({"text": " ... "}, "text-empty", "got ' ... '"),
        ({"text": "\u6771\u4eac"}, "text-unsupported", "got also: \u4eac \u6771 "),
        (
            {"text": "hello " * 20},
            "text-unalignable",
            "at least 139 frames for 119 symbols, got 85",
        ),
        ({"response_format": "xml"}, "form", "'xml'"),
        ({"language": "en"}, "form", "expected the fields file, model, track, channel, text"),
        ({"probs": "true"}, "form", "'probs'"),
    ],
)
def test_what_cannot_be_answered(client, form, slug, words):
    answer = align(client, **form)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"urn:otoscope:problem:{slug}"
    assert words in answer.json()["detail"]


def test_a_form_without_a_text(client, short_wav):
    answer = client.post("/align", files={"file": ("clip.wav", short_wav)})
    assert answer.status_code == 422
    assert "text: Field required" in answer.json()["detail"]


def test_a_text_that_comes_as_a_file(client, short_wav):
    answer = client.post("/align", files={"file": ("clip.wav", short_wav), "text": ("a", b"a")})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("text: ")


def test_a_text_without_a_recording(client):
    answer = client.post("/align", data={"text": "hello"})
    assert answer.status_code == 422
    assert "got 0" in answer.json()["detail"]


@pytest.mark.parametrize(("data", "status"), [(b"", 422), (b"no audio at all" * 9, 415)])
def test_unusable_audio(client, data, status):
    assert align(client, data=data).status_code == status


def test_a_truncated_file_is_aligned_with_a_warning(client, sounds):
    data = sounds.write(sounds.noise(4), file_format="FLAC")
    answer = align(client, "hello", data[: len(data) // 2])
    assert answer.status_code == 200, answer.text
    [warning] = answer.json()["warnings"]
    assert "truncated" in warning
    for response_format in ("srt", "textgrid", "png"):
        answer = align(client, "hello", data[: len(data) // 2], response_format=response_format)
        assert json.loads(answer.headers["otoscope-warnings"]) == [warning]


def test_nothing_is_kept(make_settings):
    settings = make_settings()
    with TestClient(create_app(settings)) as client:
        assert align(client).status_code == 200
    with sqlite3.connect(settings.store_path) as connection:
        assert connection.execute("SELECT COUNT(*) FROM results").fetchone() == (0,)


def test_openapi_shows_the_form_and_every_answer(client):
    operation = client.get("/openapi.json").json()["paths"]["/align"]["post"]
    form = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert set(form["properties"]) == {
        "file",
        "model",
        "text",
        "response_format",
        "track",
        "channel",
    }
    assert form["required"] == ["file", "text"]
    assert form["properties"]["response_format"]["anyOf"][0]["enum"] == [
        *("json", "textgrid", "srt", "vtt", "csv", "png")
    ]
    answers = operation["responses"]
    assert set(answers["200"]["content"]) == {
        *("application/json", "text/plain", "application/x-subrip", "text/vtt", "text/csv"),
        "image/png",
    }
    assert "Otoscope-Warnings" in answers["200"]["headers"]
    assert answers["200"]["content"]["application/json"]["schema"]["$ref"].endswith(
        "AlignmentAnswer"
    )
    for status in ("400", "406", "413", "415", "422", "503"):
        assert list(answers[status]["content"]) == ["application/problem+json"]


def test_digits_and_signs_are_read_and_what_has_no_sound_is_listed(client):
    answer = align(client, text="it was 1 long time \u6771\u4eac before & after").json()
    assert answer["text"] == "it was one long time before and after"
    [warning] = answer["warnings"]
    assert "\u6771\u4eac" in warning
    answer = align(client, text="it was 1 long time \u2192", response_format="srt")
    assert json.loads(answer.headers["Otoscope-Warnings"])[0].endswith("\u2192")
