"""Messages of decoding processes: a head, JSON that is checked, and samples."""

import json
import struct
from typing import Any

import numpy as np

from otoscope.audio.decoder_ends import DecoderFailureError, GarbledError
from otoscope.audio.parts import Block, Opened, Remark, Waiting
from otoscope.errors import ChannelError, EmptyAudioError, SpecError, UnreadableAudioError
from otoscope.strict_json import parse

HEAD = struct.Struct("<II")
"""Before each message: bytes of its JSON, and of the samples behind it."""

_MOST_BYTES = 2**24
"""Of one message."""

_PARTS: dict[str, type[Opened | Remark | Waiting]] = {
    "Opened": Opened,
    "Remark": Remark,
    "Waiting": Waiting,
}
_AUDIO_ERRORS = {
    each.__name__: each for each in (ChannelError, EmptyAudioError, UnreadableAudioError)
}
"""Errors that the process may find in a file."""


def sizes_of(head: bytes) -> tuple[int, int]:
    """Bytes of a message's JSON and of its samples; GarbledError if there are none such."""
    text_bytes, sample_bytes = HEAD.unpack(head)
    if max(text_bytes, sample_bytes) > _MOST_BYTES or sample_bytes % 4:
        raise GarbledError
    return text_bytes, sample_bytes


def part_of(text: bytes, samples: bytes) -> Opened | Block | Remark | Waiting | None:
    """The part in a message; None at the end of the file or stream.

    Raises:
        AudioError, DecoderFailureError: if decoding has failed.
        GarbledError: if it can't be read.
    """
    document = _document(text)
    if "end" in document:
        _raise_at_end(document)
        return None
    return _part(document, samples)


def _document(text: bytes) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise GarbledError from error
    return document if isinstance(document, dict) else {}


def _raise_at_end(document: dict[str, Any]) -> None:
    """Return if a file was decoded to its end; raise what ended it before."""
    end, detail = document["end"], str(document.get("detail"))
    if end == "failure":
        raise DecoderFailureError(detail)
    if end:
        raise _AUDIO_ERRORS.get(str(end), UnreadableAudioError)(detail)


def _part(document: dict[str, Any], samples: bytes) -> Opened | Block | Remark | Waiting:
    """A part from its message; GarbledError if it is none."""
    kind, fields = document.get("part"), document.get("fields", {})
    try:
        if kind == "Block":
            return Block(
                np.frombuffer(samples, dtype="<f4"), int(fields["rate_hz"]), int(fields["channels"])
            )
        return parse(_PARTS[str(kind)], fields, "the decoding process")
    except (KeyError, TypeError, ValueError, SpecError) as error:
        raise GarbledError from error
