"""/docs works from this service alone."""


def test_the_api_is_shown_and_tried(open_page, address):
    with open_page(address, "/docs") as watched:
        page = watched.page
        page.get_by_text("/transcriptions/{id}/reading").wait_for()
        page.locator("#operations-health-live_health_live_get").click()
        page.get_by_role("button", name="Try it out").click()
        with page.expect_response("**/health/live") as answer:
            page.get_by_role("button", name="Execute").click()
        assert answer.value.json() == {"status": "live"}
