"""Long recordings that the shipped models hear: no seam shows in the text."""

import json
from pathlib import Path

import jiwer
import numpy as np
import pytest
from signals import RATE_HZ

from otoscope import greedy, load
from otoscope.decoding.options import DecodingOptions
from otoscope.longform import recognize
from otoscope.longform.windows import WindowOptions, windows

ROOT = Path(__file__).resolve().parents[2]
FRAME = 640  # samples
CHAPTERS = {"english": ("librispeech/dev.jsonl", 25), "english-small": ("an4/test.jsonl", 100)}
"""A manifest for each model, and how many of its first utterances make a recording of minutes."""


def cuts(model, samples):
    return len(list(windows([samples], model.spec, WindowOptions.suited_to(model.spec)))) - 1


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


@pytest.fixture(scope="module")
def utterances(corpus, english, shipped_model):
    """Samples and normalised text of consecutive utterances: a chapter or two, or many voices."""
    name, count = CHAPTERS[shipped_model.parent.name]
    manifest = corpus / name
    lines = manifest.read_text(encoding="utf-8").splitlines()[:count]
    entries = [json.loads(line) for line in lines]
    return [
        (
            load(manifest.parent / entry["audio_filepath"], RATE_HZ).samples,
            english.spec.alphabet.normalize(entry["text"]),
        )
        for entry in entries
    ]


@pytest.fixture(scope="module")
def alone(english, utterances):
    """Posteriors of each utterance."""
    return [english.posteriors([samples])[0] for samples, _ in utterances]


@pytest.fixture(scope="module")
def together(english, utterances):
    """Posteriors of all in one recording, by the pause after each in frames."""
    recordings = {
        pause_frames: np.concatenate([on_a_frame(each, pause_frames) for each, _ in utterances])
        for pause_frames in (0, 12)
    }
    assert all(cuts(english, each) >= 8 for each in recordings.values())
    return {
        pause_frames: recognize(english, [samples]).posteriors
        for pause_frames, samples in recordings.items()
    }


@pytest.mark.corpus
@pytest.mark.slow
@pytest.mark.parametrize("kind_and_pause", [("greedy", 0), ("greedy", 12), ("beam", 0)])
def test_utterances_in_one_recording_are_read_as_well_as_one_by_one(
    utterances, alone, together, decoder, kind_and_pause
):
    """Up to 1 % of words (2 % with a language model, which turns one odd letter into odd words)."""
    kind, pause_frames = kind_and_pause

    def read(posteriors):
        return decoder.decode(posteriors, DecodingOptions(decoder=kind)).transcript.text

    spoken = " ".join(text for _, text in utterances)
    one_by_one = " ".join(read(each) for each in alone)
    in_one = read(together[pause_frames])
    most = 0.01 if kind == "greedy" else 0.02
    assert jiwer.wer(spoken, in_one) <= jiwer.wer(spoken, one_by_one) + most
    assert jiwer.cer(spoken, in_one) <= jiwer.cer(spoken, one_by_one) + 0.01
    assert len(in_one.split()) == pytest.approx(len(one_by_one.split()), rel=0.03)
