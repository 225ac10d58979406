"""What the address of a live stream may ask for."""

from typing import Literal

from pydantic import Field

from otoscope.audio import ContainerName, PcmEncoding
from otoscope.decoding.options import DecodingOptions
from otoscope.streaming import StreamingOptions
from otoscope.transcript import Style
from service.errors import FormError
from service.http.options import MODEL_DESCRIBED


class StreamOptions(DecodingOptions):
    """Options of a stream, in the query of its address."""

    model: str | None = Field(default=None, description=MODEL_DESCRIBED)
    encoding: Literal[PcmEncoding, ContainerName] = Field(
        default="s16le",
        description="Of the samples: 16-bit integers or 32-bit floats, little-endian; G.711. Or a "
        "stream of WebM or Ogg, as a browser's MediaRecorder sends it.",
    )
    sample_rate_hz: int = Field(
        default=16_000, ge=1000, le=192_000, description="Of bare samples; WebM and Ogg say theirs."
    )
    probs: bool = Field(
        default=False, description="Tell of the posteriors of each hearing, and of each utterance."
    )
    step_s: float = Field(
        default=0.5, ge=0.2, le=2.0, description="Audio between two runs of the model, in seconds."
    )
    silence_s: float = Field(
        default=0.8,
        ge=0.2,
        le=10.0,
        description="An utterance ends where no character comes for so many seconds.",
    )
    settle_s: float = Field(
        default=1.1,
        ge=0.0,
        le=5.0,
        description="A word is confirmed no sooner than so many seconds after its end.",
    )
    speech_probability: float = Field(
        default=0.5,
        gt=0.0,
        lt=1.0,
        description="Of all characters together, for a frame to be speech.",
    )

    style: Style | None = Field(
        default=None,
        description="written gives finals `written`, as transcriptions have it; verbatim leaves it "
        "null. By default written if there is a punctuation model (GET /model).",
    )

    @property
    def streaming(self) -> StreamingOptions:
        """The engine's share."""
        return StreamingOptions(
            step_s=self.step_s,
            silence_s=self.silence_s,
            settle_s=self.settle_s,
            speech_probability=self.speech_probability,
        )

    @property
    def decoding(self) -> DecodingOptions:
        """The decoder's share.

        Raises:
            FormError: where that suits no stream.
        """
        for name in ("phrases", "none_of_these", "n_best"):
            if getattr(self, name):
                raise FormError(f"{name}: expected none for a stream, got it", name)
        fields = DecodingOptions.model_fields
        return DecodingOptions.model_validate({name: getattr(self, name) for name in fields})
