"""Speech recognition that shows its work.

from otoscope import Recognizer, greedy, load

recognizer = Recognizer("models/english/model.onnx")
waveform = load("speech.flac", recognizer.spec.features.sample_rate_hz)
[posteriors] = recognizer.posteriors([waveform.samples])
print(greedy(posteriors).text)
print(posteriors.probs.shape)  # (frames, symbols): P(c | x_t)
"""

from otoscope.alignment import AlignedText, align
from otoscope.alphabet import ENGLISH, Alphabet
from otoscope.audio import Waveform, load
from otoscope.decoding import greedy
from otoscope.errors import OtoscopeError
from otoscope.features import FeatureMatrix, FeatureSpec
from otoscope.phonemes import ARPABET, PhonemeSet
from otoscope.posteriors import FrameClock, PhonemePosteriors, Posteriors
from otoscope.recognizer import Heard, Recognizer
from otoscope.spec import ModelSpec, Provenance
from otoscope.transcript import Character, Transcript, Word

__all__ = [
    "ARPABET",
    "ENGLISH",
    "AlignedText",
    "Alphabet",
    "Character",
    "FeatureMatrix",
    "FeatureSpec",
    "FrameClock",
    "Heard",
    "ModelSpec",
    "OtoscopeError",
    "PhonemePosteriors",
    "PhonemeSet",
    "Posteriors",
    "Provenance",
    "Recognizer",
    "Transcript",
    "Waveform",
    "Word",
    "align",
    "greedy",
    "load",
]
