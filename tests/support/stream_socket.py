"""What is sent to WS /stream of an application in this process, and what it says."""

import json

import numpy as np
from sentence_model import SAMPLE

from otoscope import load


def sample_pieces(rate_hz=16_000, silence_s=1.5, size_bytes=3200):
    """The sample and some silence as 16-bit samples, in pieces."""
    samples = np.pad(load(SAMPLE, rate_hz).samples, (0, round(silence_s * rate_hz)))
    data = np.rint(32767 * samples).astype("<i2").tobytes()
    return [data[at : at + size_bytes] for at in range(0, len(data), size_bytes)]


def talk(client, pieces, query="", headers=None):
    """Send all of it, and end; what comes until the close, and its code."""
    messages = []
    with client.websocket_connect(f"/stream{query}", headers=headers or {}) as socket:
        messages.append(socket.receive_json())
        if messages[0]["type"] == "ready":
            for piece in pieces:
                socket.send_bytes(piece)
            socket.send_json({"type": "end"})
        while (message := socket.receive())["type"] != "websocket.close":
            messages.append(json.loads(message["text"]))
    return messages, message["code"]


def of_type(messages, *types):
    return [message for message in messages if message["type"] in types]
