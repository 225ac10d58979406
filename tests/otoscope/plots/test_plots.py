"""otoscope.plots: what is drawn is what was given, at a size that follows from it."""

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="matplotlib comes with the extras service and training")

import librosa
from PIL import Image

from otoscope import (
    ENGLISH,
    Alphabet,
    FeatureMatrix,
    FeatureSpec,
    FrameClock,
    PhonemePosteriors,
    PhonemeSet,
    Posteriors,
    Word,
    greedy,
)
from otoscope.errors import NoPhonemesError
from otoscope.plots.features import draw_features, mel_bin
from otoscope.plots.figure import to_png
from otoscope.plots.posteriorgram import draw_posteriorgram

SPEC = FeatureSpec()
DPI = 150


def features_of(seconds=2.0, seed=0, spec=SPEC):
    values = np.random.default_rng(seed).standard_normal((round(seconds / spec.hop_s), spec.bins))
    return FeatureMatrix(values.astype(np.float32), spec)


def spelling(text, alphabet=ENGLISH, sure=0.9):
    """Posteriors that spell `text`: two frames a symbol, then one of the blank."""
    classes = [alphabet.symbols.index(c) for c in text]
    path = np.array([each for c in classes for each in (c, c, alphabet.blank_index)])
    probs = np.full((len(path), alphabet.size), (1 - sure) / (alphabet.size - 1))
    probs[np.arange(len(path)), path] = sure
    clock = FrameClock(0.04, 0.04 * len(path))
    return Posteriors(np.log(probs).astype(np.float32), alphabet, clock), path


def size_of(png):
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    with Image.open(io.BytesIO(png)) as image:
        image.load()
        return image.size


def texts(axes):
    return [text.get_text() for text in axes.texts]


def tick_labels(axes):
    return [label.get_text() for label in axes.get_yticklabels()]


@pytest.mark.parametrize("spec", [SPEC, FeatureSpec(n_mels=64, low_hz=50.0, high_hz=7600.0)])
def test_frequencies_are_where_librosas_filters_are(spec):
    centers_hz = librosa.mel_frequencies(
        n_mels=spec.n_mels + 2, fmin=spec.low_hz, fmax=spec.high_hz
    )[1:-1]
    bins = [mel_bin(hz, spec) for hz in centers_hz]
    np.testing.assert_allclose(bins, np.arange(spec.n_mels), atol=1e-6)


def test_words_stand_at_their_times():
    posteriors, _ = spelling("we hear")
    figure = draw_posteriorgram(features_of(1.0), posteriors)
    features_axes, spikes, matrix, *_ = figure.axes
    words = greedy(posteriors).words
    assert texts(features_axes) == ["we", "hear"]
    for text, word in zip(features_axes.texts, words, strict=True):
        assert text.get_position()[0] == pytest.approx((word.start_s + word.end_s) / 2)
    edges_s = [edge for word in words for edge in (word.start_s, word.end_s)]
    for axes in (features_axes, spikes, matrix):
        upright = [line for line in axes.lines if len(set(line.get_xdata())) == 1]
        assert [line.get_xdata()[0] for line in upright] == pytest.approx(edges_s)


def test_words_other_than_those_of_greedy_decoding():
    posteriors, _ = spelling("we hear")
    words = [Word("wee", 0.1, 0.2, 1.0), Word("ear", 0.5, 0.7, 1.0), Word("out", 0.9, 1.0, 1.0)]
    figure = draw_posteriorgram(features_of(1.0), posteriors, words=words, span_s=(0.0, 0.8))
    features_axes = figure.axes[0]
    assert texts(features_axes) == ["wee", "ear"]
    edges_s = [
        line.get_xdata()[0] for line in features_axes.lines if len(set(line.get_xdata())) == 1
    ]
    assert edges_s == pytest.approx([0.1, 0.2, 0.5, 0.7])


def test_symbols_of_the_path_stand_above_their_spikes():
    posteriors, _ = spelling("we 'r")
    _, spikes, *_ = draw_posteriorgram(features_of(1.0), posteriors).axes
    assert texts(spikes) == ["w", "e", "\N{OPEN BOX}", "'", "r"]
    # Each symbol has frames 3i and 3i + 1; the first of all starts at 0.
    middles_s = [text.get_position()[0] for text in spikes.texts]
    assert middles_s == pytest.approx([0.03, *(0.12 * i + 0.02 for i in range(1, 5))])


def test_cells_are_the_posteriors_and_the_path_goes_through_the_likeliest():
    posteriors, path = spelling("hear")
    *_, matrix = draw_posteriorgram(features_of(0.5), posteriors).axes[:3]
    [image] = matrix.images
    np.testing.assert_allclose(image.get_array(), posteriors.probs.T)
    assert image.get_clim() == (0, 1)
    assert image.get_extent() == pytest.approx([-0.02, 0.04 * (len(path) - 0.5), 28.5, -0.5])
    line = next(line for line in matrix.lines if line.get_drawstyle() == "steps-mid")
    np.testing.assert_allclose(line.get_xdata(), 0.04 * np.arange(len(path)))
    np.testing.assert_array_equal(line.get_ydata(), path)
    assert tick_labels(matrix) == [*"abcdefghijklmnopqrstuvwxyz", "space", "\u2019", "blank"]


def test_chosen_columns_are_rows_in_that_order():
    posteriors, path = spelling("aba")
    *_, matrix = draw_posteriorgram(features_of(0.3), posteriors, columns=(28, 0)).axes[:3]
    [image] = matrix.images
    np.testing.assert_allclose(image.get_array(), posteriors.probs[:, [28, 0]].T)
    assert tick_labels(matrix) == ["blank", "a"]
    line = next(line for line in matrix.lines if line.get_drawstyle() == "steps-mid")
    expected = np.select([path == 28, path == 0], [0.0, 1.0], np.nan)
    np.testing.assert_array_equal(line.get_ydata(), expected)


def test_a_part_shows_that_part():
    posteriors, _ = spelling("we hear them")
    features = features_of(1.5)
    features_axes, _, matrix, *_ = draw_posteriorgram(features, posteriors, span_s=(0.4, 0.8)).axes
    assert texts(features_axes) == ["hear"]
    for axes in (features_axes, matrix):
        assert axes.get_xlim() == (0.4, 0.8)
    np.testing.assert_array_equal(features_axes.images[0].get_array(), features.values[40:81].T)
    np.testing.assert_allclose(matrix.images[0].get_array(), posteriors.probs[10:21].T)


def test_phonemes_instead_of_characters():
    posteriors, _ = spelling("ab")
    phonemes = PhonemeSet(("AA", "CH"))
    probs = np.array([[0.8, 0.1, 0.1], [0.1, 0.1, 0.8], [0.1, 0.8, 0.1]] * 2, dtype=np.float32)
    both = replace(posteriors, phonemes=PhonemePosteriors(np.log(probs), phonemes))
    features_axes, spikes, matrix, *_ = draw_posteriorgram(
        features_of(0.3), both, phonemes=True
    ).axes
    assert texts(features_axes) == ["ab"]
    assert texts(spikes) == ["AA", "CH", "AA", "CH"]
    np.testing.assert_allclose(matrix.images[0].get_array(), probs.T, rtol=1e-6)
    assert tick_labels(matrix) == ["AA", "CH", "blank"]
    with pytest.raises(NoPhonemesError):
        draw_posteriorgram(features_of(0.3), posteriors, phonemes=True)


def test_size_follows_from_time_and_symbols():
    # Inches: 0.75 + 0.8 beside the time axis, which has 1.3 a second, 6 at least and 78 at most;
    # 1.6 + 1.25 and 0.125 a symbol, two gaps of 0.12, 0.4 above and 0.5 below.
    for seconds, width_in in ((1.0, 6.0), (10.0, 13.0), (90.0, 78.0)):
        posteriors = replace(spelling("ab")[0], clock=FrameClock(0.04, seconds))
        figure = draw_posteriorgram(features_of(seconds), posteriors)
        assert figure.get_size_inches() == pytest.approx((1.55 + width_in, 3.99 + 29 * 0.125))
    short = draw_posteriorgram(features_of(0.5), spelling("ab")[0], columns=range(8))
    assert size_of(to_png(short)) == pytest.approx((7.55 * DPI, 4.99 * DPI), abs=1)


def test_picture_changes_with_the_data_alone():
    posteriors, _ = spelling("ab")
    first = to_png(draw_posteriorgram(features_of(0.3), posteriors))
    assert to_png(draw_posteriorgram(features_of(0.3), posteriors)) == first
    others = [
        draw_posteriorgram(features_of(0.3, seed=1), posteriors),
        draw_posteriorgram(features_of(0.3), spelling("ab", sure=0.7)[0]),
        draw_posteriorgram(features_of(0.3), posteriors, title="the same"),
    ]
    assert all(to_png(other) != first for other in others)


def test_threads_draw_what_one_draws():
    def draw(seed):
        return to_png(draw_posteriorgram(features_of(0.3, seed), spelling("ab")[0], columns=(0, 1)))

    alone = [draw(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(draw, range(4))) == alone
    assert len(set(alone)) == 4


def test_dollars_are_no_formulas():
    posteriors, _ = spelling("$^$", Alphabet(("$", "^")))
    figure = draw_posteriorgram(features_of(0.4), posteriors, title=r"$\frac$")
    assert texts(figure.axes[0]) == ["$^$"]
    size_of(to_png(figure))  # a formula that can't be read would raise


@pytest.mark.parametrize("value", [0.0, 1.5])
def test_silence_and_one_frame(value):
    features = FeatureMatrix(np.full((1, SPEC.bins), value, dtype=np.float32), SPEC)
    blank, _ = spelling("a")
    one = replace(blank, log_probs=blank.log_probs[2:3], clock=FrameClock(0.04, 0.01))
    figure = draw_posteriorgram(features, one)
    assert texts(figure.axes[0]) == []
    size_of(to_png(figure))


def test_features_alone():
    features = features_of(10.0)
    figure = draw_features(features, span_s=(2.0, 3.0))
    axes, bar = figure.axes
    np.testing.assert_array_equal(axes.images[0].get_array(), features.values[200:301].T)
    assert axes.get_xlim() == (2.0, 3.0)
    assert tick_labels(axes) == ["0.5", "1", "2", "4"]
    assert bar.get_ylabel() == "standard deviations"
    whisper = FeatureSpec(kind="whisper", n_fft=400, preemphasis=0.0, log_guard=1e-10)
    panel, colours = draw_features(features_of(1.0, spec=whisper)).axes
    assert (panel.get_ylabel(), colours.get_ylabel()) == ("frequency (kHz)", "log-mel, 40 dB")
    mfcc = features_of(1.0, spec=FeatureSpec(kind="mfcc"))
    assert draw_features(mfcc).axes[0].get_ylabel() == "cepstral coefficient"
