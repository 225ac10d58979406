"""Heard words -> text as people write it: capitals, punctuation, numbers in digits."""
