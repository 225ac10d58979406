"""Nobody is kept out: axe finds nothing serious, keys reach everything, narrow screens hold it."""

import pytest

axe_python = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
)
TABS = ("How it works", "Other texts", "Align", "Download")


def violations(page):
    """What axe-core calls serious or critical, with where it is."""
    found = axe_python.Axe().run(page).response["violations"]
    return [
        (each["id"], [node["html"][:160] for node in each["nodes"]])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(open_page, address, recognize, scheme):
    with open_page(address, scheme=scheme) as watched:
        page = watched.page
        page.get_by_text("million weights").wait_for()
        assert page.evaluate("document.documentElement.dataset.theme") == scheme
        assert violations(page) == []
        recognize(page)
        for tab in TABS:
            page.get_by_role("tab", name=tab).click()
            if tab == "Align":
                page.get_by_role("button", name="Align", exact=True).click()
                page.locator("#aligned-words tr").first.wait_for()
            assert violations(page) == [], tab


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_corrections_are_accessible(open_page, writing_address, recognize, scheme):
    with open_page(writing_address, scheme=scheme) as watched:
        page = watched.page
        recognize(page)
        for text in ("Is", ""):
            page.locator("#text .word").first.focus()
            page.keyboard.press("Enter")
            page.get_by_label("Correct “Was”").or_(page.get_by_label("Correct “Is”")).fill(text)
            assert violations(page) == []
            page.keyboard.press("Tab")
            assert violations(page) == []
        assert page.get_by_role("group", name="Text", exact=True).is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_errors_and_the_recorder_are_accessible(open_page, address, scheme):
    with open_page(address, scheme=scheme) as watched:
        watched.expected.add(415)
        page = watched.page
        page.set_input_files("#file", {"name": "a", "mimeType": "text/plain", "buffer": b"-"})
        page.get_by_role("alert").wait_for()
        page.get_by_role("button", name="Record yourself").click()
        page.get_by_role("button", name="Discard").wait_for()
        assert violations(page) == []
        page.get_by_role("button", name="Discard").click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_live_is_accessible(open_page, address, eventually, scheme):
    with open_page(address, width=360, height=740, scheme=scheme) as watched:
        page = watched.page
        page.get_by_text("million weights").wait_for()
        page.get_by_role("button", name="Speak live").focus()
        page.keyboard.press("Enter")
        page.locator("#live").wait_for()
        eventually(page, lambda: page.evaluate("document.activeElement.id") == "live-stop")
        assert violations(page) == []
        page.locator("#live-finals .utterance").first.wait_for()
        page.locator("#live-partial .tentative").wait_for()
        assert violations(page) == []
        assert page.get_by_role("log", name="Utterances").locator(".said").count() > 0
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.route("**/transcribe", lambda route: None)
        page.keyboard.press("Enter")
        page.locator("#cancel").click()
        page.get_by_role("button", name="Save the recording").wait_for()
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.get_by_role("button", name="Discard").click()


def test_the_theme_is_chosen_and_kept(open_page, address):
    with open_page(address, scheme="light") as watched:
        page = watched.page
        page.get_by_role("button", name="Change to the dark theme").click()
        page.reload()
        page.get_by_role("button", name="Change to the light theme").wait_for()
        assert page.evaluate("getComputedStyle(document.body).colorScheme") == "dark"


def test_keys_reach_the_example_and_the_tabs(page):
    page.locator("body").press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "try-example":
            break
    page.keyboard.press("Enter")
    page.locator("#text .word").first.wait_for()
    assert page.evaluate("document.activeElement.id") == "transcript-title"
    page.get_by_role("tab", name="How it works").focus()
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("tab", name="Other texts").get_attribute("aria-selected") == "true"
    assert page.locator("#panel-hypotheses").is_visible()
    assert page.locator("#panel-pipeline").is_hidden()


def test_a_narrow_screen_holds_it(open_page, address, recognize):
    with open_page(address, width=360, height=740) as watched:
        page = watched.page
        width = "document.documentElement.scrollWidth"
        assert page.evaluate(width) <= 360
        recognize(page)
        for tab in TABS:
            page.get_by_role("tab", name=tab).click()
            assert page.evaluate(width) <= 360, tab
