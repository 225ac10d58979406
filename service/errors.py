"""What can go wrong here. `service.http.problems` maps these errors to HTTP."""

from otoscope import errors as domain


class StartError(Exception):
    """The service can't start as it is configured."""


class ServiceError(Exception):
    """Base of the errors that this service expects, and tells clients about."""


class UnauthorizedError(ServiceError):
    """No API key came, or none that is valid.

    Attributes:
        wrong: whether one came.
    """

    def __init__(self, message: str, *, wrong: bool) -> None:
        super().__init__(message)
        self.wrong = wrong


class FormError(domain.OptionsError):
    """The request's form or query is not as expected.

    Attributes:
        param: the field that is wrong, if it is one.
    """

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class UnknownModelError(ServiceError):
    """The model asked for by name is not the one that is served."""

    param = "model"


class UploadTooLargeError(ServiceError):
    """More bytes than a request may have."""


class UploadStalledError(ServiceError):
    """The request's body stopped arriving."""


class QueueFullError(ServiceError):
    """As many recordings wait as may wait."""

    retry_after_s = 5
    """About as long as ten minutes of audio take."""


class StreamsFullError(ServiceError):
    """As many streams are heard as may be."""

    retry_after_s = 5


class ForeignOriginError(ServiceError):
    """A page of another origin wants a WebSocket."""


class SendingFullError(ServiceError):
    """As many bytes of answers wait to be read as may wait."""

    retry_after_s = 5


class UploadsFullError(ServiceError):
    """There is no room for the file of a request."""

    retry_after_s = 10


class UnknownHostError(ServiceError):
    """The request is for a host that is not this service."""


class DeadlineError(ServiceError):
    """The request has taken as long as a request may."""

    retry_after_s = 10


class SearchLostError(ServiceError):
    """The process that searched for the text died, and so did the one that tried again."""

    retry_after_s = 5


class ClientGoneError(ServiceError):
    """The client has closed its connection: nobody waits for this response."""


class UnknownResultError(ServiceError):
    """No result ever had this id, or it is long gone."""


class ExpiredResultError(ServiceError):
    """The result was kept for a time, and no longer is."""


class QueryError(domain.ViewError):
    """The query asks for what this format can't hold."""


class NotAcceptableError(ServiceError):
    """Accept allows none of the formats that a response can have."""


class StoreError(ServiceError):
    """The store of results failed."""


class ResultTooLargeError(StoreError):
    """The result is larger than a stored result may be.

    Attributes:
        max_bytes: the limit.
    """

    def __init__(self, size_bytes: int, max_bytes: int) -> None:
        super().__init__(f"expected at most {max_bytes} bytes of a result, got {size_bytes}")
        self.max_bytes = max_bytes


class StoreRefusedError(StoreError):
    """The store of results refuses this service's password, or what the password allows."""


class NotReadyError(ServiceError):
    """The warm-up has not passed."""
