"""The definition of a job, the same for all its workers."""

import json
from dataclasses import dataclass
from pathlib import Path

from otoscope.decoding.options import DecodingOptions
from otoscope.local_model import fingerprint
from otoscope.transcript import Style


@dataclass(frozen=True)
class Job:
    """Options for all recordings, and the place of their rows.

    Attributes:
        out: path or URL of the folder for results.
        model: path of the model file; on a cluster, the same on every node.
        lm: the language model; None for lm.npz beside the model.
        decoding: options.
        style: of the text, as of `Writer.write`.
        posteriors: whether rows have them.
        also: formats of `otoscope.formats` to write in addition to the table.
    """

    out: str
    model: Path
    lm: Path | None
    decoding: DecodingOptions
    style: Style | None
    posteriors: bool = False
    also: tuple[str, ...] = ()

    def fingerprint(self) -> str:
        """A hash of everything that a row depends on besides its recording."""
        options = [self.decoding.model_dump(mode="json"), self.style, self.posteriors, self.also]
        return fingerprint(self.model, self.lm, json.dumps(options))
