"""The domain's exceptions: each says what was expected and what came.

Callers at the edges (HTTP, command line) map these to their own form in one table; the
library never raises a bare ``Exception``.
"""


class OtoscopeError(Exception):
    """Base of every error this library raises on purpose.

    Attributes:
        slug: the kind of error, for programs.
    """

    slug = "other"


class AudioError(OtoscopeError):
    """The bytes or samples given can't be used as audio."""

    slug = "audio"


class EmptyAudioError(AudioError):
    """Nothing came: no bytes, or a stream without a single sample."""

    slug = "audio-empty"


class UnreadableAudioError(AudioError):
    """The bytes are in no audio format known here, or hold no audio stream."""

    slug = "audio-unreadable"


class AudioRateError(AudioError):
    """Fewer samples a second than any recorder takes."""

    slug = "audio-rate"


class ChannelError(AudioError):
    """The channel or track asked for is not in the file."""


class AudioTooShortError(AudioError):
    """Fewer samples than one analysis window."""

    slug = "audio-too-short"


class AudioTooLongError(AudioError):
    """More seconds than the limit allows."""

    slug = "audio-too-long"


class NonFiniteAudioError(AudioError):
    """Samples that are NaN or infinite."""

    slug = "audio-non-finite"


class DecodersBusyError(OtoscopeError):
    """Every process that may decode audio is taken, and none came free in time."""

    slug = "decoders-busy"


class DecoderLostError(OtoscopeError):
    """Processes that decode audio can't be started, or were ended by something else than a file."""

    slug = "decoder-lost"


class WorkerLostError(OtoscopeError):
    """The process that recognized a recording died, and so did the one that tried again."""

    slug = "worker-lost"


class TextError(OtoscopeError):
    """The text given can't be used with this alphabet or this recording."""

    slug = "text"


class EncodingError(TextError):
    """Bytes that are no text in an encoding that can be told."""


class EmptyTextError(TextError):
    """Nothing to align or search for: no text, or punctuation only."""

    slug = "text-empty"


class UnsupportedTextError(TextError):
    """Text holds characters that the alphabet can't express.

    Attributes:
        characters: these, if it is known which.
    """

    slug = "text-unsupported"

    def __init__(self, message: str, characters: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.characters = characters


class UnalignableTextError(TextError):
    """Text needs more frames than there are: T' < N + repeated neighbours (CTC's constraint)."""

    slug = "text-unalignable"


class ManifestError(OtoscopeError):
    """A manifest can't be read: the message names file, line and what was expected."""


class ModelFileError(OtoscopeError):
    """A model file is missing, is of another kind, or contradicts itself."""


class DictionaryError(ModelFileError):
    """A pronouncing dictionary can't be read: the message names file and line."""


class SpecError(OtoscopeError, ValueError):
    """A specification holds a value outside what it allows."""


class OptionsError(OtoscopeError):
    """Options of decoding that contradict each other."""


class ViewError(OtoscopeError):
    """The part of a recording's matrix that is asked for does not exist."""


class NoPhonemesError(OtoscopeError):
    """Phonemes were asked for, and the model gives none."""

    slug = "no-phonemes"
