"""Recognisers side by side, each from samples to a text: ours, decoded in each way, and a peer."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from otoscope import Posteriors, Recognizer, Transcript, greedy
from otoscope.audio import Samples
from otoscope.calibration import Calibration, read_calibration
from otoscope.decoding.beam_decoder import BeamDecoder, BeamOptions
from otoscope.decoding.ngram import NgramModel
from otoscope.decoding.rescoring import open_rescorer
from otoscope.decoding.scorers import LanguageModel
from otoscope.errors import OtoscopeError

POCKETSPHINX = "PocketSphinx"

Decode = Callable[[Posteriors], Transcript]


@dataclass(frozen=True)
class System:
    """One recogniser.

    Attributes:
        name: for tables.
        recognize: (samples,) float32 at 16 kHz -> what was said.
    """

    name: str
    recognize: Callable[[Samples], str]


class Known(Protocol):
    """What calibration knows of a model's classes."""

    @property
    def priors(self) -> Sequence[float] | None:
        """Mean posterior of each character's class."""

    @property
    def phoneme_priors(self) -> Sequence[float]:
        """Of each phoneme's; none without that head."""


@dataclass(frozen=True)
class Priors:
    """What is `Known` before there is a calibration."""

    priors: Sequence[float] | None = None
    phoneme_priors: Sequence[float] = ()


NOTHING_KNOWN = Priors()


def our_systems(
    recognizer: Recognizer,
    lm: Path | None,
    options: BeamOptions,
    known: Known = NOTHING_KNOWN,
) -> Iterator[System]:
    """Greedy; and with a language model, beam search without and with it."""

    def system(name: str, decode: Decode) -> System:
        return System(name, lambda samples: decode(recognizer.posteriors([samples])[0]).text)

    for name, decode in our_decoders(recognizer, lm, options, known):
        yield system(name, decode)


def our_decoders(
    recognizer: Recognizer,
    lm: Path | None,
    options: BeamOptions,
    known: Known = NOTHING_KNOWN,
) -> Iterator[tuple[str, Decode]]:
    """The same by name, from posteriors on."""
    yield "greedy", greedy
    if lm is None:
        return
    alphabet = recognizer.spec.alphabet
    alone = replace(options, word_bonus=0.0, acoustic_scale=1.0, prior_scale=0.0)
    plain = BeamDecoder(alphabet, alone)
    model = LanguageModel(NgramModel.load(lm), alphabet)
    rescorer = open_rescorer(
        lm.parent,
        recognizer.spec.phonemes,
        known.phoneme_priors,
        options.acoustic_scale,
        options.prior_scale,
    )
    informed = BeamDecoder(alphabet, options, model, priors=known.priors, rescorer=rescorer)
    yield "beam", lambda posteriors: plain.decode(posteriors)[0].transcript
    yield "beam + LM", lambda posteriors: informed.decode(posteriors)[0].transcript


def calibration_of(model: Path, recognizer: Recognizer) -> Calibration | None:
    """What calibration.json beside `model` says of these weights; None if it is of others."""
    path = model.with_name("calibration.json")
    if not path.is_file():
        return None
    calibration = read_calibration(path)
    return calibration if calibration.model_sha256 == recognizer.exact_sha256 else None


def pocketsphinx(recognizer: Recognizer) -> System:
    """PocketSphinx with its bundled en-us model and trigram, its text in our alphabet.

    Raises:
        OtoscopeError: if it is not installed.
    """
    try:
        from pocketsphinx import Decoder
    except ImportError as error:
        raise OtoscopeError(
            "expected the package pocketsphinx: pip install pocketsphinx"
        ) from error
    decoder = Decoder(samprate=16000, loglevel="FATAL")

    def recognize(samples: Samples) -> str:
        decoder.start_utt()
        decoder.process_raw((samples * 32767).astype("<i2").tobytes(), full_utt=True)
        decoder.end_utt()
        found = decoder.hyp()
        return recognizer.spec.alphabet.normalize(found.hypstr) if found else ""

    return System(POCKETSPHINX, recognize)
