"""The punctuation model: written text to heard words with case and punctuation, and training."""
