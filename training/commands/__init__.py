"""The commands of `python -m training`: arguments, and a function from options to exit code each.

A function's docstring is its command's help. Each imports what it needs itself: only training
needs torch.
"""

from training.commands import data, learn, punctuation, score, texts
from training.commands.registry import COMMANDS

__all__ = ["COMMANDS", "data", "learn", "punctuation", "score", "texts"]
