"""Posteriors -> text."""

from otoscope.decoding.greedy import greedy

__all__ = ["greedy"]
