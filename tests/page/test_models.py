"""The choice of models, where a service has several."""

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from running_service import running_service

SMALL = Path(__file__).resolve().parents[2] / "models/english-small/model.int8.onnx"
OTHER = "english-small"


@pytest.fixture(scope="module")
def two_address(tmp_path_factory, sentence_model):
    """A service with two models."""
    variables = {"OTOSCOPE_MODEL_PATH": str(sentence_model), "OTOSCOPE_MODELS": str(SMALL)}
    store_path = tmp_path_factory.mktemp("two") / "results.sqlite3"
    with running_service(store_path, **variables) as address:
        yield address


@pytest.fixture
def two(open_page, two_address):
    with open_page(two_address) as watched:
        watched.page.locator("#model-name").wait_for()
        yield watched.page


def text_of(page):
    return " ".join(page.locator("#text .word").all_inner_texts())


def by_api(address, sample, model):
    files = {"file": sample.read_bytes()}
    form = {"model": model, "decoder": "beam"}
    return httpx.post(f"{address}/transcribe", files=files, data=form, timeout=60).json()["text"]


def test_another_model_transcribes_what_is_shown_again(
    two, two_address, sample, recognize, eventually
):
    names = two.locator("#model-name option").all_inner_texts()
    assert names == [each["name"] for each in httpx.get(f"{two_address}/model").json()["served"]]
    recognize(two)
    first = text_of(two)
    two.locator("#model-name").select_option(OTHER)
    eventually(two, lambda: text_of(two) not in ("", first))
    assert text_of(two) == by_api(two_address, sample, OTHER)
    assert two.locator("#model-name").input_value() == OTHER
    two.locator("#model-name").select_option(names[0])
    eventually(two, lambda: text_of(two) == first)


def test_what_is_aligned_and_downloaded_is_the_chosen_models(two, recognize, eventually):
    two.locator("#model-name").select_option(OTHER)
    two.get_by_text(f"Model “{OTHER}”").wait_for()
    recognize(two)
    two.get_by_role("tab", name="Align").click()
    two.get_by_label("What was said").fill("it was a long time")
    with two.expect_response("**/align") as aligned:
        two.get_by_role("button", name="Align", exact=True).click()
    assert aligned.value.json()["model"]["name"] == OTHER
    two.locator("#aligned-words tr").first.wait_for()
    two.get_by_role("tab", name="Download").click()
    with two.expect_download() as saved:
        two.locator('[data-file="aligned.json"]').click()
    assert json.loads(saved.value.path().read_bytes())["model"]["name"] == OTHER
    for ending in ("txt", "probs.npy", "aligned.srt"):
        two.locator(f'[data-file="{ending}"]').focus()
        assert f"model={OTHER}" in two.locator("#curl").inner_text(), ending


def test_live_words_are_the_chosen_models(two, eventually):
    two.locator("#model-name").select_option(OTHER)
    two.get_by_text(f"Model “{OTHER}”").wait_for()
    with two.expect_websocket() as stream:
        two.get_by_role("button", name="Speak live").click()
    assert parse_qs(urlsplit(stream.value.url).query)["model"] == [OTHER]
    eventually(two, lambda: two.locator("#model-choice").is_hidden())
    two.get_by_role("button", name="Discard").click()
    two.locator("#model-choice").wait_for()


def test_one_model_is_no_choice(page):
    page.get_by_text("million weights").wait_for()
    assert page.locator("#model-choice").is_hidden()


def test_a_model_that_can_not_be_asked_leaves_the_one_before(open_page, two_address, eventually):
    with open_page(two_address) as watched:
        watched.expected = {503}
        select = watched.page.locator("#model-name")
        select.wait_for()
        first = select.input_value()
        watched.page.route("**/model?*", lambda route: route.fulfill(status=503))
        select.select_option(OTHER)
        watched.page.locator("#problems").wait_for()
        eventually(watched.page, lambda: select.input_value() == first)
        watched.page.unroute("**/model?*")
        watched.page.get_by_role("button", name="Try again").click()
        eventually(watched.page, lambda: select.input_value() == OTHER)
