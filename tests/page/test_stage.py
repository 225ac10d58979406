"""The lanes on their time axis: zooming, scrolling, and looking at a frame."""

import io

import httpx
import matplotlib.image
import numpy as np
import pytest
import soundfile

SPACE, APOSTROPHE = "\N{OPEN BOX}", "\N{RIGHT SINGLE QUOTATION MARK}"
SYMBOLS = [*"abcdefghijklmnopqrstuvwxyz", SPACE, APOSTROPHE, "blank"]


def shown_s(page):
    """From when to when the lanes show, in seconds."""
    parts = page.locator("#range").inner_text().split(" \N{EN DASH} ")
    return tuple(60 * float(part.split(":")[0]) + float(part.split(":")[1]) for part in parts)


def span_s(page):
    start_s, end_s = shown_s(page)
    return end_s - start_s


def cursor_s(page):
    return float(page.locator("#lanes").get_attribute("aria-valuenow"))


@pytest.fixture
def probs(heard, address):
    """The posteriors of what the page has heard, (frames, symbols)."""
    with heard.expect_download() as download:
        heard.get_by_role("tab", name="Download").click()
        heard.locator('[data-file="probs.npy"]').click()
    return np.load(download.value.path())


def test_buttons_and_keys_zoom(heard, eventually):
    eventually(heard, lambda: shown_s(heard) == (0.0, 3.4))
    heard.get_by_role("button", name="Zoom in").click()
    eventually(heard, lambda: span_s(heard) == pytest.approx(1.7, abs=0.02))
    heard.get_by_role("button", name="Zoom out").click()
    eventually(heard, lambda: shown_s(heard) == (0.0, 3.4))
    heard.locator("#lanes").focus()
    heard.keyboard.press("+")
    heard.keyboard.press("+")
    eventually(heard, lambda: span_s(heard) == pytest.approx(3.395 / 2.25, abs=0.02))
    heard.keyboard.press("-")
    eventually(heard, lambda: span_s(heard) == pytest.approx(3.395 / 1.5, abs=0.02))
    heard.keyboard.press("0")
    eventually(heard, lambda: shown_s(heard) == (0.0, 3.4))


def test_the_wheel_zooms_about_the_pointer_and_shift_scrolls(heard, eventually):
    box = heard.locator("#lanes").bounding_box()
    x = box["x"] + 62 + (box["width"] - 63) / 2  # the middle of the plot: 1.7 s
    heard.mouse.move(x, box["y"] + 60)
    heard.keyboard.down("Control")
    heard.mouse.wheel(0, -200)
    heard.keyboard.up("Control")
    eventually(heard, lambda: span_s(heard) < 2)
    start_s, end_s = shown_s(heard)
    assert (start_s + end_s) / 2 == pytest.approx(1.7, abs=0.03)
    heard.keyboard.down("Shift")
    heard.mouse.wheel(0, 200)
    heard.keyboard.up("Shift")
    eventually(heard, lambda: shown_s(heard)[0] > start_s + 0.1)
    assert span_s(heard) == pytest.approx(end_s - start_s, abs=0.02)


def test_the_page_scrolls_where_nobody_has_clicked(heard, eventually):
    box = heard.locator("#lanes").bounding_box()
    heard.mouse.move(box["x"] + 300, box["y"] + 60)
    heard.mouse.wheel(0, 200)
    eventually(heard, lambda: heard.evaluate("scrollY") > 50)
    assert shown_s(heard) == (0.0, 3.4)


def test_dragging_scrolls_and_the_strip_jumps(heard, eventually):
    for _ in range(2):
        heard.get_by_role("button", name="Zoom in").click()
    eventually(heard, lambda: span_s(heard) < 1)
    before_s = shown_s(heard)[0]
    box = heard.locator("#lanes").bounding_box()
    heard.mouse.move(box["x"] + 500, box["y"] + 60)
    heard.mouse.down()
    heard.mouse.move(box["x"] + 300, box["y"] + 60, steps=4)
    heard.mouse.up()
    eventually(heard, lambda: shown_s(heard)[0] > before_s + 0.1)
    strip = heard.locator("#overview").bounding_box()
    heard.mouse.click(strip["x"] + strip["width"] - 5, strip["y"] + 10)
    eventually(heard, lambda: shown_s(heard)[1] == pytest.approx(3.395, abs=0.006))


def test_two_fingers_zoom(heard, eventually):
    lanes = heard.locator("#lanes")
    lanes.scroll_into_view_if_needed()
    box = lanes.bounding_box()
    session = heard.context.new_cdp_session(heard)

    def touch(kind, *places):
        points = [{"x": box["x"] + x, "y": box["y"] + 60, "id": i} for i, x in enumerate(places)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 400, 500)
    for step in range(1, 11):
        touch("touchMove", 400 - 10 * step, 500 + 10 * step)
    touch("touchEnd")
    eventually(heard, lambda: span_s(heard) == pytest.approx(3.395 / 3, abs=0.05))


def test_pointing_shows_a_frame_as_the_api_has_it(heard, probs, eventually):
    lane, time_s = heard.locator("#lanes"), 2.56
    x = 62 + (lane.bounding_box()["width"] - 63) * time_s / 3.395
    lane.hover(position={"x": x, "y": 300})
    eventually(heard, lambda: "frame t = 64 of 85" in heard.locator("#frame-number").inner_text())
    assert cursor_s(heard) == pytest.approx(time_s, abs=0.01)
    names = heard.locator("#symbols .symbol-name").all_inner_texts()
    best = np.argsort(-probs[64])[:6]
    assert names[0] == SYMBOLS[best[0]]
    assert sorted(names) == sorted(SYMBOLS[symbol] for symbol in best)
    assert heard.locator("#vector-number").inner_text() == "vector 256 of 339"


def test_arrow_keys_step_from_frame_to_frame_and_are_read_aloud(heard, probs):
    lanes = heard.locator("#lanes")
    lanes.focus()
    heard.keyboard.press("Home")
    for frame in range(1, 8):
        heard.keyboard.press("ArrowRight")
        best = int(probs[frame].argmax())
        name = {SPACE: "space", APOSTROPHE: "apostrophe"}.get(SYMBOLS[best], SYMBOLS[best])
        sure = f"{name}, {round(100 * float(probs[frame, best]))} percent"
        said = f"{frame * 0.04:.2f} seconds, frame {frame}: {sure}"
        heard.wait_for_selector(f'#lanes[aria-valuetext="{said}"]')
    heard.keyboard.press("End")
    heard.wait_for_selector('#lanes[aria-valuenow="3.40"]')


def test_arrow_keys_take_the_view_along(heard, eventually):
    heard.locator("#lanes").focus()
    heard.keyboard.press("Home")
    for _ in range(4):
        heard.keyboard.press("+")
    heard.keyboard.press("End")
    eventually(heard, lambda: shown_s(heard)[0] > 2.6)
    assert shown_s(heard)[1] == pytest.approx(3.395, abs=0.006)
    heard.keyboard.press("Shift+ArrowLeft")
    eventually(heard, lambda: shown_s(heard)[1] < 3.3)


@pytest.fixture
def long(sample, tmp_path):
    """A recording of 102 s, five tiles of each matrix."""
    samples, rate_hz = soundfile.read(sample)
    path = tmp_path / "long.flac"
    soundfile.write(path, np.tile(samples, 30), rate_hz)
    return path


def test_the_tiles_that_are_fetched_are_those_that_are_seen(page, eventually, long):
    asked = []
    page.on("request", lambda request: asked.append(httpx.URL(request.url)))
    page.set_input_files("#file", long)
    page.locator("#play:enabled").wait_for()
    page.locator("#symbols .symbol").first.wait_for()

    def tiles(path):
        ranges = [dict(url.params) for url in asked if url.path == f"/{path}"]
        return {float(each["from_s"]) for each in ranges if "to_s" in each}

    eventually(page, lambda: tiles("probs") == tiles("features") == {0.0})
    page.get_by_role("button", name="Show all").click()
    whole = {0.0, 20.48, 40.96, 61.44}  # the last one has no end
    eventually(page, lambda: tiles("probs") == tiles("features") == whole)
    page.get_by_role("button", name="Zoom in").click()
    page.get_by_role("button", name="Zoom out").click()
    eventually(page, lambda: shown_s(page) == (0.0, 101.85))
    for path in ("probs", "features"):
        times = [url for url in asked if url.path == f"/{path}"]
        assert len(times) == 6  # the tail, to know its length, and five tiles: none of them twice


def test_a_recording_stays_whole_if_another_is_given_up(page, eventually, long, sample):
    page.set_input_files("#file", long)
    page.locator("#play:enabled").wait_for()
    page.locator("#symbols .symbol").first.wait_for()
    held = []
    page.route("**/probs?*", lambda route: held.append(route))  # noqa: PLW0108 - no builtins
    page.set_input_files("#file", sample)
    eventually(page, lambda: held != [])  # what is to be shown of the other one
    page.get_by_role("button", name="Stop", exact=True).click()
    page.unroute("**/probs?*")
    assert page.locator("#name").inner_text() == "long.flac"
    page.locator("#lanes").focus()
    page.keyboard.press("End")
    page.locator('#lanes[aria-valuenow="101.84"], #lanes[aria-valuenow="101.85"]').wait_for()
    page.locator("#symbols .symbol").first.wait_for()


PAINTED = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let opaque = 0;
  for (let place = 3; place < data.length; place += 4) opaque += data[place] === 255;
  return (4 * opaque) / data.length;
}"""


SLOW = """const now = performance.now.bind(performance); let late_ms = 0;
performance.now = () => now() + (late_ms += 50)"""


def test_a_slow_machine_paints_matrices_too(page, eventually):
    """Where whatever is drawn takes longer than a frame may."""
    page.add_init_script(SLOW)
    page.reload()
    page.get_by_role("button", name="Try the example").click()
    lane = page.locator(".lane-features")
    eventually(page, lambda: lane.count() and lane.evaluate(PAINTED) > 0.8)


def test_what_is_drawn_are_the_posteriors(heard, probs):
    """The darkest pixels of the posteriorgram are where the path is."""
    image = heard.locator(".lane-posteriorgram").screenshot()
    pixels = matplotlib.image.imread(io.BytesIO(image))[:, :, :3].mean(axis=2)
    width = pixels.shape[1] - 63
    right = 0
    for frame, row in enumerate(probs):
        x = 62 + int(width * frame * 0.04 / 3.395)
        if row.max() < 0.9 or x + 2 >= pixels.shape[1]:
            continue
        column = pixels[:, max(x - 1, 63) : x + 2].mean(axis=1)
        darkness = [
            column[1 + 10 * symbol + 1 : 1 + 10 * symbol + 3].mean() for symbol in range(29)
        ]
        right += int(np.argmin(darkness)) == int(row.argmax())
    confident = int((probs.max(axis=1) >= 0.9).sum())
    assert right >= 0.9 * confident > 30
