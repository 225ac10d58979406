"""A recording through the model: threads, decode workers, deadlines, warm-up."""
