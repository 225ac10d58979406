"""A client of the service, for programs that wait and for programs that do not.

from otoscope.client import Client

with Client("http://127.0.0.1:8000") as client:
    heard = client.transcribe("speech.flac")
    print(heard.text, client.probs(heard.id).probs.shape)

Needs httpx: the extra `client`. The library itself does without.
"""

from otoscope.client.calls import MatrixFormat, ProbsOptions, TranscribeOptions
from otoscope.client.clients import AsyncClient, Client
from otoscope.client.errors import (
    AddressError,
    ClientError,
    ProblemError,
    UnexpectedAnswerError,
    UnreachableError,
)
from otoscope.client.exchange import File, Patience
from otoscope.client.results import Probs

__all__ = [
    "AddressError",
    "AsyncClient",
    "Client",
    "ClientError",
    "File",
    "MatrixFormat",
    "Patience",
    "ProblemError",
    "Probs",
    "ProbsOptions",
    "TranscribeOptions",
    "UnexpectedAnswerError",
    "UnreachableError",
]
