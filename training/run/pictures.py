"""A recording as a picture of what a model hears in it."""

from pathlib import Path

from otoscope import Recognizer, greedy, load
from otoscope.plots.posteriorgram import draw_posteriorgram


def picture_recording(recognizer: Recognizer, audio_path: Path, out: Path) -> str:
    """Draw a recording as `recognizer` hears it into `out` (PNG, SVG or PDF); returns the text."""
    spec = recognizer.spec.features
    waveform = load(audio_path, spec.sample_rate_hz, min_samples=spec.window_samples)
    [recognition] = recognizer.recognize([waveform.samples])
    draw_posteriorgram(recognition.require_features(), recognition.posteriors).savefig(out)
    return greedy(recognition.posteriors).text
