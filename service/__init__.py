"""The speech recogniser as an HTTP service: text from POST /transcribe, P(c | x_t) from GET /probs.

Start it with ``python -m service``; build it in code with ``service.app.create_app``.
"""
