"""Every format of every command, with a local model and with a service."""

import io
import json
import re

import numpy as np
import pytest
import soundfile
import soxr
from muxed import Track, mux
from praatio import textgrid

from otoscope import ENGLISH, Recognizer, align, greedy, load

HEARD = "was a long time before he came home to his father"
SAID = f"it {HEARD}"
WRITTEN = f"W{HEARD[1:]}"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def posteriors(sentence_model, sample):
    [posteriors] = Recognizer(sentence_model).posteriors([load(sample, 16000).samples])
    return posteriors


def tiers(path):
    grid = textgrid.openTextgrid(str(path), includeEmptyIntervals=False)
    return {name: [each.label for each in grid.getTier(name).entries] for name in grid.tierNames}


def cues(text):
    return " ".join(re.sub(r"WEBVTT|^\d+$|.*-->.*", "", text, flags=re.MULTILINE).split())


def test_text(otoscope, backend, sample):
    done = otoscope("transcribe", *backend, sample)
    assert done == (0, f"{HEARD}\n".encode(), "")


def test_json(otoscope, backend, sample):
    done = otoscope("transcribe", *backend, "--format", "json", sample)
    document = json.loads(done.out)
    assert (document["text"], document["duration_s"]) == (HEARD, 3.395)
    assert (document["decoder"], document["model"]["name"]) == ("beam + LM", "english")
    first = document["words"][0]
    assert (first["word"], first["start_s"], first["end_s"]) == ("was", 0.18, 0.42)
    assert first["confidence"] == pytest.approx(0.889, abs=0.01)
    assert [each["character"] for each in first["characters"]] == list("was")
    assert " ".join(segment["text"] for segment in document["segments"]) == HEARD
    assert ("id" in document, "probs" in document) == (bool(backend), False)
    assert done.out.count(b"\n") == 1


def test_subtitles(otoscope, backend, sample):
    srt = otoscope("transcribe", *backend, "-f", "srt", sample).out.decode()
    vtt = otoscope("transcribe", *backend, "-f", "vtt", sample).out.decode()
    assert srt.startswith("1\n00:00:00,180 --> 00:00:03,")
    assert vtt.startswith("WEBVTT\n\n00:00:00.180 --> ")
    assert cues(srt) == cues(vtt) == HEARD


@pytest.mark.parametrize("decoder", ["greedy", "beam"])
def test_textgrid(otoscope, backend, sample, tmp_path, decoder):
    out = tmp_path / "speech.TextGrid"
    assert otoscope("transcribe", *backend, "--decoder", decoder, "-o", out, sample) == (0, b"", "")
    found = tiers(out)
    assert "".join(found["characters"]) == "".join(found["words"])
    assert decoder == "greedy" or found["words"] == HEARD.split()


def test_decoding_options(otoscope, backend, sample, posteriors):
    text = otoscope("transcribe", *backend, "--decoder", "greedy", sample).out.decode()
    assert text == f"{greedy(posteriors).text}\n" != f"{HEARD}\n"
    hot = otoscope("transcribe", *backend, "--hotwords", "fathur:30, new york", sample).out.decode()
    assert "fathur" in hot
    closed = otoscope("transcribe", *backend, "--phrases", f"yes, no, {SAID}", sample).out.decode()
    assert closed == f"{SAID}\n"
    options = ("--n-best", "3", "--beam-width", "50", "--lm-weight", "0", "--word-bonus", "-1")
    several = json.loads(otoscope("transcribe", *backend, *options, "-f", "json", sample).out)
    assert len(several["hypotheses"]) == 3
    score = several["hypotheses"][0]
    assert score["score"] == pytest.approx(score["acoustic"] + score["bonus"], abs=1e-3)


def test_an_alignment_as_json(otoscope, backend, sample, posteriors):
    document = json.loads(otoscope("align", *backend, "--text", SAID, sample).out)
    expected = align(posteriors, SAID)
    assert document["text"] == SAID
    assert [word["start_frame"] for word in document["words"]] == [
        word.start_frame for word in expected.words
    ]


def test_an_alignment_as_subtitles_and_textgrid(otoscope, backend, sample, tmp_path):
    (tmp_path / "said.txt").write_text(f"{SAID}.\n", encoding="utf-8")
    text = ("--text-file", tmp_path / "said.txt")
    for form in ("srt", "vtt"):
        done = otoscope("align", *backend, *text, "--format", form, sample)
        assert cues(done.out.decode()) == SAID
    out = tmp_path / "speech.textgrid"
    assert otoscope("align", *backend, *text, "--out", out, sample).code == 0
    assert tiers(out) == {"words": SAID.split(), "characters": list(SAID.replace(" ", ""))}


def test_an_alignment_as_png(otoscope, backend, sample, tmp_path, monkeypatch):
    shown = []
    from otoscope.plots import posteriorgram  # noqa: PLC0415

    draw = posteriorgram._draw_words
    monkeypatch.setattr(
        posteriorgram,
        "_draw_words",
        lambda panels, words, span_s: shown.extend(words) or draw(panels, words, span_s),
    )
    out = tmp_path / "speech.png"
    assert otoscope("align", *backend, "--text", SAID, "--out", out, sample) == (0, b"", "")
    assert out.read_bytes().startswith(PNG)
    assert [word.word for word in shown] == SAID.split()


def test_the_text_is_read_from_a_file_beside_the_recording(otoscope, sample, tmp_path):
    for name in ("one", "two"):
        (tmp_path / f"{name}.flac").write_bytes(sample.read_bytes())
    (tmp_path / "one.txt").write_text(SAID, encoding="utf-8")
    done = otoscope("align", tmp_path / "one.flac", tmp_path / "two.flac")
    assert done.code == 1
    assert json.loads(done.out)["file"] == str(tmp_path / "one.flac")
    assert done.err.count("\n") == 1
    assert "two.flac: expected --text" in done.err
    assert "two.txt" in done.err


def test_posteriors_as_csv(otoscope, backend, sample, posteriors):
    lines = otoscope("probs", *backend, sample).out.decode().splitlines()
    names = lines[0].split(",")
    assert (names[:2], names[-3:]) == (["time_s", "a"], ["space", "'", "blank"])
    values = np.array([line.split(",") for line in lines[1:]], dtype=float)
    np.testing.assert_allclose(values[:, 1:], posteriors.probs, atol=1e-4)


def test_posteriors_as_npy_of_a_part(otoscope, backend, sample, posteriors, tmp_path):
    out = tmp_path / "speech.npy"
    otoscope("probs", *backend, "--from-s", "1", "--to-s", "2", "-o", out, sample)
    np.testing.assert_allclose(np.load(out), posteriors.probs[25:50], atol=1e-4)
    piped = otoscope("probs", *backend, "-f", "npy", "--unit", "phoneme", sample).out
    expected = posteriors.phonemes.probs
    np.testing.assert_allclose(np.load(io.BytesIO(piped)), expected, atol=1e-4)


def test_posteriors_as_json(otoscope, backend, sample):
    document = json.loads(otoscope("probs", *backend, "-f", "json", sample).out)
    assert document["shape"] == [85, 29]
    assert tuple(document["symbols"]) == ENGLISH.class_names
    assert document["warnings"] == []


def test_posteriors_as_png(otoscope, backend, sample, tmp_path):
    out = tmp_path / "speech.png"
    assert otoscope("probs", *backend, "--to-s", "1", "-o", out, sample) == (0, b"", "")
    assert out.read_bytes().startswith(PNG)


def test_a_channel_on_request(otoscope, address, sample, tmp_path):
    samples, rate_hz = soundfile.read(sample, dtype="float32")
    call = tmp_path / "call.wav"
    soundfile.write(call, np.stack([np.zeros_like(samples), samples], axis=1), rate_hz)
    assert otoscope("transcribe", "--channel", 1, call) == (0, b"", "")
    assert otoscope("transcribe", "--channel", 2, call).out.decode() == f"{HEARD}\n"
    done = otoscope("transcribe", "--track", 2, call)
    assert (done.code, done.err) == (
        1,
        f"otoscope: {call}: expected track 1, the only one, got 2\n",
    )
    assert otoscope("transcribe", "--channel", 0, call).code == 2
    done = otoscope("transcribe", "--channel", 1, "--server", address, call)
    assert (done.code, "expected a --model to use it with" in done.err) == (2, True)


def test_words_as_csv(otoscope, backend, sample, tmp_path):
    out = tmp_path / "words.csv"
    assert otoscope("transcribe", *backend, "--out", out, sample).code == 0
    header, *rows = out.read_text(encoding="utf-8").splitlines()
    assert header == "word,start_s,end_s,confidence"
    assert [row.split(",")[0] for row in rows] == HEARD.split()


def test_each_channel_by_itself(otoscope, address, sample, tmp_path):
    samples, rate_hz = soundfile.read(sample, dtype="float32")
    cut = round(1.64 * rate_hz)
    sides = np.zeros((samples.size, 2), dtype=np.float32)
    sides[:cut, 0], sides[: samples.size - cut, 1] = samples[:cut], samples[cut:]
    call = tmp_path / "call.wav"
    soundfile.write(call, sides, rate_hz)
    separate = ("transcribe", "--channels", "separate")
    for arguments, stdin in (((call,), b""), (("-",), call.read_bytes())):
        document = json.loads(otoscope(*separate, "-f", "json", *arguments, stdin=stdin).out)
        texts = [(one["channel"], one["text"]) for one in document["channels"]]
        assert texts == [(1, "was a long time before"), (2, "he came home to his father")]
        assert sorted(document["text"].split()) == sorted(HEARD.split())
        starts_s = [word["start_s"] for word in document["words"]]
        assert starts_s == sorted(starts_s)
        assert "segments" not in document
    assert "channels" not in json.loads(otoscope("transcribe", "-f", "json", call).out)
    for wrong, said in (
        (("--channel", 1, "-f", "json"), "--channel: expected none with --channels separate"),
        (("--n-best", 2, "-f", "json"), "--n-best: expected none with --channels separate"),
        (("-f", "srt"), "--channels: expected --format json to use it with, got srt"),
        (("-f", "json", "--server", address), "--channels: expected a --model to use it with"),
    ):
        done = otoscope(*separate, *wrong, call)
        assert (done.code, said in done.err) == (2, True)


def test_each_track_by_itself(otoscope, address, sample, tmp_path):
    samples, rate_hz = soundfile.read(sample, dtype="float32")
    halves = np.split(soxr.resample(samples, rate_hz, 48000), [round(1.64 * 48000)])
    film = tmp_path / "film.mkv"
    film.write_bytes(mux("matroska", *map(Track, halves)))
    every = ("transcribe", "--track", "all")
    for arguments, stdin in (((film,), b""), (("-",), film.read_bytes())):
        document = json.loads(otoscope(*every, "-f", "json", *arguments, stdin=stdin).out)
        texts = [(one["track"], one["text"]) for one in document["tracks"]]
        assert texts == [(1, "was a long time before"), (2, "he came home to his father")]
        assert sorted(document["text"].split()) == sorted(HEARD.split())
        assert ("segments" in document, document["warnings"]) == (False, [])
    for wrong, said in (
        (("--channel", 1, "-f", "json"), "--channel: expected none with --track all, got one"),
        (("--channels", "separate"), "--channels: expected none with --track all, got one"),
        (("-f", "srt"), "--track: expected --format json to use it with, got srt"),
        (("-f", "json", "--server", address), "--track: expected a --model to use it with"),
        (("--track", 0), "argument --track: expected a number from 1 to 255, got '0'"),
    ):
        done = otoscope(*every, *wrong, film)
        assert (done.code, said in done.err) == (2, True)
    done = otoscope("align", "--track", "all", "--text", HEARD, film)
    assert (done.code, "--track: expected a number from 1 to 255" in done.err) == (2, True)
    film.write_bytes(film.read_bytes().replace(b"A_AAC", b"A_XYZ"))
    done = otoscope(*every, "-f", "json", film)
    assert (done.code, "a known codec" in done.err) == (1, True)


def test_every_format_in_the_style_that_is_asked_for(otoscope, writing_backend, sample):
    shown = {"text": lambda out: out.strip(), "srt": cues, "vtt": cues}
    for form, read in shown.items():
        arguments = ("transcribe", *writing_backend, "-f", form, sample)
        assert read(otoscope(*arguments).out.decode()) == WRITTEN
        for style, expected in (("written", WRITTEN), ("verbatim", HEARD)):
            assert read(otoscope(*arguments, "--style", style).out.decode()) == expected
    for form in ("csv", "textgrid"):
        arguments = ("transcribe", *writing_backend, "-f", form, sample)
        as_heard = otoscope(*arguments)
        assert (as_heard.code, as_heard.err) == (0, "")
        assert otoscope(*arguments, "--style", "written") == as_heard
        assert b"Was" not in as_heard.out


def test_written_json(otoscope, writing_backend, sample):
    arguments = ("transcribe", *writing_backend, "-f", "json", sample)
    document = json.loads(otoscope(*arguments).out)
    assert (document["text"], document["written"]) == (HEARD, WRITTEN)
    assert " ".join(token["text"] for token in document["written_tokens"]) == WRITTEN
    assert [segment["text"] for segment in document["segments"]] == [WRITTEN]
    verbatim = json.loads(otoscope(*arguments, "--style", "verbatim").out)
    assert (verbatim["written"], verbatim["written_tokens"]) == (None, [])
    assert [segment["text"] for segment in verbatim["segments"]] == [HEARD]


def test_several_files_are_written(otoscope, writing_backend, sample, tmp_path):
    files = [tmp_path / name for name in ("one.flac", "two.flac")]
    for file in files:
        file.write_bytes(sample.read_bytes())
    done = otoscope("transcribe", *writing_backend, "--out-dir", tmp_path / "texts", *files)
    assert done == (0, b"", "")
    assert [(tmp_path / f"texts/{n}.txt").read_text() for n in ("one", "two")] == [
        f"{WRITTEN}\n"
    ] * 2
    done = otoscope("transcribe", *writing_backend, "--style", "verbatim", *files)
    assert [line.split(": ")[1] for line in done.out.decode().splitlines()] == [HEARD] * 2


def test_what_can_not_be_written_is_said(otoscope, backend, sample):
    done = otoscope("transcribe", *backend, "--style", "written", sample)
    assert (done.code, done.out.decode()) == (0, f"{HEARD}\n")
    assert (
        "warning: the text is as heard: there is no punctuation.onnx beside the model" in done.err
    )


def test_info_names_the_punctuation_model(otoscope, writing_backend, backend):
    shown = otoscope("info", *writing_backend).out.decode()
    assert re.search(r"^punctuation +pauses$", shown, re.MULTILINE)
    assert re.search(r"^punctuation +none$", otoscope("info", *backend).out.decode(), re.MULTILINE)
