"""What is heard is aligned with what was said, and each mark counted where it belongs."""

import numpy as np
import pytest
import soundfile
from pause_punctuator import write_pause_punctuator

from otoscope.transcript import Transcript, Word
from otoscope.written.punctuator import Punctuator
from training.data.utterances import Utterance
from training.punctuation.speech import score_speech

RATE_HZ = 16000
SAID = ("It was late,", "so he went to London. He slept.", "an end that is missing")
HEARD = "it was late so he when london he now slept"
PAUSES_S = {"late": 0.2, "london": 0.6, "now": 0.2}


def hear(samples):
    """Two utterances together are heard with three errors."""
    assert samples.size == 2 * RATE_HZ
    words, at_s = [], 0.0
    for word in HEARD.split():
        words.append(Word(word, at_s, at_s + 0.1, 1.0))
        at_s += 0.1 + PAUSES_S.get(word, 0.0)
    return Transcript(HEARD, 1.0, tuple(words), ())


def test_marks_of_what_is_heard(tmp_path):
    soundfile.write(tmp_path / "second.wav", np.zeros(RATE_HZ, dtype=np.float32), RATE_HZ)
    utterances = [Utterance(tmp_path / "second.wav", text, "someone") for text in SAID]
    punctuator = Punctuator(write_pause_punctuator(tmp_path / "punctuation.onnx"))
    scores = score_speech(utterances, hear, punctuator, RATE_HZ)
    assert scores.word_error_rate == pytest.approx(0.3)  # "when", no "to", "now"
    found = {one.name: (one.precision, one.recall) for one in scores.transcripts}
    assert found["comma"] == (0.5, 1.0)  # there is one after "now", too
    assert found["full stop"] == (1.0, 0.5)  # the pause at the end is not known
    assert found["capitals"] == (1.0, 1.0)
    said = {one.name: one.recall for one in scores.reference}
    assert (said["comma"], said["full stop"]) == (0.0, 0.0)  # without pauses


def test_no_sentence_is_no_score(tmp_path):
    punctuator = Punctuator(write_pause_punctuator(tmp_path / "punctuation.onnx"))
    assert score_speech([], hear, punctuator, RATE_HZ).word_error_rate == 0.0
