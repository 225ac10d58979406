"""otoscope.longform on a scripted model: no word doubled or lost, however it is cut."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted_model import SPEC, UNIT, ScriptedModel, record
from signals import RATE_HZ, noise

from otoscope import ARPABET, Recognizer, ctc, greedy
from otoscope.errors import AudioTooShortError, NonFiniteAudioError
from otoscope.longform import recognition, recognize, recognize_steps
from otoscope.longform.windows import WindowOptions

SHORT = WindowOptions(shortest_s=4.0, longest_s=8.0, overlap_s=2.0)
LETTERS = list("abcdefghijklmnopqrstuvwxyz")


def speech(seed, words=60, pause=15, letters=LETTERS, ragged=0):
    """Words of one to seven letters, with pauses of up to `pause` frames between some of them."""
    generator = np.random.default_rng(seed)
    spelled = ["".join(generator.choice(letters, generator.integers(1, 8))) for _ in range(words)]
    pauses = [int(generator.integers(0, pause + 1)) for _ in range(words)]
    return record(spelled, pauses, generator, ragged)


def expected_frames(samples):
    return -(-(samples // SPEC.features.hop_samples) // SPEC.frame_stride)


def phonemes_of(posteriors):
    path = posteriors.phonemes.log_probs.argmax(axis=1)
    return ctc.collapse(path, ARPABET.blank_index).tolist()


def check(recording, options=SHORT):
    model = ScriptedModel()
    posteriors = recognize(model, [recording.samples], options).posteriors
    assert greedy(posteriors).text == recording.text
    assert phonemes_of(posteriors) == recording.labels
    frames = expected_frames(recording.samples.size)
    assert posteriors.log_probs.shape == (frames, 29)
    assert posteriors.phonemes.log_probs.shape == (frames, 40)
    assert posteriors.clock.duration_s == recording.samples.size / RATE_HZ
    return model, posteriors


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 80), st.integers(0, 25), st.integers(0, UNIT - 1))
def test_every_word_is_there_once(seed, words, pause, ragged):
    check(speech(seed, words, pause, ragged=ragged))


@pytest.mark.parametrize("seed", range(3))
def test_where_there_is_no_pause_at_all(seed):
    model, _ = check(speech(seed, pause=0))
    assert sum(map(len, model.batches)) > 3


@pytest.mark.parametrize("seed", range(3))
def test_letters_that_are_all_alike_are_counted_right(seed):
    check(speech(seed, pause=0, letters=["a", "b"]))
    check(speech(seed, pause=0, letters=["a"]))


def test_symbols_are_where_they_were_said():
    recording = speech(7)
    _, posteriors = check(recording)
    path = posteriors.log_probs.argmax(axis=1).astype(np.int64)
    shown = [run.start for run in ctc.runs(path) if run.label != 28]
    assert np.abs(np.array(shown) - recording.frames).max() <= 2


def test_silence_all_through():
    samples = np.zeros(50 * RATE_HZ + 123, dtype=np.float32)
    posteriors = recognize(ScriptedModel(), [samples], SHORT).posteriors
    assert greedy(posteriors).text == ""
    assert posteriors.log_probs.shape[0] == expected_frames(samples.size)


def test_a_model_without_a_phoneme_head():
    recording = speech(8)
    model = ScriptedModel(phonemes=False)
    posteriors = recognize(model, [recording.samples], SHORT).posteriors
    assert greedy(posteriors).text == recording.text
    assert posteriors.phonemes is None


def test_batches_are_bounded_and_hold_windows_of_similar_length(monkeypatch):
    recording = speech(9, words=150)
    model, posteriors = check(recording)
    assert max(map(len, model.batches)) <= recognition._BATCH_WINDOWS
    for group in zip(model.batches[::2], model.batches[1::2], strict=False):
        assert max(group[0]) <= min(group[1])
    monkeypatch.setattr(recognition, "_BATCH_WINDOWS", 1)
    monkeypatch.setattr(recognition, "_GROUP_WINDOWS", 3)
    _, alone = check(recording)
    np.testing.assert_array_equal(alone.log_probs, posteriors.log_probs)


def test_it_pauses_between_groups_and_not_for_short_recordings():
    long, short = speech(10, words=150), speech(10, words=5)
    pauses = list(recognize_steps(ScriptedModel(), [long.samples], SHORT))
    model, _ = check(long)
    windows = sum(map(len, model.batches))
    assert len(pauses) == -(-windows // recognition._GROUP_WINDOWS) - 1 > 0
    assert list(recognize_steps(ScriptedModel(), [short.samples], SHORT)) == []


def test_what_is_told_in_a_pause_stays_and_is_told_once():
    long = speech(11, words=200)
    work = recognize_steps(ScriptedModel(), [long.samples], SHORT)
    told = list(iter(lambda: next(work, None), None))
    _, whole = check(long)
    for of in (lambda one: one.log_probs, lambda one: one.phonemes.log_probs):
        joined = np.concatenate([of(each) for each in told])
        assert 0 < len(joined) < len(of(whole))
        np.testing.assert_array_equal(joined, of(whole)[: len(joined)])
    assert all(each.clock.duration_s == len(each.log_probs) * SPEC.frame_s for each in told)


def test_memory_does_not_grow_with_the_recording():
    """Twenty minutes are 77 MB of samples; their posteriors are 8 MB."""
    second = speech(12, words=1, pause=0).samples[:RATE_HZ]
    tracemalloc.start()
    try:
        posteriors = recognize(ScriptedModel(), (second for _ in range(1200))).posteriors
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert posteriors.log_probs.shape[0] == 30000
    assert peak_bytes < 40e6


def test_errors_of_the_source_and_of_the_samples_come_through():
    def broken():
        yield noise(40)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        recognize(ScriptedModel(), broken())


@pytest.fixture(scope="module")
def model(sentence_model):
    return Recognizer(sentence_model)


@pytest.mark.parametrize("count", [0, 399])
def test_shorter_than_a_window(model, count):
    with pytest.raises(AudioTooShortError, match=rf"at least 400 samples, got \({count},\)"):
        recognize(model, [noise(1.0)[:count]])


def test_samples_that_are_no_numbers(model):
    samples = noise(0.5)
    samples[7] = np.nan
    with pytest.raises(NonFiniteAudioError, match="the first at sample 7"):
        recognize(model, [samples])


@pytest.mark.parametrize("seconds", [0.025, 1.7, 12.34])
def test_short_recordings_come_out_bit_for_bit_as_in_one_piece(model, seconds):
    samples = noise(seconds)
    [expected] = model.posteriors([samples])
    found = recognize(model, np.array_split(samples, 3)).posteriors
    np.testing.assert_array_equal(found.log_probs, expected.log_probs)
    assert found.clock == expected.clock


def test_features_come_along_window_by_window_if_they_are_asked_for(model):
    blocks = np.array_split(noise(70.0), 9)
    long = recognize(model, blocks, keep_features=True)
    assert long.require_features().values.shape == (7000, model.spec.features.bins)
    assert long.posteriors.log_probs.shape[0] == 1750
    with pytest.raises(ValueError, match="kept its features"):
        recognize(model, blocks[:1]).require_features()


def test_features_of_a_short_recording_are_those_of_one_piece(model):
    samples = noise(10.0)
    short = recognize(model, [samples], keep_features=True)
    [whole] = model.posteriors([samples])
    np.testing.assert_array_equal(short.features.values, model.features(samples))
    np.testing.assert_array_equal(short.posteriors.log_probs, whole.log_probs)
