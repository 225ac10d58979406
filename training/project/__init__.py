"""`python -m training new`: recordings and texts -> a report, splits and configurations."""
