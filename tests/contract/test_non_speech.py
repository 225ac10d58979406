"""Where nobody speaks nothing is written, and speech beside it is read as well as alone."""

import json
from pathlib import Path

import jiwer
import numpy as np
import pytest
from signals import RATE_HZ, chords, hum, noise, room_noise

from otoscope import Recognizer, load
from otoscope.decoding.decoder import open_decoder
from otoscope.decoding.options import DecodingOptions
from otoscope.longform import recognize

pytestmark = [pytest.mark.corpus, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models/english/model.int8.onnx"
SOUNDS = {
    "silence": lambda seconds, seed: np.zeros(round(seconds * RATE_HZ), dtype=np.float32),
    "white noise": lambda seconds, seed: noise(seconds, seed=seed),
    "room noise": lambda seconds, seed: room_noise(seconds, seed=seed),
    "hum": lambda seconds, seed: hum(seconds),
    "music": chords,
}
LASTS_S = (5.0, 20.0, 60.0, 120.0)
LEVELS_DB = (0.0, -20.0, -40.0)
"""Of the sound beside the speech, relative to it."""
EDGE_S = 0.2
"""A word may begin before its utterance's file, and end after it, by so much."""


class Listener:
    """The served model with its language model and defaults."""

    def __init__(self):
        self.model = Recognizer(MODEL)
        self.decoder = open_decoder(self.model.spec, self.model.exact_sha256, MODEL, None)

    def __call__(self, samples):
        posteriors = recognize(self.model, [samples.astype(np.float32)]).posteriors
        return self.decoder.decode(posteriors, DecodingOptions()).transcript


@pytest.fixture(scope="module")
def listen():
    return Listener()


@pytest.fixture(scope="module")
def clips(corpus, listen):
    """Samples, what was said, and what is read where nothing is beside it."""
    manifest = corpus / "librispeech/dev.jsonl"
    entries = [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()]
    found = []
    for entry in entries[::3]:
        samples = load(manifest.parent / entry["audio_filepath"], RATE_HZ).samples
        said = listen.model.spec.alphabet.normalize(entry["text"])
        found.append((samples, said, listen(samples).text))
    return found


def errors(said, read):
    counts = jiwer.process_words(said, read)
    return counts.substitutions + counts.deletions + counts.insertions


def level(samples):
    return float(np.sqrt(np.mean(samples**2)))


def compare(clips, read, points=1.0):
    """Errors of texts beside something may exceed those of the clips alone by so much WER."""
    said = " ".join(text for _, text, _ in clips)
    alone = " ".join(text for *_, text in clips)
    assert errors(said, " ".join(read)) <= errors(said, alone) + 0.01 * points * len(said.split())


@pytest.mark.parametrize("kind", SOUNDS)
def test_alone(kind, listen):
    assert listen(SOUNDS[kind](300.0, 1)).text == ""


def sounds_beside(pair, spoken):
    """Before, between and after two utterances: every kind, at every level, as pairs go on."""
    kind = list(SOUNDS)[pair % len(SOUNDS)]
    lasts_s = [LASTS_S[(pair + place) % len(LASTS_S)] for place in range(3)]
    sounds = [SOUNDS[kind](each, 3 * pair + place) for place, each in enumerate(lasts_s)]
    decibels = LEVELS_DB[pair // len(SOUNDS) % len(LEVELS_DB)]
    return [
        each * (level(spoken) * 10 ** (decibels / 20) / max(level(each), 1e-9)) for each in sounds
    ]


def test_beside_speech(clips, listen):
    """At most a word for each ten minutes without speech, and hardly an error more in it."""
    read, invented, silent_s = [], [], 0.0
    for pair in range(len(clips) // 2):
        first, second = (samples for samples, *_ in clips[2 * pair : 2 * pair + 2])
        before, between, after = sounds_beside(pair, first)
        parts = [before, first, between, second, after]
        ends_s = np.cumsum([each.size for each in parts]) / RATE_HZ
        silent_s += sum(each.size for each in (before, between, after)) / RATE_HZ
        utterances = [[], []]
        for word in listen(np.concatenate(parts)).words:
            for place, words in enumerate(utterances):
                start_s, end_s = ends_s[2 * place] - EDGE_S, ends_s[2 * place + 1] + EDGE_S
                if word.start_s >= start_s and word.end_s <= end_s:
                    words.append(word.word)
                    break
            else:
                invented.append(word)
        read += [" ".join(words) for words in utterances]
    assert len(invented) <= silent_s / 600, invented
    compare(clips[: len(read)], read)


def test_quiet_recordings(clips, listen):
    compare(clips, [listen(0.01 * samples).text for samples, *_ in clips], points=2.0)


def test_a_loud_burst_before_quiet_speech(clips, listen):
    burst = np.concatenate([noise(0.5, 0.3), np.zeros(RATE_HZ // 2, dtype=np.float32)])
    quiet = [0.03 * samples / level(samples) * 0.3 for samples, *_ in clips]
    compare(clips, [listen(np.concatenate([burst, samples])).text for samples in quiet], points=2.0)
