"""Checkpoints, and weights that a run begins with."""
