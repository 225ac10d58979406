"""Words with times -> the text of a file."""

from otoscope.formats.plain import text
from otoscope.formats.subtitles import srt, vtt
from otoscope.formats.textgrid import textgrid

__all__ = ["srt", "text", "textgrid", "vtt"]
