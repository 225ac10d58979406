"""Recognisers side by side, each from samples to a text: ours, decoded in each way, and a peer."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from otoscope import Posteriors, Recognizer, greedy
from otoscope.audio import Samples
from otoscope.decoding.beam import BeamDecoder, BeamOptions, LanguageModel
from otoscope.decoding.ngram import NgramModel
from otoscope.errors import OtoscopeError

POCKETSPHINX = "PocketSphinx"


@dataclass(frozen=True)
class System:
    """One recogniser.

    Attributes:
        name: for tables.
        hear: (samples,) float32 at 16 kHz -> what was said.
    """

    name: str
    hear: Callable[[Samples], str]


def our_systems(recognizer: Recognizer, lm: Path | None, options: BeamOptions) -> Iterator[System]:
    """Greedy; and with a language model, beam search without and with it."""

    def system(name: str, decode: Callable[[Posteriors], str]) -> System:
        return System(name, lambda samples: decode(recognizer.posteriors([samples])[0]))

    yield system("greedy", lambda posteriors: greedy(posteriors).text)
    if lm is None:
        return
    alphabet = recognizer.spec.alphabet
    plain = BeamDecoder(alphabet, BeamOptions(beam_width=options.beam_width, word_bonus=0.0))
    model = LanguageModel(NgramModel.load(lm), alphabet)
    informed = BeamDecoder(alphabet, options, model)
    yield system("beam", lambda posteriors: plain.decode(posteriors)[0].transcript.text)
    yield system("beam + LM", lambda posteriors: informed.decode(posteriors)[0].transcript.text)


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

    def hear(samples: Samples) -> str:
        decoder.start_utt()
        decoder.process_raw((samples * 32767).astype("<i2").tobytes(), full_utt=True)
        decoder.end_utt()
        found = decoder.hyp()
        return recognizer.spec.alphabet.normalise(found.hypstr) if found else ""

    return System(POCKETSPHINX, hear)
