"""What goes wrong, as the command says it."""

from otoscope.errors import OtoscopeError


class UsageError(OtoscopeError):
    """Arguments that make no sense together."""


def one_line(error: Exception, about: str = "") -> str:
    """What an error says, for people, in one line that does not name again what it is about."""
    if isinstance(error, OSError) and error.strerror:
        named = error.filename and str(error.filename) != about
        return f"{error.filename}: {error.strerror}" if named else error.strerror
    return " ".join(str(error).split()) or type(error).__name__
