"""What a job is: the same for all who work on it."""

import json
from dataclasses import dataclass
from pathlib import Path

from otoscope.decoding.options import DecodingOptions
from otoscope.local_model import fingerprint
from otoscope.transcript import Style


@dataclass(frozen=True)
class Job:
    """What is done with every recording, and where its row goes.

    Attributes:
        out: path or URL of the folder for results.
        model: path of the model file; on a cluster, the same on every node.
        lm: the language model; None for what lies beside the model.
        decoding: options of it.
        style: of the text, as of `Writer.write`.
        posteriors: keep them, too.
        also: formats of `otoscope.formats` to write besides the table.
    """

    out: str
    model: Path
    lm: Path | None
    decoding: DecodingOptions
    style: Style | None
    posteriors: bool = False
    also: tuple[str, ...] = ()

    def fingerprint(self) -> str:
        """What a row depends on besides its recording."""
        options = [self.decoding.model_dump(mode="json"), self.style, self.posteriors, self.also]
        return fingerprint(self.model, self.lm, json.dumps(options))
