"""Many recordings: processes that transcribe them side by side, and what came of them."""
