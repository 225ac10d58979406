"""Written text: shown, copied, corrected, and taken away as it was corrected."""

import json

import httpx
import numpy as np
import pytest
import soundfile
from played import STARTS

KEPT = "localStorage.getItem('otoscope-corrections')"


@pytest.fixture(scope="module")
def speech(sample, tmp_path_factory):
    """The sample twice, with a second after each."""
    samples, rate_hz = soundfile.read(sample)
    path = tmp_path_factory.mktemp("speech") / "speech.flac"
    soundfile.write(path, np.tile(np.pad(samples, (0, rate_hz)), 2), rate_hz)
    return path


@pytest.fixture(scope="module")
def answer(speech, writing_address):
    files = {"file": speech.read_bytes()}
    return httpx.post(f"{writing_address}/transcribe", files=files, timeout=60).json()


@pytest.fixture
def writing(open_page, writing_address, speech):
    """The page when it shows a text of two sentences."""
    with open_page(writing_address) as watched:
        listen(watched.page, speech)
        yield watched.page


def listen(page, path):
    page.set_input_files("#file", path)
    page.locator("#text ruby").first.wait_for()  # the comparison comes last
    page.locator("#play:enabled").wait_for()


def text_of(page):
    return " ".join(page.locator("#text .word").all_inner_texts())


def word(page, place):
    return page.locator("#text .word").nth(place)


def correct(page, place, text):
    word(page, place).dblclick()
    page.locator(".word-input").fill(text)
    page.keyboard.press("Enter")


def save(page, ending):
    page.get_by_role("tab", name="Download").click()
    with page.expect_download() as download:
        page.locator(f'[data-file="{ending}"]').click()
    return download.value.path().read_bytes()


def test_the_text_is_as_written_or_as_heard_and_the_choice_is_kept(writing, answer, speech):
    assert text_of(writing) == answer["written"]
    assert answer["written"][0] == "W"
    writing.get_by_label("as written").focus()
    writing.keyboard.press("ArrowRight")
    assert writing.get_by_label("as heard").is_checked()
    assert text_of(writing) == answer["text"]
    assert save(writing, "txt").decode() == f"{answer['text']}\n"
    assert "style=verbatim" in writing.locator("#curl").inner_text()
    writing.reload()
    listen(writing, speech)
    assert text_of(writing) == answer["text"]
    writing.get_by_label("as written").check()
    assert text_of(writing) == answer["written"]
    assert save(writing, "txt").decode() == f"{answer['written']}\n"
    assert "style" not in writing.locator("#curl").inner_text()


def test_other_decoders_are_written_too(writing, speech, writing_address):
    files, data = {"file": speech.read_bytes()}, {"decoder": "greedy"}
    greedy = httpx.post(f"{writing_address}/transcribe", files=files, data=data, timeout=60).json()
    writing.locator('input[name="decoder"][value="greedy"]').check()
    writing.locator("#changes", has_text="Greedy").wait_for()
    assert text_of(writing) == greedy["written"]


def test_a_written_word_is_heard_and_lights_up(writing, answer, eventually):
    writing.evaluate(STARTS)
    place = next(at for at, each in enumerate(answer["written_tokens"]) if each["mark"] == ".")
    heard = answer["words"][answer["written_tokens"][place]["start_word"]]
    word(writing, place).click()
    eventually(writing, lambda: writing.evaluate("started.length") == 1)
    [[offset_s, duration_s]] = writing.evaluate("started")
    assert heard["start_s"] - 0.05 < offset_s <= heard["start_s"]
    assert heard["end_s"] <= offset_s + duration_s < heard["end_s"] + 0.1
    eventually(writing, lambda: writing.evaluate("lit.includes('father.')"))


def test_what_is_read_is_copied_and_nothing_else(writing, answer):
    assert writing.locator("#text rt").count() > 0
    writing.get_by_role("button", name="Copy text").click()
    writing.get_by_role("button", name="Copied").first.wait_for()
    assert writing.evaluate("navigator.clipboard.readText()") == answer["written"]
    marked = writing.evaluate(
        "(getSelection().selectAllChildren(document.getElementById('text')), `${getSelection()}`)"
    )
    assert marked.split() == answer["written"].split()
    correct(writing, 1, "")
    writing.get_by_role("button", name="Copy text").click()
    writing.get_by_role("button", name="Copied").first.wait_for()
    expected = answer["written"].replace(" a ", " ", 1)
    assert writing.evaluate("navigator.clipboard.readText()") == expected


def test_a_word_is_corrected_and_taken_back(writing, answer):
    first = answer["written"].split()[0]
    told = writing.locator("#corrections-about")
    assert "Double click a word" in told.inner_text()
    word(writing, 2).focus()
    writing.keyboard.press("Enter")
    writing.keyboard.type("never mind")
    writing.keyboard.press("Escape")
    assert text_of(writing) == answer["written"]
    assert writing.evaluate(KEPT) is None
    writing.keyboard.press("Enter")  # the word has the focus again
    writing.keyboard.type("  very   long ")
    writing.keyboard.press("Enter")
    assert text_of(writing) == answer["written"].replace("long", "very long", 1)
    assert writing.evaluate("document.activeElement.innerText") == "very long"
    assert told.inner_text() == "One word corrected, kept in this browser only."
    assert "heard as “long”" in word(writing, 2).get_attribute("title")
    word(writing, 0).dblclick()
    writing.locator(".word-input").fill("Is")
    word(writing, 4).click()  # what is typed counts, wherever one goes on
    assert word(writing, 0).inner_text() == "Is"
    assert told.inner_text() == "2 words corrected, kept in this browser only."
    word(writing, 0).dblclick()
    writing.get_by_role("button", name=f"“{first}” again").click()
    assert text_of(writing) == answer["written"].replace("long", "very long", 1)
    writing.get_by_role("button", name="Undo all").click()
    assert text_of(writing) == answer["written"]
    assert writing.evaluate(KEPT) == "{}"


def test_corrections_are_of_one_text_and_last_until_the_recording_is_deleted(
    writing, answer, speech, eventually
):
    correct(writing, 0, "Is")
    writing.get_by_label("as heard").check()
    assert text_of(writing) == answer["text"]
    writing.locator('input[name="decoder"][value="greedy"]').check()
    writing.locator("#changes", has_text="Greedy").wait_for()
    assert word(writing, 0).inner_text() != "Is"
    writing.reload()
    listen(writing, speech)
    writing.get_by_label("as written").check()
    assert text_of(writing) == f"Is{answer['written'][3:]}"
    writing.get_by_role("button", name="Delete this recording").click()
    eventually(writing, lambda: writing.evaluate("document.body.dataset.phase") == "empty")
    assert writing.evaluate(KEPT) == "{}"
    listen(writing, speech)
    assert text_of(writing) == answer["written"]


def test_another_recording_has_no_corrections_of_this_one(writing, recognize, sample):
    correct(writing, 0, "Is")
    listen(writing, sample)
    assert word(writing, 0).inner_text() == "Was"
    assert "Double click a word" in writing.locator("#corrections-about").inner_text()


def test_files_for_people_are_of_the_corrected_text(writing, answer):
    before = {ending: save(writing, ending) for ending in ("srt", "vtt", "json", "TextGrid")}
    correct(writing, 0, "Is")
    correct(writing, 1, "")
    correct(writing, 2, "<long>")
    text = f"Is <long>{answer['written'][len('Was a long') :]}"
    assert save(writing, "txt").decode() == f"{text}\n"
    assert "without what was corrected" in writing.locator("#curl-for").inner_text()
    srt, vtt = save(writing, "srt").decode(), save(writing, "vtt").decode()
    assert srt == before["srt"].decode().replace("Was a long", "Is <long>", 1)
    assert vtt == before["vtt"].decode().replace("Was a long", "Is &lt;long&gt;", 1)
    assert save(writing, "TextGrid") == before["TextGrid"]
    assert "without what was corrected" not in writing.locator("#curl-for").inner_text()
    body, was = json.loads(save(writing, "json")), json.loads(before["json"])
    assert body["written"] == text
    assert " ".join(token["text"] for token in body["written_tokens"]) == text
    assert " ".join(segment["text"] for segment in body["segments"]) == text
    assert [each["start_s"] for each in body["segments"]] == [
        each["start_s"] for each in was["segments"]
    ]
    changed = ("written", "written_tokens", "segments")
    assert {k: v for k, v in body.items() if k not in changed} == {
        k: v for k, v in was.items() if k not in changed
    }


def test_shades_are_those_of_the_theme_and_of_what_was_corrected(writing):
    shades = "[...document.querySelectorAll('#text .word')].map((e) => e.style.cssText)"
    light = writing.evaluate(shades)
    writing.get_by_role("button", name="Change to the dark theme").click()
    dark = writing.evaluate(shades)
    assert all(one != other for one, other in zip(light, dark, strict=True))
    correct(writing, 1, "the")
    corrected = writing.evaluate(shades)
    assert [at for at, one in enumerate(dark) if one != corrected[at]] == [1]


def test_without_a_punctuation_model_there_is_no_switch_and_words_are_corrected(heard):
    assert heard.locator("#text-style").is_hidden()
    text = text_of(heard)
    correct(heard, 1, "the")
    corrected = text.replace(" a ", " the ", 1)
    assert text_of(heard) == corrected
    assert save(heard, "txt").decode() == f"{corrected}\n"
    assert json.loads(save(heard, "json"))["written"] == corrected
    assert json.loads(save(heard, "json"))["text"] == text


def test_a_narrow_screen_holds_a_word_that_is_typed(open_page, writing_address, speech):
    with open_page(writing_address, width=360, height=740) as watched:
        page = watched.page
        listen(page, speech)
        correct(page, 0, "Was " * 12)
        word(page, 0).dblclick()
        page.locator(".word-undo").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.keyboard.press("Escape")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
