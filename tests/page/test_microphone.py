"""What is recorded with the microphone, and what is told where nothing can be."""

import re

import soundfile


def test_the_microphone_is_recorded(page, eventually):
    page.get_by_role("button", name="Record yourself").click()
    page.locator("#recording").wait_for()
    level = "Number(document.querySelector('#level').style.getPropertyValue('--level'))"
    eventually(page, lambda: page.evaluate(level) > 0.2)
    eventually(page, lambda: page.locator("#elapsed").inner_text() >= "0:04.5")
    page.get_by_role("button", name="Stop and transcribe").click()
    page.locator("#text .word").first.wait_for()
    assert re.fullmatch(r"recording-\d\d-\d\d-\d\d\.wav", page.locator("#name").inner_text())
    assert {"time", "before"} & set(page.locator("#text .word").all_inner_texts())
    page.locator("#play:enabled").wait_for()


def test_a_recording_that_is_not_transcribed_is_kept(watched, eventually):
    watched.expected.add(413)
    page = watched.page
    page.route("**/transcribe", lambda route: route.fulfill(status=413))
    page.get_by_role("button", name="Record yourself").click()
    eventually(page, lambda: page.locator("#elapsed").inner_text() >= "0:01.5")
    page.get_by_role("button", name="Stop and transcribe").click()
    page.get_by_role("alert").filter(has_text="The answer was 413").wait_for()
    page.get_by_text("Not transcribed").wait_for()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save the recording").click()
    info = soundfile.info(saved.value.path())
    assert (info.samplerate, info.subtype) == (16_000, "PCM_16")
    assert info.duration >= 1.4
    page.unroute("**/transcribe")
    page.get_by_role("button", name="Transcribe", exact=True).click()
    page.locator("#play:enabled").wait_for()
    assert page.locator("#recording").is_hidden()
    assert page.locator("#time").inner_text().endswith(f"0:{info.duration:05.2f}")


WAITS = """
    const { mediaDevices } = navigator;
    const given = mediaDevices.getUserMedia.bind(mediaDevices);
    window.allow = [];
    window.streams = [];
    mediaDevices.getUserMedia = async (wanted) => {
      await new Promise((resolve) => window.allow.push(resolve));
      const stream = await given(wanted);
      window.streams.push(stream);
      return stream;
    };
"""
"""A browser that asks the user, who does not answer at once."""


def test_a_permission_that_nobody_gives_can_be_given_up(page, eventually):
    page.add_init_script(WAITS)
    page.reload()
    page.get_by_text("million weights").wait_for()
    for place, name in enumerate(("Record yourself", "Speak live")):
        page.get_by_role("button", name=name).click()
        page.get_by_text("Waiting for the microphone").first.wait_for()
        eventually(page, lambda: page.evaluate("allow.length") == 1)
        page.get_by_role("button", name="Discard").click()
        page.get_by_role("button", name="Try the example").wait_for()
        page.evaluate("allow.pop()()")  # too late
        track = f"streams[{place}]?.getTracks()[0].readyState"
        eventually(page, lambda track=track: page.evaluate(track) == "ended")
        assert page.get_by_role("button", name="Try the example").is_visible()
    page.get_by_role("button", name="Record yourself").click()
    eventually(page, lambda: page.evaluate("allow.length") == 1)
    page.evaluate("allow.pop()()")
    eventually(page, lambda: page.locator("#elapsed").inner_text() >= "0:00.3")
    page.get_by_role("button", name="Discard").click()


def test_a_page_older_than_the_service_says_so(watched):
    watched.expected.add(404)
    page = watched.page
    version = page.locator("script[type=module]").get_attribute("src").split("/")[1]
    older = "0" * 16

    def index(route):
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace(version, older))

    def asset(route):  # of all but the worklet, which comes from the service itself
        route.fulfill(response=route.fetch(url=route.request.url.replace(older, version)))

    page.route(page.url, index)
    page.route(f"**/page/{older}/**", asset)
    page.reload()
    page.get_by_role("button", name="Record yourself").click()
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert "A part of the page can't be loaded" in alert.inner_text()
    assert "Load the page again" in alert.inner_text()


def test_a_recording_is_discarded(page):
    page.get_by_role("button", name="Record yourself").click()
    page.get_by_role("button", name="Discard").click()
    page.get_by_role("button", name="Try the example").wait_for()
    assert page.locator("#recording").is_hidden()


def test_sound_that_does_not_start_is_told(page, recognize):
    """As in Firefox where there is nothing to play on."""
    page.add_init_script("AudioContext.prototype.resume = () => new Promise(() => {})")
    page.reload()
    page.get_by_role("button", name="Record yourself").click()
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert "connect loudspeakers or headphones" in alert.inner_text()
    recognize(page)
    page.get_by_role("button", name="Play", exact=True).click()
    alert.wait_for()
    assert "The recording can't be played" in alert.inner_text()
    assert "connect loudspeakers or headphones" in alert.inner_text()
