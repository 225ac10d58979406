"""Modules of the page that calculate with sound and matrices, and where to draw them."""

import io

import numpy as np
import pytest
import soundfile

Error = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").Error


def parsed(run, matrix):
    """What npy.js makes of what numpy writes."""
    buffer = io.BytesIO()
    np.save(buffer, matrix)
    return run(
        "npy.js",
        f"(it) => {{ const m = it.parseNpy(new Uint8Array({list(buffer.getvalue())}).buffer);"
        "return [m.rows, m.columns, [...m.values]]; }",
    )


def test_npy_is_what_numpy_writes(run):
    matrix = np.random.default_rng(0).standard_normal((7, 5)).astype(np.float32)
    rows, columns, values = parsed(run, matrix)
    assert (rows, columns) == matrix.shape
    assert np.array_equal(np.array(values, np.float32), matrix.ravel())


@pytest.mark.parametrize("dtype", ["float64", "int32"])
def test_npy_of_other_numbers_is_refused(run, dtype):
    with pytest.raises(Error, match=r": expected a float32 matrix row by row, got \{'descr'"):
        parsed(run, np.ones((2, 2), dtype))


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
