"""Long recordings of speech through the shipped model: no seam shows in the text."""

import json
from functools import partial
from pathlib import Path

import jiwer
import numpy as np
import pytest

from otoscope import Recognizer, greedy, load
from otoscope.decoding.decoder import open_decoder
from otoscope.decoding.options import DecodingOptions
from otoscope.longform import recognize
from otoscope.longform.windows import WindowOptions, windows

ROOT = Path(__file__).resolve().parents[3]
RATE_HZ = 16000
FRAME = 640  # samples
CORPORA = {"librispeech/dev.jsonl": 25, "an4/test.jsonl": 100}
"""Manifests, and how many of their first utterances make a recording of some minutes."""


@pytest.fixture(scope="module")
def english(english_model):
    return Recognizer(english_model)


def cuts(model, samples):
    return len(list(windows([samples], model.spec, WindowOptions()))) - 1


def on_a_frame(samples, pause_frames=0):
    """With silence after it up to a frame and so many more.

    The model halves the frame rate twice: moved by a part of an output frame, the same recording
    reads differently (docs/decisions/0010).
    """
    frames = -(-samples.size // FRAME) + pause_frames
    return np.pad(samples, (0, frames * FRAME - samples.size))


def sentences(model, period, count):
    """The words of each repetition, told apart by their times."""
    transcript = greedy(recognize(model, [np.tile(period, count)]).posteriors)
    said = [[] for _ in range(count)]
    for word in transcript.words:
        said[int(word.start_s * RATE_HZ / period.size)].append(word.word)
    return [" ".join(words) for words in said]


@pytest.mark.parametrize("pause_frames", [5, 10])
def test_a_sentence_said_over_and_over_is_read_alike_each_time(english, pause_frames):
    """Up to five letters of 52, which its place in a window may change.

    The first and the last are read in their own way: there the network has no neighbour.
    """
    period = on_a_frame(load(ROOT / "examples/sample.flac", RATE_HZ).samples, pause_frames)
    first, middle, last = sentences(english, period, 3)
    assert len(middle.split()) > 5
    count = 30
    assert cuts(english, np.tile(period, count)) >= 4
    expected = [first, *[middle] * (count - 2), last]
    said = sentences(english, period, count)
    assert [pair for pair in zip(expected, said, strict=True) if jiwer.cer(*pair) > 0.1] == []


@pytest.fixture(scope="module", params=CORPORA)
def utterances(corpus, english, request):
    """Samples and normalised text of consecutive utterances: a chapter or two, or many voices."""
    manifest = corpus / request.param
    lines = manifest.read_text(encoding="utf-8").splitlines()[: CORPORA[request.param]]
    entries = [json.loads(line) for line in lines]
    return [
        (
            load(manifest.parent / entry["audio_filepath"], RATE_HZ).samples,
            english.spec.alphabet.normalize(entry["text"]),
        )
        for entry in entries
    ]


@pytest.fixture(scope="module")
def readings(english, english_model):
    """Posteriors to text, by decoder."""
    decoding = open_decoder(english.spec, english.exact_sha256, english_model, None)

    def read(posteriors, decoder):
        return decoding.decode(posteriors, DecodingOptions(decoder=decoder)).transcript.text

    return {decoder: partial(read, decoder=decoder) for decoder in ("greedy", "beam")}


@pytest.mark.corpus
@pytest.mark.parametrize(("decoder", "pause_frames"), [("greedy", 0), ("greedy", 12), ("beam", 0)])
def test_utterances_in_one_recording_are_read_as_well_as_one_by_one(
    english, utterances, readings, decoder, pause_frames
):
    """Up to 1 % of words against what was said, and about as many words."""
    read = readings[decoder]
    spoken = " ".join(text for _, text in utterances)
    alone = " ".join(read(english.posteriors([each])[0]) for each, _ in utterances)
    recording = np.concatenate([on_a_frame(each, pause_frames) for each, _ in utterances])
    assert cuts(english, recording) >= 8
    together = read(recognize(english, [recording]).posteriors)
    assert jiwer.wer(spoken, together) <= jiwer.wer(spoken, alone) + 0.01
    assert jiwer.cer(spoken, together) <= jiwer.cer(spoken, alone) + 0.01
    assert len(together.split()) == pytest.approx(len(alone.split()), rel=0.03)
