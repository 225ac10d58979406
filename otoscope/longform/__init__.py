"""Audio of any length -> posteriors, in bounded memory: windows, and what joins them."""

from otoscope.longform.recognition import AcousticModel, hear_steps, recognise, run_through, steps

__all__ = ["AcousticModel", "hear_steps", "recognise", "run_through", "steps"]
