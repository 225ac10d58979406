"""How a decoding process may end before its file does, and what that says of the file."""

import signal

from otoscope.audio.parts import AUDIO_KINDS
from otoscope.errors import DecoderLostError, UnreadableAudioError

CPU_S = 60
"""Processor time that a file may take before it gives sound, and again for each ALLOWED_S of it."""

ALLOWED_S = 1800.0
"""Stereo takes about a quarter of CPU_S for so much, Opus the most."""

SILENT_S = 10.0
"""Longest that a process may take for its next message; it decodes an hour in a few seconds."""

_OF_THE_FILE = (
    *(signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGTRAP),
    *(signal.SIGSYS, signal.SIGXFSZ),
)
"""Signals by which a process dies of what it does itself, beside SIGXCPU. It has no hard limit of
processor time, and what its limit of memory denies it is an error or SIGABRT: so SIGKILL is
another's doing, as is an end without a signal, for it doesn't end by itself."""


class DecoderFailureError(Exception):
    """The decoder failed at this file; what it decoded before stands."""


class GarbledError(Exception):
    """A process sent what can't be read, and can't be trusted any more."""


class LostError(Exception):
    """A process was lost, which may not have been the file's doing."""


class StillError(LostError):
    """It sent nothing for too long, as on a machine that is too busy."""


def end_of(error: Exception, code: int, *, ready: bool) -> UnreadableAudioError | LostError:
    """What the end of a process means.

    Args:
        error: as which it was noticed.
        code: its exit code.
        ready: whether it had begun to look at the file.
    """
    name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    if not ready:
        return LostError(f"did not start ({name})")
    if isinstance(error, TimeoutError):
        return StillError(str(error))
    if isinstance(error, GarbledError):
        return _unreadable("sent what can't be read")
    if code == -signal.SIGXCPU:
        return _unreadable(f"took more than {CPU_S} s of processor time")
    if -code in _OF_THE_FILE:
        return _unreadable(f"broke down ({name})")
    return LostError(f"was ended ({name})")


def end_of_both(last: Exception) -> UnreadableAudioError | DecoderLostError:
    """What it means that two processes were lost, one after the other, the last one by this."""
    if isinstance(last, StillError):
        return _unreadable(f"did not go on: {last}, twice")
    return DecoderLostError(
        f"expected a process that decodes the file to its end, but one was lost, and another {last}"
    )


def _unreadable(why: str) -> UnreadableAudioError:
    return UnreadableAudioError(
        f"expected audio ({AUDIO_KINDS}), got a file on which its decoder {why}"
    )
