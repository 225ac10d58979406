"""What can be taken away, and the commands that get the same."""

import json
import shutil
import subprocess

import httpx
import numpy as np
import pytest

FILES = (
    *("txt", "srt", "vtt", "TextGrid", "json", "probs.npy", "probs.csv", "probs.json"),
    *("probs.png", "features.npy", "features.csv", "features.png"),
)
ALIGNED = ("aligned.TextGrid", "aligned.srt", "aligned.json", "aligned.png")


def save(page, ending):
    """The bytes of a file, after the curl line that goes with it is shown."""
    with page.expect_download() as download:
        page.locator(f'[data-file="{ending}"]').click()
    assert download.value.suggested_filename == f"sample.{ending}"
    return download.value.path().read_bytes()


def run_curl(page, folder):
    """What the shown line prints or writes, where the recording lies beside."""
    line = page.locator("#curl").inner_text()
    done = subprocess.run(
        line.replace("curl", "curl --silent --show-error --fail", 1),
        shell=True,
        cwd=folder,
        capture_output=True,
        check=True,
    )
    return (folder / line.rsplit(" -o ", 1)[1]).read_bytes() if " -o " in line else done.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl: apt-get install curl")
def test_each_file_is_what_its_curl_line_gets(heard, sample, tmp_path):
    shutil.copy(sample, tmp_path / "sample.flac")
    heard.get_by_role("tab", name="Align").click()
    heard.get_by_label("What was said").fill("he said it's a long time")
    heard.get_by_role("button", name="Align", exact=True).click()
    heard.locator("#aligned-words tr").first.wait_for()
    heard.get_by_role("tab", name="Download").click()
    shown = [each.get_attribute("data-file") for each in heard.locator("[data-file]").all()]
    assert shown == [*FILES, *ALIGNED]
    for ending in shown:
        saved, fetched = save(heard, ending), run_curl(heard, tmp_path)
        if ending.endswith(".json") or ending == "json":
            assert without_ids(saved) == without_ids(fetched)
        else:
            assert saved == fetched, ending


def without_ids(body):
    return {
        name: value for name, value in json.loads(body).items() if name not in ("id", "warnings")
    }


def test_files_hold_what_is_shown(heard, tmp_path):
    heard.locator('input[name="decoder"][value="greedy"]').check()
    heard.locator("#changes", has_text="Greedy").wait_for()
    words = heard.locator("#text .word").all_inner_texts()
    heard.get_by_role("tab", name="Download").click()
    assert save(heard, "txt").decode().split() == words
    assert " ".join(words[:2]) in save(heard, "srt").decode()
    assert save(heard, "vtt").startswith(b"WEBVTT")
    assert b'name = "characters"' in save(heard, "TextGrid")
    (tmp_path / "x.npy").write_bytes(save(heard, "features.npy"))
    assert np.load(tmp_path / "x.npy").shape == (339, 80)
    assert len(save(heard, "probs.csv").splitlines()) == 86
    assert save(heard, "probs.png").startswith(b"\x89PNG")


def test_the_line_is_copied(heard):
    heard.get_by_role("tab", name="Download").click()
    heard.locator('[data-file="vtt"]').focus()
    line = heard.locator("#curl").inner_text()
    assert line.startswith("curl -F file=@sample.flac")
    assert "response_format=vtt" in line
    heard.get_by_role("button", name="Copy", exact=True).click()
    heard.get_by_role("button", name="Copied").wait_for()
    assert heard.evaluate("navigator.clipboard.readText()") == line


def test_an_expired_result_is_told(watched, recognize):
    watched.expected.add(410)
    page = watched.page
    with page.expect_response("**/transcribe") as answer:
        recognize(page)
    result_id = answer.value.json()["id"]
    origin = page.url.rstrip("/")
    assert httpx.delete(f"{origin}/transcriptions/{result_id}").status_code == 204
    page.get_by_role("tab", name="Download").click()
    page.locator('[data-file="srt"]').click()
    page.get_by_role("alert").filter(has_text="no longer kept").wait_for()
