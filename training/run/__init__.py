"""A training run: the loop, validation, its log, and the page that it leaves."""
