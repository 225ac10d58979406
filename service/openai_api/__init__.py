"""What clients of OpenAI's speech-to-text API send and expect, said with this model's own means."""
