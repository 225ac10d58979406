"""Modules of the page that calculate, run in the browser they are for."""

import io
import json

import numpy as np
import pytest
import soundfile

Error = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").Error


@pytest.fixture(scope="module")
def run(open_page, address):
    """Call a function of a module's exports; what it gives is JSON."""

    def call(module, code):
        script = f"""async () => {{
            const base = document.querySelector("script[type=module]").src.replace("main.js", "");
            const it = await import(base + "{module}");
            return ({code})(it);
        }}"""
        return watched.page.evaluate(script)

    with open_page(address) as watched:
        yield call


def test_npy_is_what_numpy_writes(run):
    matrix = np.random.default_rng(0).standard_normal((7, 5)).astype(np.float32)
    buffer = io.BytesIO()
    np.save(buffer, matrix)
    octets = list(buffer.getvalue())
    got = run(
        "npy.js",
        f"(it) => {{ const m = it.parseNpy(new Uint8Array({octets}).buffer);"
        "return [m.rows, m.columns, [...m.values]]; }",
    )
    assert got[:2] == [7, 5]
    assert np.array_equal(np.array(got[2], np.float32), matrix.ravel())


@pytest.mark.parametrize("dtype", ["float64", "int32"])
def test_npy_of_other_numbers_is_refused(run, dtype):
    buffer = io.BytesIO()
    np.save(buffer, np.ones((2, 2), dtype))
    octets = list(buffer.getvalue())
    message = run(
        "npy.js",
        f"(it) => {{ try {{ it.parseNpy(new Uint8Array({octets}).buffer); return ''; }}"
        "catch (error) { return error.message; } }",
    )
    assert message.startswith("expected a float32 matrix row by row, got {'descr'")


def test_wav_is_what_libsndfile_reads(run):
    samples = np.clip(np.random.default_rng(1).standard_normal(900) / 2, -1.2, 1.2)
    listed = samples.astype(np.float32).tolist()
    octets = run(
        "wav.js",
        f"async (it) => {{ const all = it.toPcm(Float32Array.from({listed}));"
        "const blob = it.toWav([all.slice(0, 500), all.slice(500)], 44100);"
        "return [...new Uint8Array(await blob.arrayBuffer())]; }",
    )
    read, rate_hz = soundfile.read(io.BytesIO(bytes(octets)))
    assert rate_hz == 44100
    assert np.abs(read - np.clip(samples, -1, 1)).max() < 1e-4


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
        f"""async (it) => {{
            const base = document.querySelector("script[type=module]").src.replace("main.js", "");
            const {{ diffWords }} = await import(base + "diff.js");
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
        f"""async (it) => {{
            const base = document.querySelector("script[type=module]").src.replace("main.js", "");
            const {{ correctedToken, tokensOf }} = await import(base + "tokens.js");
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


def test_a_view_stays_within_the_recording(run):
    views = run(
        "viewport.js",
        """(it) => [
            it.clamped({ start_s: -3, span_s: 50 }, 10),
            it.clamped({ start_s: 9, span_s: 4 }, 10),
            it.zoomed({ start_s: 2, span_s: 4 }, 0.5, 3, 10),
            it.zoomed({ start_s: 2, span_s: 4 }, 1e-9, 3, 10),
            it.scrolled({ start_s: 2, span_s: 4 }, 100, 10),
            it.revealing({ start_s: 2, span_s: 4 }, 7, 7.5, 10),
        ]""",
    )
    assert [(round(v["start_s"], 6), round(v["span_s"], 6)) for v in views] == [
        *((0, 10), (6, 4), (2.5, 2), (2.9375, 0.25), (6, 4), (4.1, 4))
    ]


def test_features_of_each_kind_have_their_scale_and_axis(run):
    shown = run(
        "lanes/features.js",
        """(it) => ["log_mel", "whisper", "mfcc"].map(
            (kind) => [it.hasMelBins({ kind }), it.scaleOf({ kind }).low, it.scaleOf({ kind }).unit]
        )""",
    )
    sigma, decibels = "\N{GREEK SMALL LETTER SIGMA}", "\N{MULTIPLICATION SIGN} 40 dB"
    assert shown == [[True, -2, sigma], [True, -1, decibels], [False, -2, sigma]]


def test_ramps_rise_by_equal_steps_of_lightness(run):
    """Lightness after CIE 1976, from sRGB, by a formula of its own."""
    for name in ("energy", "belief"):
        pixels = np.array(
            run(
                "colours.js",
                f"(it) => [...new Uint8ClampedArray(it.palette().{name}.slice().buffer)]",
            )
        ).reshape(-1, 4)[:, :3]
        linear = np.where(
            pixels / 255 <= 0.04045, pixels / 255 / 12.92, ((pixels / 255 + 0.055) / 1.055) ** 2.4
        )
        luminance = linear @ [0.2126, 0.7152, 0.0722]
        lightness = np.where(luminance > 0.008856, 116 * np.cbrt(luminance) - 16, 903.3 * luminance)
        steps = np.diff(lightness[::15]) * (1 if lightness[-1] > lightness[0] else -1)
        assert steps.min() > 0
        assert steps.max() < 2.5 * steps.mean()
        assert abs(lightness[-1] - lightness[0]) > 60


def test_an_hour_of_posteriors_takes_the_room_of_its_last_seconds(run):
    kept = run(
        "live/posteriors.js",
        """(it) => {
            const live = new it.LivePosteriors(3, 0.04, 40);
            for (let stop = 10; stop <= 90_000; stop += 10) {
                const first = Math.max(stop - 35, 0);
                const rows = Array.from(Array(stop - first), (_, at) => [first + at, 0, stop]);
                live.put(first, rows);
            }
            const tiles = live.within(3590, 3600);
            const [tile] = tiles;
            return [live.rows, live.tiles.length, live.rowAt(1e9), live.has(0, 1),
                tiles.map(({ first, rows }) => [first, rows]), [...tile.values.slice(0, 6)]];
        }""",
    )
    rows, tiles, last, has, seen, values = kept
    assert (rows, tiles, last, has) == (90_000, 40, 89_999, True)
    assert seen == [[first, 25] for first in range(89_750, 90_000, 25)]
    assert values == [89_750, 0, 89_780, 89_751, 0, 89_780]


def test_frames_that_nothing_heard_stay_empty_and_known_ones_are_replaced(run):
    tiles = run(
        "live/posteriors.js",
        """(it) => {
            const live = new it.LivePosteriors(1, 0.04, 40);
            live.put(0, [[1], [2], [3]]);
            live.put(60, [[4], [5]]);
            live.tiles[0].derived.set("picture", 1);
            live.put(1, [[7]]);
            live.put(30, [[8]]);
            return live.tiles.map(({ first, rows, values, derived }) =>
                [first, [...values.slice(0, rows)], derived.size]);
        }""",
    )
    assert tiles == [[0, [1, 7, 3], 0], [60, [4, 5], 0]]


def test_an_hour_of_sound_takes_the_room_of_its_last_seconds(run):
    found = run(
        "live/waveform.js",
        """(it) => {
            const waveform = new it.LiveWaveform(1000, 40);
            for (let second = 0; second < 3600; second++) {
                const loud = (_, at) => (at % 2 ? 1 : -1) * second;
                waveform.put(Int16Array.from({ length: 1000 }, loud));
            }
            const times = [[3599, 3599.01], [3570, 3571], [10, 11], [3600, 3601]];
            const found = times.map(([from, to]) => waveform.between(from, to));
            return [waveform.least.length, ...found];
        }""",
    )
    columns, last, before, forgotten, future = found
    assert columns == 10_000
    assert np.allclose(last, [-3599 / 32768, 3599 / 32768])
    assert np.allclose(before, [-3570 / 32768, 3570 / 32768])
    assert forgotten is None
    assert future is None


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
