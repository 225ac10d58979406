"""ModelSpec: the facts of a model, in one strict JSON document that travels with its weights."""

import json
import re
from dataclasses import dataclass

from otoscope.errors import SpecError
from otoscope.features import FeatureSpec
from otoscope.strict_json import Strict, dump, loads, parse
from otoscope.vocabulary import ENGLISH, Alphabet, PhonemeSet

_LANGUAGE = re.compile("[a-z]{2,3}")


def check_language(code: str) -> None:
    """Refuse what is neither "" nor the form of an ISO 639 code.

    Raises:
        SpecError: saying so.
    """
    if code and not _LANGUAGE.fullmatch(code):
        raise SpecError(f"language: expected an ISO 639 code such as de, got {code!r}")


@dataclass(frozen=True)
class Provenance(Strict):
    """Where a model comes from.

    Attributes:
        architecture: in words, "2 conv (x4) + 3 bidirectional LSTM of 320".
        parameters: number of trained weights.
        audio_hours: hours of audio in the training manifests, as used; synthetic voices count, too.
        epochs: passes over that audio, including the part of one that was broken off.
        corpora: their names, with licences where the manifests' folders give them.
        created: UTC date, ISO 8601.
        dev_cer: character error rate of these weights on the dev manifests while training,
            greedy, as a fraction; None if there were none.
    """

    architecture: str = ""
    parameters: int = 0
    audio_hours: float = 0.0
    epochs: float = 0.0
    corpora: tuple[str, ...] = ()
    created: str = ""
    dev_cer: float | None = None


@dataclass(frozen=True)
class ModelSpec(Strict):
    """What is needed to feed a model and to read its output.

    Attributes:
        name: the model's name, "english".
        features: how its input is computed.
        alphabet: what the output classes mean; the blank is the last class.
        frame_stride: feature frames per output frame. Output frame i is centred on feature
            frame i * frame_stride.
        provenance: how it was trained.
        phonemes: what the phoneme head's classes mean, the blank last; None if there is no such
            head. A document without this key is from before there were any, and means None.
        language: that it transcribes, an ISO 639 code, "de"; "" if that is not known, as of a
            document without this key.
    """

    name: str = "english"
    features: FeatureSpec = FeatureSpec()
    alphabet: Alphabet = ENGLISH
    frame_stride: int = 4
    provenance: Provenance = Provenance()
    phonemes: PhonemeSet | None = None
    language: str = ""

    def __post_init__(self) -> None:
        if self.frame_stride < 1:
            raise SpecError(f"frame_stride: expected 1 or more, got {self.frame_stride}")
        check_language(self.language)

    @property
    def frame_s(self) -> float:
        """Distance of neighbouring output frames in seconds."""
        return self.frame_stride * self.features.hop_s

    @property
    def frame_samples(self) -> int:
        """Distance of neighbouring output frames in samples."""
        return self.frame_stride * self.features.hop_samples

    def to_json(self) -> str:
        """One JSON document, keys in a fixed order."""
        return json.dumps(dump(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str, source: str = "model spec") -> "ModelSpec":
        """Read what `to_json` wrote.

        Raises:
            SpecError: on unknown or missing keys, wrong types, or values that contradict.
        """
        data = loads(text, source)
        if isinstance(data, dict):
            data = {**_LATER_FIELDS, **data}
        return parse(cls, data, source, complete=True)


_LATER_FIELDS = {"phonemes": None, "language": ""}
"""What it means that a document lacks a field which earlier versions did not write."""
