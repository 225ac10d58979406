"""The page at /, and the API's documentation at /docs. Plain files, no build."""
