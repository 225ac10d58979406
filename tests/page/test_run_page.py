"""The page that a training run leaves, opened from its file."""

import base64

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch")

from training.run.page import render

HOSTILE = '</script><img src="http://example.invalid/x" onerror="document.title=1">{{js}} & <b>'
ROWS = ["a", " ", "<blank>"]


def levels(columns: int, rows: int, seed: int) -> str:
    values = np.random.default_rng(seed).integers(256, size=(columns, rows), dtype=np.uint8)
    return base64.b64encode(values.tobytes()).decode()


@pytest.fixture
def page_file(tmp_path):
    utterance = {
        "pairs": [["a", "a"], ["b", "c"], [" ", ""], ["", "d"], [HOSTILE, HOSTILE]],
        "where": HOSTILE,
        "rate": 0.25,
        "sound": "data:audio/mpeg;base64,",
    }
    example = {
        "said": HOSTILE,
        "where": "dev.jsonl: a.wav",
        "sound": "data:audio/mpeg;base64,",
        "frame_s": 0.04,
        "hop_s": 0.01,
        "mel": {"columns": 40, "rows": 8, "levels": levels(40, 8, 0)},
        "symbols": ROWS,
        "columns": 10,
        "steps": [
            {"epoch": epoch, "heard": f"heard {epoch}", "levels": levels(10, 3, epoch)}
            for epoch in (1, 2, 7)
        ],
    }
    data = {
        "name": HOSTILE,
        "facts": [["parameters", "12"], ["model", HOSTILE]],
        "curves": [
            {
                "title": "loss",
                "logarithmic": True,
                "lines": [{"label": "x", "points": [[1, 9.0], [50, 0.2]]}],
            },
            {"title": "one", "lines": [{"label": HOSTILE, "points": [[1, 0.0]]}]},
        ],
        "examples": [example],
        "worst": [utterance],
        "best": [],
        "confusions": {
            "symbols": ["a", ""],
            "counts": [[3, 1], [0, 0]],
            "mistakes": [["a", "", 1, 4], ["", "a", 1, 1]],
        },
        "report": HOSTILE,
    }
    path = tmp_path / "page.html"
    path.write_text(render(data), encoding="utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_shows_what_it_was_given_and_asks_nobody(browser, page_file, scheme):
    context = browser.new_context(color_scheme=scheme, viewport={"width": 420, "height": 900})
    page = context.new_page()
    wrong, asked = [], []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: asked.append(request.url.split(",")[0]))
    page.goto(page_file.as_uri())
    assert page.title() == f"{HOSTILE}: training run"
    assert page.locator("h1").inner_text() == HOSTILE
    assert page.locator(".said").inner_text() == HOSTILE
    assert page.locator("#report pre").inner_text() == HOSTILE
    assert page.locator(".chart path").count() == 2
    assert page.locator(".chart path").first.get_attribute("d").count("L") == 1
    assert page.locator("#best").is_hidden()
    assert page.locator(".diff del").all_inner_texts() == ["b", "␣"]
    assert page.locator(".diff ins").all_inner_texts() == ["c", "d"]
    assert page.locator(".mistakes td").all_inner_texts() == ["a → ∅", "1", "4", "∅ → a", "1", ""]
    assert page.locator(".heard").inner_text() == "heard 7"
    painted = "canvas => canvas.toDataURL()"
    probs = page.locator(".frames:not(.mel) canvas")
    last = probs.evaluate(painted)
    page.locator("input[type=range]").fill("0")
    assert page.locator(".heard").inner_text() == "heard 1"
    assert page.locator("output").inner_text() == "epoch 1"
    assert probs.evaluate(painted) != last
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) == 0
    assert wrong == []
    assert all(one.startswith(("file:", "data:audio/")) for one in asked)
    context.close()


def test_levels_are_where_they_belong(browser, page_file):
    page = browser.new_context().new_page()
    page.goto(page_file.as_uri())
    pixels = page.locator(".frames:not(.mel) canvas").evaluate(
        "c => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data)"
    )
    alpha = np.array(pixels).reshape(3, 10, 4)[:, :, 3]
    expected = np.random.default_rng(7).integers(256, size=(10, 3), dtype=np.uint8)
    np.testing.assert_array_equal(alpha, expected.T)
