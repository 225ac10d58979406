"""Audio of any length -> posteriors, in bounded memory: windows, and what joins them."""

from otoscope.longform.recognition import FrameClassifier, recognize, recognize_steps, run_through

__all__ = ["FrameClassifier", "recognize", "recognize_steps", "run_through"]
