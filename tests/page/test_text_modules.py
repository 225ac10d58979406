"""Modules of the page that compare, correct and show words."""

import json

import pytest

Error = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").Error


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ("a b c", "a b c", []),
        ("", "a", [("", "a")]),
        ("a", "", [("a", "")]),
        ("a long time", "along time", [("a long", "along")]),
        ("x b c y", "b d c z", [("x", ""), ("", "d"), ("y", "z")]),
    ],
)
def test_changes_of_words(run, before, after, changes):
    old, new = before.split(), after.split()
    found = run("diff.js", f"(it) => it.diffWords({old}, {new})")
    assert [at for each in found for at in each["before"]] == list(range(len(old)))
    assert [at for each in found for at in each["after"]] == list(range(len(new)))
    assert [
        (" ".join(old[at] for at in each["before"]), " ".join(new[at] for at in each["after"]))
        for each in found
        if each["kind"] == "changed"
    ] == changes


READING = {
    "written": "At 10:30 a.m. Mary & Jo left.",
    "words": [
        {"word": word, "start_s": at, "end_s": at + 0.5, "confidence": 0.9 - at / 10}
        for at, word in enumerate(["at", "ten", "thirty", "a", "m", "mary", "and", "jo", "left"])
    ],
    "written_tokens": [
        {"text": text, "mark": mark, "start_word": start, "end_word": end}
        for text, mark, start, end in (
            *(("At", "", 0, 1), ("10:30 a.m.", "", 1, 5), ("Mary & Jo", "", 5, 8)),
            ("left.", ".", 8, 9),
        )
    ],
}


def test_a_written_token_has_the_time_and_least_confidence_of_its_words(run):
    tokens = run("tokens.js", f"(it) => it.tokensOf({json.dumps(READING)}, 'written')")
    assert [token["word"] for token in tokens] == ["At", "10:30 a.m.", "Mary & Jo", "left."]
    assert (tokens[1]["start_s"], tokens[1]["end_s"]) == (1, 4.5)
    assert tokens[1]["confidence"] == pytest.approx(0.5)
    heard = run("tokens.js", f"(it) => it.tokensOf({json.dumps(READING)}, 'verbatim')")
    assert [token["word"] for token in heard] == [word["word"] for word in READING["words"]]


@pytest.mark.parametrize(
    ("before", "changes"),
    [
        ("at ten thirty a m mary and jo left", []),
        ("at ten dirty a m mary and jo left", [("ten dirty a m", [1])]),
        ("at ten thirty a m mary and the jo left", [("mary and the jo", [2])]),
        ("oh at ten thirty a m mary and jo laughed", [("oh", []), ("laughed", [3])]),
        ("at ten thirty hay mary and jo left", [("ten thirty hay", [1])]),
    ],
)
def test_changes_of_heard_words_leave_tokens_whole(run, before, changes):
    found = run(
        "tokens.js",
        f"""async (it, load) => {{
            const {{ diffWords }} = await load("diff.js");
            const reading = {json.dumps(READING)};
            const changes = diffWords({before.split()}, reading.words.map(({{ word }}) => word));
            return it.changesOfTokens(changes, it.tokensOf(reading, "written"));
        }}""",
    )
    assert [at for each in found for at in each["after"]] == [0, 1, 2, 3]
    assert [at for each in found for at in each["before"]] == list(range(len(before.split())))
    assert [
        (" ".join(before.split()[at] for at in each["before"]), each["after"])
        for each in found
        if each["kind"] == "changed"
    ] == changes


def corrected(run, form, file, **words):
    """A file with some tokens of READING corrected, by their places."""
    return run(
        "corrected-files.js",
        f"""async (it, load) => {{
            const {{ correctedToken, tokensOf }} = await load("tokens.js");
            const words = {json.dumps(words)};
            const tokens = tokensOf({json.dumps(READING)}, "written").map((token, place) =>
                `at${{place}}` in words ? correctedToken(token, words[`at${{place}}`]) : token);
            return it.correctedFile({form!r}, {json.dumps(file)}, tokens);
        }}""",
    )


def test_subtitles_are_corrected(run):
    cues = ["00:00:00,000 --> 00:00:04,500\nAt\n10:30 a.m.\n\n"]
    cues += ["00:00:05,000 --> 00:00:08,500\nMary & Jo left.\n\n"]
    srt = "".join(f"{number}\n{cue}" for number, cue in enumerate(cues, start=1))
    assert corrected(run, "srt", srt) == srt
    assert corrected(run, "srt", srt, at1="10:31") == srt.replace("10:30 a.m.", "10:31")
    assert corrected(run, "srt", srt, at2="<Mia>", at3="went.") == srt.replace(
        "Mary & Jo left.", "<Mia> went."
    )
    assert corrected(run, "srt", srt, at0="") == srt.replace("At\n", "")
    assert corrected(run, "srt", srt, at0="", at1="") == f"1\n{cues[1]}"
    vtt = ("WEBVTT\n\n" + "".join(cues)).replace(",", ".").replace("&", "&amp;")
    assert corrected(run, "vtt", vtt) == vtt
    assert corrected(run, "vtt", vtt, at2="<Mia> &lt;") == vtt.replace(
        "Mary &amp; Jo", "&lt;Mia&gt; &amp;lt;"
    )


def test_a_file_of_another_text_is_not_corrected(run):
    with pytest.raises(Error, match=r"Expected “10:30 a\.m\.”, got “twelve”"):
        corrected(run, "srt", "1\n00:00:00,000 --> 00:00:04,500\nAt twelve\n\n", at0="On")


def test_json_has_what_was_heard_and_what_was_corrected(run):
    answer = {**READING, "segments": [{"text": "At 10:30 a.m."}, {"text": "Mary & Jo left."}]}
    body = json.loads(corrected(run, "verbose_json", json.dumps(answer), at0="", at3="laughed!"))
    assert body["words"] == READING["words"]
    assert body["written"] == "10:30 a.m. Mary & Jo laughed!"
    assert [token["text"] for token in body["written_tokens"]] == [
        *("10:30 a.m.", "Mary & Jo", "laughed!")
    ]
    last = {"text": "laughed!", "mark": "!", "start_word": 8, "end_word": 9}
    assert body["written_tokens"][-1] == last
    assert body["segments"] == [{"text": "10:30 a.m."}, {"text": "Mary & Jo laughed!"}]


def test_the_end_of_a_long_live_text_stays_in_sight_unless_somebody_looks_back(run):
    shown = run(
        "live/text.js",
        """async (it) => {
            const place = document.querySelector("#live-text");
            document.querySelector("#live").hidden = false;
            const text = new it.LiveText(40, "written");
            const say = async (from, to) => {
                for (let at = from; at < to; at++) {
                    const word = { word: `word${at}`, start_s: at, end_s: at + 0.9, confidence: 1 };
                    text.showPartial({ words: [word], confirmed: 0 }, 0);
                    text.showFinal({ words: [word], start_s: at }, 0);
                    if (at % 20 === 0) await drawn();
                }
            };
            const drawn = () => new Promise((resume) =>
                requestAnimationFrame(() => requestAnimationFrame(resume)));
            const seen = async () => {
                await drawn();
                const { top, bottom } = place.getBoundingClientRect();
                const inside = (line) => {
                    const box = line.getBoundingClientRect();
                    return box.top >= top - 1 && box.bottom <= bottom + 1;
                };
                const lines = [...place.querySelectorAll(".utterance")].filter(inside);
                return lines.map((line) => line.textContent.trim());
            };
            await say(0, 1);
            const first = [await seen(), place.scrollHeight === place.clientHeight];
            await say(1, 300);
            const end = await seen();
            place.scrollBy(0, -400);
            const before = await seen();
            await say(300, 320);
            document.querySelector("#live").hidden = true;
            return [first, end, before, text.tokens.length];
        }""",
    )
    (first, fits), end, before, kept = shown
    assert first == ["word0"]
    assert fits
    assert end[-1] == "word299"
    assert "word299" not in before
    assert before
    assert kept == 40
