"""A training run: the loop, validation, its log, and its report page."""
