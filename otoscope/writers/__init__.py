"""Words with times -> the text of a file."""

from otoscope.writers.plain import text
from otoscope.writers.praat import textgrid
from otoscope.writers.subtitles import srt, vtt

__all__ = ["srt", "text", "textgrid", "vtt"]
