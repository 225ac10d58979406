"""Words while they are spoken: a fake microphone, a real service, and what may go wrong."""

import io
import json
import re

import numpy as np
import pytest
import soundfile
from matplotlib.image import imread as read_png
from running_service import running_service
from sentence_model import HEARD

connect = pytest.importorskip(
    "websockets.sync.client", reason="websockets is not installed"
).connect

KEY = "sword/fish=(1)"
GOES_ON = "The recording goes on, and all of it is transcribed when you stop."


def speak(page):
    page.get_by_text("million weights").wait_for()
    page.get_by_role("button", name="Speak live").click()
    page.locator("#live").wait_for()


def finals(page):
    return [line.strip() for line in page.locator("#live-finals .utterance").all_inner_texts()]


def starts_s(page):
    """Of the utterances, in whole seconds."""
    lines = page.locator("#live-finals .utterance")
    return [
        seconds(start) for start in lines.evaluate_all("(all) => all.map((p) => p.dataset.start)")
    ]


def elapsed_s(page):
    return seconds(page.locator("#live-elapsed").text_content())


def seconds(clock):
    minutes, rest = clock.split(":")
    return 60 * int(minutes) + float(rest)


def state(page):
    return page.locator("#live-state").inner_text()


def stop(page):
    page.get_by_role("button", name="Stop and transcribe").click()


def wait_for_the_transcription(page):
    page.locator("#text .word").first.wait_for()
    page.locator("#play:enabled").wait_for()
    assert page.locator("#live").is_hidden()


def duration_s(page):
    return float(page.locator("#time").inner_text().split("/ 0:")[1])


def colours(page, lane):
    """How many different ones its picture has."""
    picture = page.locator(f"#live-lanes .lane-{lane}").screenshot()
    pixels = read_png(io.BytesIO(picture))
    return len(np.unique(pixels.reshape(-1, pixels.shape[-1]), axis=0))


def test_words_come_while_they_are_spoken_and_stopping_keeps_all(page, eventually):
    speak(page)
    empty = colours(page, "posteriorgram")
    eventually(page, lambda: page.locator("#live-partial .tentative").inner_text().strip() != "")
    eventually(page, lambda: colours(page, "posteriorgram") > empty + 20)
    eventually(page, lambda: HEARD in finals(page))
    assert colours(page, "waveform") > 3
    assert starts_s(page)[0] <= 2
    stop(page)
    wait_for_the_transcription(page)
    assert duration_s(page) == pytest.approx(elapsed_s(page), abs=0.06)
    words = page.locator("#text .word").all_inner_texts()
    assert HEARD in " ".join(words)
    assert page.locator("#name").inner_text().startswith("recording-")
    page.locator("#symbols .symbol").first.wait_for()
    page.get_by_role("tab", name="Align").click()
    page.get_by_label("What was said").fill(" ".join(words))
    page.get_by_role("button", name="Align", exact=True).click()
    page.locator("#aligned-words tr").first.wait_for()


def test_a_live_recording_is_discarded(page, eventually):
    speak(page)
    eventually(page, lambda: elapsed_s(page) > 0.5)
    page.get_by_role("button", name="Discard").click()
    page.get_by_role("button", name="Try the example").wait_for()
    speak(page)  # from the beginning
    assert finals(page) == []
    page.get_by_role("button", name="Discard").click()


def test_what_was_not_transcribed_is_kept(page, eventually):
    speak(page)
    eventually(page, lambda: HEARD in finals(page))
    hold = []
    page.route("**/transcribe", lambda route: hold.append(route))  # noqa: PLW0108 - no builtins
    stop(page)
    eventually(page, lambda: hold != [])
    assert finals(page)[0] == HEARD
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_text("Stopped, and not transcribed").wait_for()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save the recording").click()
    samples, rate_hz = soundfile.read(io.BytesIO(saved.value.path().read_bytes()))
    assert rate_hz == 16_000
    assert samples.size / rate_hz == pytest.approx(elapsed_s(page), abs=0.2)
    assert np.abs(samples).max() > 0.1
    page.get_by_role("button", name="Copy text").click()
    assert HEARD in page.evaluate("navigator.clipboard.readText()").splitlines()
    page.unroute("**/transcribe")
    page.get_by_role("button", name="Transcribe", exact=True).click()
    wait_for_the_transcription(page)


def test_leaving_the_page_is_asked_about(page, eventually):
    speak(page)
    eventually(page, lambda: elapsed_s(page) > 0.5)
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.evaluate("setTimeout(() => location.reload())")
    eventually(page, lambda: asked == ["beforeunload"])
    assert page.locator("#live").is_visible()
    page.get_by_role("button", name="Discard").click()


def test_a_microphone_that_is_unplugged(page, eventually):
    page.evaluate(
        """() => {
            const { mediaDevices } = navigator;
            const given = mediaDevices.getUserMedia.bind(mediaDevices);
            mediaDevices.getUserMedia = async (wanted) => (window.given = await given(wanted));
        }"""
    )
    speak(page)
    eventually(page, lambda: HEARD in finals(page))
    page.evaluate("given.getTracks()[0].dispatchEvent(new Event('ended'))")
    page.get_by_role("alert").filter(has_text="The microphone was disconnected").wait_for()
    wait_for_the_transcription(page)
    assert page.get_by_role("alert").is_visible()


def test_a_microphone_that_is_refused(browser, chromium, address):
    devices = ["--use-fake-ui-for-media-stream=deny", "--use-fake-device-for-media-stream"]
    refusing = browser.browser_type.launch(
        executable_path=chromium, args=["--no-sandbox", *devices]
    )
    page = refusing.new_page()
    page.goto(address)
    page.get_by_text("million weights").wait_for()
    page.get_by_role("button", name="Speak live").click()
    alert = page.get_by_role("alert").filter(has_text="The microphone can't be used")
    alert.wait_for()
    assert "The browser does not let this page use it." in alert.inner_text()
    assert page.locator("#live").is_hidden()
    assert page.get_by_role("button", name="Try the example").is_visible()
    refusing.close()


def test_a_page_that_is_not_secure_has_no_microphone(
    browser, tmp_path, sentence_model, insecure_host
):
    variables = {"OTOSCOPE_MODEL_PATH": str(sentence_model), "OTOSCOPE_HOSTS": insecure_host}
    with running_service(tmp_path / "results.sqlite3", **variables) as address:
        insecure = address.replace("127.0.0.1", insecure_host)
        page = browser.new_page()
        page.goto(insecure)
        page.get_by_text("million weights").wait_for()
        for name in ("Speak live", "Record yourself"):
            page.get_by_role("button", name=name).click()
            alert = page.get_by_role("alert").filter(has_text="The microphone isn't available here")
            assert f"opened at {insecure}, which is not secure" in alert.inner_text()
            page.get_by_role("button", name="Close").click()
        page.close()


def test_a_lost_connection_is_made_again_where_it_broke(page, eventually):
    page.evaluate(
        """() => {
            window.sockets = [];
            window.WebSocket = class extends WebSocket {
                constructor(...address) {
                    super(...address);
                    sockets.push(this);
                }
            };
        }"""
    )
    speak(page)
    eventually(page, lambda: finals(page) != [])
    eventually(page, lambda: page.locator("#live-partial").inner_text().strip() != "")
    whole = len(finals(page))
    page.evaluate("sockets[0].close(4000)")
    page.get_by_text(re.compile(f"The connection to the service is lost: .* {GOES_ON}")).wait_for()
    eventually(page, lambda: len(finals(page)) > whole)
    assert page.evaluate("sockets.length") == 2
    assert set(finals(page)) == {HEARD}
    assert np.all(np.abs(np.diff(starts_s(page)) - 4.9) <= 1)
    assert page.locator(".gap").count() == 0
    stop(page)
    wait_for_the_transcription(page)


def test_what_the_service_says_of_itself_is_shown(page, eventually):
    connections = []
    page.route_web_socket("**/stream*", lambda route: connections.append(route))  # noqa: PLW0108
    speak(page)
    page.get_by_text("Connecting").wait_for()
    eventually(page, lambda: connections != [])

    def say(**message):
        connections[0].send(json.dumps(message))

    say(type="ready")
    say(type="frames", first_frame=10**6, probs=[])  # it is not late
    eventually(page, lambda: state(page) == "Listening")
    say(type="pace", step_s=1.35)
    eventually(page, lambda: state(page) == "The service is busy: words come every 1.4 s.")
    say(type="pace", step_s=0.4)
    eventually(page, lambda: state(page) == "Listening")
    say(type="error", kind="urn:x", title="The options are wrong", status=422, detail="as a test")
    connections[0].close(code=1008)
    expected = f"The options are wrong: as a test. {GOES_ON}"
    eventually(page, lambda: state(page) == expected)
    eventually(page, lambda: elapsed_s(page) > 5)  # behind the pause, until the end of a sentence
    stop(page)
    wait_for_the_transcription(page)


def test_a_proxy_that_goes_away_ends_nothing(page, eventually):
    """It closes with the code of the service's own end, but without a reason before."""
    connections = []
    page.route_web_socket("**/stream*", lambda route: connections.append(route))  # noqa: PLW0108
    speak(page)
    eventually(page, lambda: len(connections) == 1)
    connections[0].send(json.dumps({"type": "ready"}))
    eventually(page, lambda: elapsed_s(page) > 3)
    connections[0].send(json.dumps({"type": "frames", "first_frame": 50, "probs": []}))  # 2 s
    connections[0].close(code=1001)
    page.get_by_text(f"Trying again. {GOES_ON}").wait_for()
    eventually(page, lambda: len(connections) == 2)
    connections[1].send(json.dumps({"type": "ready"}))
    eventually(page, lambda: state(page) == "Listening")
    connections[1].send(json.dumps({"type": "closing", "reason": "as a test"}))
    elapsed = elapsed_s(page)
    connections[1].close(code=1001)  # before "done", so how much came is not known
    page.get_by_text("As a test. What was said until then is kept.").wait_for()
    wait_for_the_transcription(page)
    assert duration_s(page) > elapsed - 0.1


@pytest.fixture(scope="module")
def narrow_service(serve, sentence_model):
    """A service with a key, one place, and no more than 6 s."""
    limits = {"OTOSCOPE_MAX_STREAMS": "1", "OTOSCOPE_MAX_DURATION_S": "6"}
    with serve(sentence_model, OTOSCOPE_API_KEYS=KEY, **limits) as address:
        yield address


def test_a_service_without_a_free_place_is_tried_again(open_page, narrow_service, eventually):
    """With a key that no protocol's name may hold as it is, and up to the longest allowed."""
    stream = narrow_service.replace("http", "ws") + "/stream"
    with open_page(narrow_service) as watched:
        watched.expected.add(401)
        page = watched.page
        page.get_by_label("API key").fill(KEY)
        page.get_by_role("button", name="Continue").click()
        with connect(stream, additional_headers={"X-API-Key": KEY}):
            speak(page)
            page.get_by_text("expected fewer than 1 streams at a time").wait_for()
            assert f"Trying again. {GOES_ON}" in state(page)
        eventually(page, lambda: HEARD in finals(page))
        ended = page.get_by_role("alert").filter(has_text="The service has ended the live stream")
        ended.wait_for()
        assert "It lasted 6 s. What was said until then is kept." in ended.inner_text()
        wait_for_the_transcription(page)
        assert 5.5 < duration_s(page) <= 6
