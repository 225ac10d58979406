"""Modules of the page that calculate, run in the browser they are for."""

import io

import numpy as np
import pytest
import soundfile


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
        f"async (it) => {{ const all = Float32Array.from({listed});"
        "const blob = it.toWav([all.slice(0, 500), all.slice(500)], 900, 44100);"
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
