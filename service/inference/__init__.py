"""A recording through the model: threads, batches, decoding processes, deadlines."""
