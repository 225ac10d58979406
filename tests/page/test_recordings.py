"""How recordings come in, and what is told meanwhile and of errors."""

import threading

import httpx
import numpy as np
import pytest
import soundfile

KEY = "swordfish-of-the-page"


def words_of(page):
    return page.locator("#text .word").all_inner_texts()


def transcribed(address, path, **options):
    return httpx.post(
        f"{address}/transcribe", files={"file": path.read_bytes()}, data=options, timeout=60
    ).json()


def test_the_example_is_heard_as_the_api_hears_it(heard, address, sample):
    expected = transcribed(address, sample)
    assert words_of(heard) == [word["word"] for word in expected["words"]]
    assert heard.locator("#name").inner_text() == "sample.flac"
    assert heard.locator("#time").inner_text() == "0:00.00 / 0:03.40"
    assert heard.locator("#count-vectors").inner_text() == "339"
    assert heard.locator("#count-frames").inner_text() == "85"
    assert heard.locator("#count-letters").inner_text() == str(len(expected["text"]))


def test_a_file_is_chosen(page, sample, tmp_path):
    samples, rate_hz = soundfile.read(sample)
    stereo = tmp_path / "my stereo.ogg"
    soundfile.write(stereo, np.column_stack((samples, samples)), rate_hz)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a file").click()
    chooser.value.set_files(stereo)
    page.locator("#text .word").first.wait_for()
    assert page.locator("#name").inner_text() == "my stereo.ogg"
    assert "father" in words_of(page)
    page.locator("#play:enabled").wait_for()


def test_a_file_is_dropped(page, sample):
    page.evaluate(
        """async (address) => {
            const blob = await (await fetch(address)).blob();
            const data = new DataTransfer();
            data.items.add(new File([blob], "dropped.flac"));
            for (const type of ["dragenter", "dragover", "drop"])
              document.body.dispatchEvent(
                new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
        }""",
        page.evaluate("new URL(document.body.dataset.sample, document.baseURI).href"),
    )
    page.locator("#text .word").first.wait_for()
    assert page.locator("#name").inner_text() == "dropped.flac"


def test_what_is_no_audio_is_told_as_the_service_tells_it(watched):
    watched.expected.add(415)
    page = watched.page
    file = {"name": "a.txt", "mimeType": "text/plain", "buffer": b"no sound"}
    page.set_input_files("#file", file)
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert "The file is not readable audio" in alert.inner_text()
    assert "got 8 bytes in no format known here" in alert.inner_text()
    page.get_by_role("button", name="Close").click()
    assert page.get_by_role("alert").count() == 0
    page.get_by_role("button", name="Try the example").wait_for()


def test_too_short_a_sound_is_told(watched, tmp_path):
    watched.expected.add(422)
    path = tmp_path / "click.wav"
    soundfile.write(path, np.zeros(10), 16000)
    watched.page.set_input_files("#file", path)
    assert "The audio is too short" in watched.page.get_by_role("alert").inner_text()


def test_deleting_it_deletes_it_from_the_service(heard, address):
    with heard.expect_request(lambda request: request.method == "DELETE") as deleted:
        heard.get_by_role("button", name="Delete this recording from the service").click()
    heard.get_by_role("button", name="Try the example").wait_for()
    assert httpx.get(deleted.value.url).status_code == 410


def test_a_service_that_was_down_at_first_is_asked_again(watched, sample):
    watched.expected.add(503)
    page = watched.page
    page.route("**/model", lambda route: route.fulfill(status=503))
    page.reload()
    page.get_by_role("alert").wait_for()
    page.get_by_role("button", name="Close").click()
    page.set_input_files("#file", sample)
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert "The answer was 503" in alert.inner_text()
    page.unroute("**/model")
    alert.get_by_role("button", name="Try again").click()
    page.locator("#text .word").first.wait_for()


@pytest.fixture(scope="module")
def guarded(serve, sentence_model):
    """A service with a key, room for one recording at a time, and for 12 MB."""
    with serve(
        sentence_model,
        OTOSCOPE_API_KEYS=KEY,
        OTOSCOPE_INFERENCE_THREADS="1",
        OTOSCOPE_QUEUE_SIZE="0",
        OTOSCOPE_MAX_UPLOAD_BYTES="12000000",
    ) as address:
        yield address


def give_key(page, key):
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Continue").click()


def test_a_key_is_asked_for_where_there_is_one(open_page, guarded, recognize):
    with open_page(guarded) as watched:
        watched.expected.add(401)
        page = watched.page
        page.get_by_role("dialog").wait_for()
        give_key(page, "catfish")
        page.get_by_text("The service does not know that key.").wait_for()
        give_key(page, KEY)
        page.get_by_role("dialog").wait_for(state="hidden")
        recognize(page)
        kept = page.evaluate("[sessionStorage.length, localStorage.length, document.cookie]")
        assert kept == [1, 0, ""]
        page.get_by_role("tab", name="Download").click()
        assert "Authorization: Bearer $OTOSCOPE_API_KEY" in page.locator("#curl").inner_text()
        assert KEY not in page.content()
        page.reload()
        page.get_by_text("million weights").wait_for()  # this tab still has the key
        page.get_by_role("button", name="Forget the key").click()
        page.get_by_role("dialog").wait_for()


def test_the_question_for_a_key_stays_until_it_is_answered(open_page, guarded, eventually):
    with open_page(guarded) as watched:
        watched.expected.add(401)
        page = watched.page
        page.get_by_role("dialog").wait_for()
        page.evaluate(
            "window.times = 0;"
            "document.querySelector('dialog').addEventListener('close', () => window.times++)"
        )
        for times in (1, 2):  # Chromium lets nothing prevent the second
            page.keyboard.press("Escape")
            eventually(page, lambda times=times: page.evaluate("times") == times)
        give_key(page, KEY)
        page.get_by_text("million weights").wait_for()
        assert page.get_by_role("dialog").is_hidden()


def test_too_large_a_file_is_told(open_page, guarded):
    with open_page(guarded) as watched:
        watched.expected |= {401, 413}
        give_key(watched.page, KEY)
        file = {"name": "big.wav", "mimeType": "audio/wav", "buffer": bytes(12_500_000)}
        watched.page.set_input_files("#file", file)
        alert = watched.page.get_by_role("alert").filter(has_text="too large")
        alert.wait_for()
        assert "expected a request of at most 12000000 bytes" in alert.inner_text()
        assert alert.get_by_role("button", name="Try again").count() == 0


def test_a_busy_service_is_tried_again_when_it_says_so(open_page, guarded, sample, tmp_path):
    noise = 0.1 * np.random.default_rng(0).standard_normal(160 * 16000)
    long = tmp_path / "long.wav"
    soundfile.write(long, noise, 16000)
    headers = {"X-API-Key": KEY}
    answers = []

    def occupy():
        answers.append(
            httpx.post(
                f"{guarded}/transcribe",
                files={"file": long.read_bytes()},
                data={"decoder": "greedy"},
                headers=headers,
                timeout=120,
            )
        )

    with open_page(guarded) as watched:
        watched.expected |= {401, 503}
        give_key(watched.page, KEY)
        watched.page.get_by_text("million weights").wait_for()
        thread = threading.Thread(target=occupy)
        thread.start()
        while thread.is_alive():
            if "otoscope_recordings_running 1.0" in httpx.get(f"{guarded}/metrics").text:
                break
        watched.page.set_input_files("#file", sample)
        again = watched.page.get_by_role("button", name="Try again in")
        again.wait_for()
        assert again.is_disabled()
        thread.join()
        watched.page.get_by_role("button", name="Try again", exact=True).click()
        watched.page.locator("#text .word").first.wait_for()
    assert answers[0].status_code == 200
