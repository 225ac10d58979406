"""A browser that keeps no data of sites, as Chromium's settings can have it."""

import json

import pytest

BLOCKED = {"profile": {"default_content_setting_values": {"cookies": 2}}}


@pytest.fixture
def forgetful(browser, chromium, tmp_path):
    """A page in a browser with these settings, and its uncaught errors."""
    (tmp_path / "Default").mkdir()
    (tmp_path / "Default/Preferences").write_text(json.dumps(BLOCKED), encoding="utf-8")
    context = browser.browser_type.launch_persistent_context(
        tmp_path, executable_path=chromium, args=["--no-sandbox"]
    )
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(error))  # noqa: PLW0108
    yield page, errors
    context.close()


def test_the_page_works_where_nothing_may_be_kept(forgetful, address, recognize, eventually):
    page, errors = forgetful
    page.goto(address)
    recognize(page)
    page.get_by_role("button", name="Change to the dark theme").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.locator("#text .word").first.dblclick()
    page.locator(".word-input").fill("Is")
    page.keyboard.press("Enter")
    expected = "One word corrected, lost when this page is left"
    eventually(page, lambda: expected in page.locator("#corrections-about").inner_text())
    assert errors == []
    blocked = (
        "(() => { try { return String(localStorage); } catch (error) { return error.name; } })()"
    )
    assert page.evaluate(blocked) == "SecurityError"
