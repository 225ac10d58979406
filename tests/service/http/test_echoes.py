"""What errors quote of a request is short, however much came, so that no answer is as large."""

import pytest

MOST_BYTES = 4000
MUCH = "qx" * 50_000
DIFFERENT = "".join(map(chr, range(0x4E00, 0x9000)))
"""Of signs that no alphabet here has."""

FORMS = [
    ("/transcribe", {"hotwords": f"{MUCH}:{MUCH}"}),
    ("/transcribe", {"hotwords": f"father:{MUCH}"}),
    ("/transcribe", {"hotwords": ",".join(f"{n}{MUCH[:800]}:200" for n in range(900))}),
    ("/transcribe", {"hotwords": ",".join("!" * n for n in range(1, 900))}),
    ("/transcribe", {"hotwords": DIFFERENT[:900]}),
    ("/transcribe", {"phrases": MUCH}),
    ("/transcribe", {"phrases": ",".join(["yes"] * 999 + ["!" * 900])}),
    ("/transcribe", {"phrases": ",".join(MUCH[:1001] for _ in range(900))}),
    ("/transcribe", {"phrases": DIFFERENT[:900]}),
    ("/transcribe", {MUCH: "1"}),
    ("/transcribe", {"decoder": MUCH}),
    ("/transcribe", {"beam_width": MUCH}),
    ("/transcribe", {"channel": MUCH}),
    ("/align", {"text": DIFFERENT}),
    ("/align", {"text": "!" * 100_000}),
    ("/align", {"text": "father", MUCH: MUCH}),
    ("/v1/audio/transcriptions", {"model": MUCH}),
    ("/v1/audio/transcriptions", {"model": "whisper-1", "language": MUCH}),
    ("/v1/audio/transcriptions", {"model": "whisper-1", MUCH: MUCH}),
    ("/v1/audio/transcriptions", {"model": "whisper-1", "temperature": MUCH}),
    ("/v1/audio/transcriptions", {"model": "whisper-1", "timestamp_granularities[]": MUCH}),
]
URLS = [
    f"/{MUCH[:30_000]}",
    f"/v1/{MUCH[:30_000]}",
    f"/v1/models/{MUCH[:30_000]}",
    f"/transcriptions/{MUCH[:30_000]}",
    f"/probs?id={MUCH[:30_000]}",
    f"/probs?{MUCH[:30_000]}=1",
    f"/features?id=a&format={MUCH[:30_000]}",
    "/probs?" + "&".join(f"{n}x{MUCH[:50]}=1" for n in range(500)),
]


def check(answer):
    assert 400 <= answer.status_code < 500, answer.text[:500]
    assert len(answer.content) < MOST_BYTES
    assert sum(map(len, answer.headers.values())) < MOST_BYTES


@pytest.mark.parametrize("case", range(len(FORMS)))
def test_forms(client, short_wav, case):
    path, form = FORMS[case]
    answer = client.post(path, files={"file": short_wav}, data=form)
    check(answer)


@pytest.mark.parametrize("case", range(len(URLS)))
def test_urls(client, case):
    check(client.get(URLS[case]))


def test_types_of_bodies(client):
    kind = f"application/{MUCH[:30_000]}"
    check(client.post("/transcribe", content=b"a", headers={"Content-Type": kind}))


def test_what_is_left_out_of_a_text(client, pytestconfig):
    sample = (pytestconfig.rootpath / "examples/sample.flac").read_bytes()
    text = "was a long time " + " ".join(DIFFERENT)
    answer = client.post("/align", files={"file": sample}, data={"text": text})
    assert answer.status_code == 200
    assert len(answer.json()["warnings"][0]) < 300
    assert len(answer.headers["otoscope-warnings"]) < MOST_BYTES


def test_hot_words_have_a_bound_together(client, short_wav):
    """A thousand of 900 characters took five seconds of a processor."""
    form = {"hotwords": ",".join(f"a{'b' * n}" for n in range(400))}
    answer = client.post("/transcribe", files={"file": short_wav}, data=form)
    assert answer.status_code == 422
    detail = "hotwords: expected at most 50000 characters together, got 80200"
    assert answer.json()["detail"] == detail


def test_a_prompt_is_no_longer_than_hot_words_may_be(client, short_wav):
    prompt = " ".join(chr(97 + n % 26) * 900 + chr(97 + n // 26) for n in range(300))
    form = {"model": "whisper-1", "prompt": f"{prompt} father"}
    answer = client.post("/v1/audio/transcriptions", files={"file": short_wav}, data=form)
    assert answer.status_code == 200
