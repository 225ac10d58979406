"""Where results are kept: SQLite or Redis."""
