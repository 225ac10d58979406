"""What can go wrong between a client and the service."""

from otoscope.errors import OtoscopeError
from otoscope.schemas import Problem


class ClientError(OtoscopeError):
    """Base of every error the client raises on purpose."""


class AddressError(ClientError, ValueError):
    """An address or a key that no request can be sent with."""


class UnreachableError(ClientError):
    """No response came: no connection was made, it broke, or it took too long."""


class UnexpectedAnswerError(ClientError):
    """The response is not one of this service's."""


class StreamEndedError(ClientError):
    """The service has ended a live stream; its messages until then have been returned.

    Attributes:
        reason: as the service gives it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"the service ended the stream: {reason}")
        self.reason = reason


class ProblemError(ClientError):
    """The service refused or failed, and said why (RFC 9457).

    Attributes:
        problem: all of what it said.
        status: the HTTP status.
        title: the kind of error in words.
        detail: what was expected and what came.
        slug: of its type, or by its status.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.title}: {problem.detail} (HTTP {problem.status})")
        self.problem = problem
        _, _, slug = problem.type.rpartition("urn:otoscope:problem:")
        self.slug = f"http-{problem.status}" if slug == "about:blank" else slug
        self.status, self.title, self.detail = problem.status, problem.title, problem.detail
