"""The acoustic model and its losses."""
