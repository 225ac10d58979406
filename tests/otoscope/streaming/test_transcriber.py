"""Streams of a scripted model and of the model that knows the sample; none needs a network."""

import json

import jiwer
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted_model import SPEC, ScriptedModel, record
from sentence_model import GREEDY, HEARD, ROOT, SAMPLE
from signals import noise
from streamed import pieces_of, streamed, words_of

from otoscope import Recognizer, load
from otoscope.decoding.decoder import Decoder, open_decoder
from otoscope.decoding.options import DecodingOptions
from otoscope.errors import NonFiniteAudioError, OptionsError
from otoscope.longform import run_through
from otoscope.streaming import (
    Final,
    Frames,
    Partial,
    SpeechStarted,
    StreamingOptions,
    StreamingTranscriber,
    decode_here,
)

RATE_HZ = 16000
SHIPPED = ROOT / "models/english/model.int8.onnx"
GREEDILY = DecodingOptions(decoder="greedy")
CLEAR = StreamingOptions(step_s=0.5, silence_s=1.0)
LETTERS = list("abcdefghijklmnopqrstuvwxyz")


def scripted(options=CLEAR, **more):
    return StreamingTranscriber(
        ScriptedModel(), decode_here(Decoder(SPEC.alphabet)), options, GREEDILY, **more
    )


def said(seed, words=40, pause=40):
    generator = np.random.default_rng(seed)
    spelled = ["".join(generator.choice(LETTERS, generator.integers(1, 8))) for _ in range(words)]
    pauses = [int(generator.integers(0, pause + 1)) for _ in range(words)]
    return record(spelled, pauses, generator)


def check_confirmed(events):
    """Confirmed words stay, to the end of their utterance and in order."""
    confirmed = []
    for event in events:
        if isinstance(event, Partial):
            assert list(event.words[: len(confirmed)]) == confirmed
            confirmed = list(event.words[: event.confirmed])
        elif isinstance(event, Final):
            assert list(event.words[: len(confirmed)]) == confirmed[: len(event.words)]
            confirmed = confirmed[len(event.words) :]  # of a long one that was divided
    assert not confirmed


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.integers(500, 30_000), min_size=1, max_size=5))
def test_every_word_comes_once_however_the_stream_is_divided(seed, sizes):
    recording = said(seed)
    events = streamed(scripted(), pieces_of(recording.samples, sizes))
    check_confirmed(events)
    assert jiwer.cer(recording.text, " ".join(words_of(events, Final))) <= 0.02
    whole = streamed(scripted(), [recording.samples])
    assert words_of(events, Final) == words_of(whole, Final)


def test_utterances_are_numbered_and_divided_by_silence():
    generator = np.random.default_rng(0)
    recording = record(["one", "two", "three", "four"], [0, 60, 0, 60], generator)
    events = streamed(scripted(), pieces_of(recording.samples, [4000]))
    ended = [event for event in events if isinstance(event, Final)]
    assert [event.text for event in ended] == ["one two", "three four"]
    assert [event.utterance for event in ended] == [0, 1]
    starts = [event for event in events if isinstance(event, SpeechStarted)]
    assert [event.utterance for event in starts] == [0, 1]
    for start, final in zip(starts, ended, strict=True):
        assert start.start_s == final.start_s < final.words[0].start_s
        assert final.words[-1].end_s < final.end_s
        frames = final.posteriors.log_probs.shape[0]
        assert final.end_s - final.start_s == pytest.approx(frames * SPEC.frame_s, abs=0.05)
        assert final.first_frame * SPEC.frame_s == pytest.approx(final.start_s + SPEC.frame_s / 2)


def test_words_have_the_times_of_the_stream():
    generator = np.random.default_rng(1)
    recording = record(["one", "two"], [80, 30], generator)
    [one, two] = (
        event for event in streamed(scripted(), [recording.samples]) if isinstance(event, Final)
    )
    for final, first in ((one, 0), (two, 4)):  # a space is the fourth symbol
        said_s = recording.frames[first] * SPEC.frame_s
        assert final.words[0].start_s == pytest.approx(said_s, abs=0.15)


def test_words_are_shown_and_confirmed_while_they_are_spoken():
    recording = said(3, words=12, pause=0)
    events = streamed(scripted(), pieces_of(recording.samples, [1600]))
    partials = [event for event in events if isinstance(event, Partial)]
    assert partials[0].confirmed == 0
    assert partials[-1].confirmed >= 8
    assert len(partials) > 10


def test_a_long_utterance_is_divided_and_loses_nothing():
    recording = said(5, words=60, pause=0)
    options = StreamingOptions(longest_window_s=8.0, longest_utterance_s=10.0)
    events = streamed(scripted(options), pieces_of(recording.samples, [1600]))
    check_confirmed(events)
    ended = [event for event in events if isinstance(event, Final)]
    assert len(ended) > 3
    assert max(event.end_s - event.start_s for event in ended) <= 10.5
    assert jiwer.cer(recording.text, " ".join(words_of(events, Final))) <= 0.03


def test_what_is_kept_is_bounded():
    transcriber, longest_s = scripted(), 0.0
    recording = said(7, words=100, pause=60)
    for piece in pieces_of(recording.samples, [16_000]):
        run_through(transcriber.feed(piece))
        longest_s = max(longest_s, transcriber.kept_s)
    assert transcriber.received_s > 60
    assert longest_s <= CLEAR.longest_utterance_s + 2 * CLEAR.context_s + CLEAR.step_s
    for _ in range(100):
        run_through(transcriber.feed(np.zeros(16_000, dtype=np.float32)))
    assert transcriber.kept_s <= CLEAR.shortest_window_s + CLEAR.step_s


def test_frames_cover_the_stream_and_replace_those_told_before():
    recording = said(9, words=10, pause=0)
    events = streamed(scripted(frames=True), pieces_of(recording.samples, [1600]))
    known = 0
    for event in events:
        if isinstance(event, Frames):
            assert 0 <= event.first_frame <= known
            known = event.first_frame + event.posteriors.log_probs.shape[0]
    assert known == recording.samples.size // SPEC.frame_samples


def test_silence_and_nothing_at_all_say_nothing():
    assert streamed(scripted(), [np.zeros(160_000, dtype=np.float32)]) == []
    assert streamed(scripted(), []) == []
    assert streamed(scripted(), [np.zeros(10, dtype=np.float32)]) == []


def test_a_stream_may_go_on_behind_a_flush():
    recording = said(11, words=6, pause=0)
    transcriber = scripted()
    first = streamed(transcriber, [recording.samples])
    second = streamed(transcriber, [recording.samples])
    [one], [two] = ([each for each in some if isinstance(each, Final)] for some in (first, second))
    assert one.text == two.text == recording.text
    assert two.start_s > one.end_s


def test_what_is_forgotten_is_not_told_of():
    recording = said(13, words=8, pause=0)
    transcriber = scripted()
    run_through(transcriber.feed(recording.samples[: recording.samples.size // 2]))
    transcriber.forget()
    silence = np.zeros(2 * RATE_HZ, dtype=np.float32)
    assert words_of(streamed(transcriber, [silence]), Final) == []
    assert words_of(streamed(transcriber, [recording.samples]), Final) == recording.text.split()


def test_what_follows_forgotten_audio_has_its_times_in_large_steps():
    """1.9 s that were not heard yet are forgotten, more than a window has before an utterance."""
    transcriber = scripted(StreamingOptions(step_s=2.0), frames=True)
    run_through(transcriber.feed(np.zeros(round(7.9 * RATE_HZ), dtype=np.float32)))
    transcriber.forget()
    [frames] = run_through(transcriber.feed(np.zeros(round(0.2 * RATE_HZ), dtype=np.float32)))
    stop = frames.first_frame + frames.posteriors.log_probs.shape[0]
    assert stop == round(8.0 / SPEC.frame_s)


def test_without_an_end_by_silence_the_utterance_goes_on():
    generator = np.random.default_rng(0)
    recording = record(["one", "two"], [100, 60], generator)
    options = StreamingOptions(silence_s=float("inf"))
    events = streamed(scripted(options), pieces_of(recording.samples, [4000]))
    [final] = (event for event in events if isinstance(event, Final))
    assert final.text == "one two"


def open_model(path):
    recognizer = Recognizer(path)
    return recognizer, open_decoder(recognizer.spec, recognizer.exact_sha256, path, None)


def finals(recognizer, decoder, samples, size, decoding=DecodingOptions()):
    """The final words of a stream in pieces of `size` samples."""
    transcriber = StreamingTranscriber(recognizer, decode_here(decoder), decoding=decoding)
    events = streamed(transcriber, pieces_of(samples, [size]))
    check_confirmed(events)
    return words_of(events, Final)


def with_silence(path):
    samples = load(path, RATE_HZ).samples
    return np.concatenate([samples, np.zeros(RATE_HZ, dtype=np.float32)])


def test_the_sample_is_said_as_when_it_is_heard_whole(sentence_model):
    recognizer, decoder = open_model(sentence_model)
    samples = with_silence(SAMPLE)
    for size in (100, 1777, 16_000, 10**6):
        assert jiwer.wer(HEARD, " ".join(finals(recognizer, decoder, samples, size))) <= 0.01


def test_greedy_decoding_is_the_same_for_all_divisions(sentence_model):
    recognizer, decoder = open_model(sentence_model)
    samples = with_silence(SAMPLE)
    first, *others = (
        finals(recognizer, decoder, samples, size, GREEDILY) for size in (100, 1777, 16_000, 10**6)
    )
    assert len(first) >= len(GREEDY.split())
    assert all(each == first for each in others)


@pytest.mark.slow
@pytest.mark.parametrize("size", [800, 10**6])
def test_the_shipped_model_says_of_the_sample_what_it_says_of_the_whole(size):
    recognizer, decoder = open_model(SHIPPED)
    samples = with_silence(SAMPLE)
    [posteriors] = recognizer.posteriors([samples])
    whole = decoder.decode(posteriors, DecodingOptions()).transcript.text
    # Of its twelve words the first is doubtful: short windows may hear it otherwise.
    assert jiwer.wer(whole, " ".join(finals(recognizer, decoder, samples, size))) <= 0.1


@pytest.mark.slow
@pytest.mark.corpus
def test_real_speech_has_hardly_more_errors_than_the_whole(corpus):
    """At most 3 points more: there are a hundred words, of which two may differ by chance."""
    recognizer, decoder = open_model(SHIPPED)
    said, live, whole = [], [], []
    manifest = corpus / "librispeech/dev.jsonl"
    for line in manifest.read_text(encoding="utf-8").splitlines()[2:6]:
        entry = json.loads(line)
        samples = with_silence(manifest.parent / entry["audio_filepath"])
        [posteriors] = recognizer.posteriors([samples])
        said.append(entry["text"].lower())
        whole.append(decoder.decode(posteriors, DecodingOptions()).transcript.text)
        live.append(" ".join(finals(recognizer, decoder, samples, 3200)))
    assert jiwer.wer(said, live) <= jiwer.wer(said, whole) + 0.03


def test_noise_says_nothing(sentence_model):
    recognizer = Recognizer(sentence_model)
    decode = decode_here(Decoder(recognizer.spec.alphabet))
    transcriber = StreamingTranscriber(recognizer, decode, decoding=GREEDILY)
    assert words_of(streamed(transcriber, [noise(5.0)]), Final) == []


def test_samples_have_to_be_finite():
    transcriber = scripted()
    run_through(transcriber.feed(np.zeros(100, dtype=np.float32)))
    with pytest.raises(NonFiniteAudioError, match="sample 103"):
        run_through(transcriber.feed(np.array([0, 0, 0, np.nan], dtype=np.float32)))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"step_s": 0}, "step_s"),
        ({"step_s": 6}, "step_s"),
        ({"overlap_s": 7}, "overlap_s"),
        ({"longest_window_s": 20}, "longest_window_s"),
        ({"longest_utterance_s": 60}, "longest_utterance_s"),
        ({"speech_probability": 1}, "speech_probability"),
        ({"silence_s": -1}, "silence_s"),
        ({"settle_s": float("nan")}, "settle_s"),
        ({"settle_s": 10.5}, r"settle_s of at most half of longest_utterance_s=20, got 10\.5"),
    ],
)
def test_options_that_contradict_are_refused(wrong, message):
    with pytest.raises(OptionsError, match=message):
        StreamingOptions(**wrong)
