"""The texts: words to play, decoders to compare, the path to collapse, a text to align."""

import httpx
import pytest
from played import STARTS
from running_service import running_service

MINUS, BLANK = "\N{MINUS SIGN}", "\N{EN DASH}"


@pytest.fixture
def answers(sample, address):
    """What the API answers for the sample, by decoder."""
    asked = {
        "greedy": {"decoder": "greedy"},
        "beam": {"decoder": "beam", "language_model": "false", "n_best": "5"},
        "lm": {"n_best": "5"},
    }
    files = {"file": sample.read_bytes()}
    return {
        name: httpx.post(f"{address}/transcribe", files=files, data=options, timeout=60).json()
        for name, options in asked.items()
    }


def text_of(page):
    return " ".join(page.locator("#text .word").all_inner_texts())


def test_a_word_is_heard_and_nothing_else(heard, answers, eventually):
    heard.evaluate(STARTS)
    heard.get_by_role("button", name="came", exact=True).click()
    eventually(heard, lambda: heard.evaluate("started.length") == 1)
    [word] = [word for word in answers["lm"]["words"] if word["word"] == "came"]
    [[offset_s, duration_s]] = heard.evaluate("started")
    assert word["start_s"] - 0.05 < offset_s <= word["start_s"]
    assert word["end_s"] <= offset_s + duration_s < word["end_s"] + 0.1
    eventually(heard, lambda: heard.evaluate("lit.includes('came')"))
    eventually(heard, lambda: heard.locator("#play").get_attribute("aria-pressed") == "false")


def test_a_word_under_the_axis_is_heard_too(heard, answers, eventually):
    heard.evaluate(STARTS)
    [word] = [word for word in answers["lm"]["words"] if word["word"] == "before"]
    lane, middle_s = heard.locator(".lane-words"), (word["start_s"] + word["end_s"]) / 2
    x = 62 + (lane.bounding_box()["width"] - 63) * middle_s / 3.395
    lane.click(position={"x": x, "y": 16})
    eventually(heard, lambda: heard.evaluate("started.length") == 1)
    [[offset_s, duration_s]] = heard.evaluate("started")
    assert (offset_s, offset_s + duration_s) == pytest.approx((word["start_s"], word["end_s"]))


def test_space_plays_and_pauses(heard, eventually):
    heard.locator("#lanes").focus()
    heard.keyboard.press("Space")
    eventually(heard, lambda: heard.locator("#play").get_attribute("aria-pressed") == "true")
    eventually(heard, lambda: not heard.locator("#time").inner_text().startswith("0:00.0"))
    heard.keyboard.press("Space")
    eventually(heard, lambda: heard.locator("#play").get_attribute("aria-pressed") == "false")


def test_decoders_read_what_the_api_reads_and_are_compared(heard, answers, eventually):
    for name, label in (("greedy", "greedy"), ("beam", "beam"), ("lm", "beam + language model")):
        heard.locator(f'input[name="decoder"][value="{name}"]').check()
        eventually(heard, lambda name=name: text_of(heard) == answers[name]["text"])
        assert heard.get_by_label(label, exact=True).is_checked()
    heard.locator("#text ruby").first.wait_for()
    above = " ".join(heard.locator("#text rt").all_inner_texts())
    changed = set(answers["beam"]["text"].split()) - set(answers["lm"]["text"].split())
    assert changed
    assert set(above.split()) >= changed
    assert "the text of the beam alone" in heard.locator("#changes").inner_text()


def test_hypotheses_and_the_weight_of_the_language_model(heard, answers, eventually):
    heard.get_by_role("tab", name="Other texts").click()
    rows = heard.locator("#hypotheses tr")
    texts = [one["text"] for one in answers["lm"]["hypotheses"]]
    assert heard.locator(".hypothesis").all_inner_texts() == texts
    for row, one in zip(rows.all(), answers["lm"]["hypotheses"], strict=True):
        cells = [cell.replace(MINUS, "-") for cell in row.locator(".number").all_inner_texts()]
        score, sound, language, bonus = (float(cell) for cell in cells)
        assert score == pytest.approx(one["score"], abs=0.006)
        assert sound + language + bonus == pytest.approx(score, abs=0.03)
        assert language == pytest.approx(0.7 * one["lm"], abs=0.02)
    with heard.expect_response("**/reading?*") as reading:
        heard.locator("#lm-weight").fill("2")
    assert "lm_weight=2" in reading.value.url
    heavier = reading.value.json()["hypotheses"]
    eventually(heard, lambda: heard.locator(".hypothesis").count() == len(heavier))
    eventually(
        heard,
        lambda: heard.locator(".hypothesis").all_inner_texts() == [one["text"] for one in heavier],
    )
    heard.get_by_role("button", name="As shipped").click()
    eventually(heard, lambda: heard.locator("#lm-weight-value").inner_text() == "0.7")


def test_the_path_collapses_to_what_greedy_reads(heard, answers):
    steps = {}
    for step in ("path", "merged", "text"):
        heard.locator(f'input[name="collapse"][value="{step}"]').check()
        steps[step] = "".join(heard.locator("#cells .cell").all_inner_texts())
    assert len(steps["path"]) == 85
    merged = [
        letter
        for at, letter in enumerate(steps["path"])
        if at == 0 or steps["path"][at - 1] != letter
    ]
    assert steps["merged"] == "".join(merged)
    assert steps["text"] == steps["merged"].replace(BLANK, "")
    assert steps["text"].replace("␣", " ").split() == answers["greedy"]["text"].split()


def test_a_cell_of_the_path_shows_its_frame(heard):
    heard.locator("#cells .cell").nth(20).hover()
    heard.locator("#frame-number", has_text="frame t = 20 of 85").wait_for()


def test_a_text_is_aligned(heard, address, sample):
    heard.get_by_role("tab", name="Align").click()
    field = heard.get_by_label("What was said")
    assert field.input_value() == "it was a long time before he came home to his father"
    field.fill("It was a wrong time before he came home!")
    heard.get_by_role("button", name="Align", exact=True).click()
    heard.locator("#aligned-words tr").first.wait_for()
    expected = httpx.post(
        f"{address}/align",
        files={"file": sample.read_bytes()},
        data={"text": "it was a wrong time before he came home"},
        timeout=60,
    ).json()
    rows = heard.locator("#aligned-words tr").all()
    assert len(rows) == len(expected["words"]) == 9
    for row, word in zip(rows, expected["words"], strict=True):
        assert row.locator(".word").inner_text() == word["word"]
        assert "".join(row.locator(".letter").all_inner_texts()) == word["word"]
        gop = float(row.locator(".number").last.inner_text().replace(MINUS, "-"))
        assert gop == pytest.approx(word["gop"], abs=0.006)
    assert f"{-expected['log_prob']['text']:.2f}" in heard.locator("#align-facts").inner_text()


def test_a_text_that_cannot_be_aligned_is_told(watched, recognize):
    watched.expected.add(422)
    page = watched.page
    recognize(page)
    page.get_by_role("tab", name="Align").click()
    page.get_by_label("What was said").fill("東京")
    page.keyboard.press("Enter")
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert "The alphabet lacks characters" in alert.inner_text()
    assert page.locator("#aligned").is_hidden()


def test_the_view_follows_what_is_played(heard, eventually):
    for _ in range(3):
        heard.get_by_role("button", name="Zoom in").click()
    before = heard.locator("#range").inner_text()
    heard.get_by_role("button", name="Play").click()
    eventually(heard, lambda: heard.locator("#range").inner_text() != before)
    heard.get_by_role("button", name="Play").click()


def test_without_a_language_model_its_choice_is_closed(open_page, tmp_path, sentence_model):
    (tmp_path / "model.onnx").symlink_to(sentence_model)
    variables = {"OTOSCOPE_MODEL_PATH": str(tmp_path / "model.onnx")}
    with (
        running_service(tmp_path / "results.sqlite3", **variables) as bare,
        open_page(bare) as watched,
    ):
        page = watched.page
        page.get_by_role("button", name="Try the example").click()
        page.locator("#changes", has_text="the text of greedy decoding").wait_for()
        assert page.locator('input[name="decoder"][value="beam"]').is_checked()
        assert page.locator('input[name="decoder"][value="lm"]').is_disabled()
        page.get_by_role("tab", name="Other texts").click()
        assert page.locator("#hypotheses tr").count() == 5
        assert page.locator("#lm-controls").is_hidden()
