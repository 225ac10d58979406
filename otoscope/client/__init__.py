"""A client of the service, for blocking programs (`Client`) and asynchronous ones (`AsyncClient`).

from otoscope.client import Client

with Client("http://127.0.0.1:8000") as client:
    result = client.transcribe("speech.flac")
    print(result.text, client.probs(result.id).probs.shape)

Needs httpx, httpx-sse and websockets: the extra `client`. The library itself does without.
"""

from otoscope.client.clients import AsyncClient, Client
from otoscope.client.errors import (
    AddressError,
    ClientError,
    ProblemError,
    StreamEndedError,
    UnexpectedAnswerError,
    UnreachableError,
)
from otoscope.client.messages import (
    AlignOptions,
    File,
    FileProbsOptions,
    Probs,
    ProbsFile,
    ProbsOptions,
    TranscribeOptions,
)
from otoscope.client.retries import RetryPolicy
from otoscope.client.streaming import StreamOptions
from otoscope.formats import MatrixFormat

__all__ = [
    "AddressError",
    "AlignOptions",
    "AsyncClient",
    "Client",
    "ClientError",
    "File",
    "FileProbsOptions",
    "MatrixFormat",
    "ProblemError",
    "Probs",
    "ProbsFile",
    "ProbsOptions",
    "RetryPolicy",
    "StreamEndedError",
    "StreamOptions",
    "TranscribeOptions",
    "UnexpectedAnswerError",
    "UnreachableError",
]
