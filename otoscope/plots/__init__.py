"""What a model heard, drawn: X, and the posteriorgram with greedy path and words, in seconds.

The only import of matplotlib. It is not among this library's dependencies: the extras `service` and
`training` bring it. Figures are made without pyplot, whose figures are global, so pictures can be
drawn in several threads at once. Sizes are fixed in inches, so that all pictures have the same
letters, and a picture's size follows from its time span and its number of symbols alone.
"""

from otoscope.plots.features import draw_features
from otoscope.plots.figure import to_png
from otoscope.plots.posteriorgram import draw_posteriorgram

__all__ = ["draw_features", "draw_posteriorgram", "to_png"]
