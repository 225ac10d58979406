"""Other recognizers, to be scored beside ours on the same recordings, each on one processor."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from otoscope.audio import Samples
from otoscope.errors import OtoscopeError
from otoscope.spec import ModelSpec
from otoscope.vocabulary import ENGLISH, Alphabet
from training.data.manifest import normalize_or_empty
from training.evaluation.decoders import System

PEERS = "pocketsphinx, or whisper:NAME, a model's name (tiny.en, base...) or folder"

ENGLISH_CODE = "en"

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def open_peers(names: Iterable[str], spec: ModelSpec) -> dict[str, System]:
    """Recognizers by their names in tables; they take samples at 16 kHz.

    Args:
        names: as `PEERS` says.
        spec: of the model beside which they are scored: its language, in its alphabet. One that
            is for English alone is left out for a model of another language, and this says so.

    Raises:
        OtoscopeError: if a name is none of these, or what it needs is missing.
    """
    alphabet, language = spec.alphabet, spec.language or ENGLISH_CODE
    english = language == ENGLISH_CODE and set(alphabet.symbols) <= set(ENGLISH.symbols)
    peers: dict[str, System] = {}
    for name in names:
        kind, _, model = name.partition(":")
        if kind == "pocketsphinx" and not model and not english:
            print(f"PocketSphinx knows English only: it is not scored beside {spec.name!r}")
        elif kind == "pocketsphinx" and not model:
            peers["PocketSphinx"] = pocketsphinx(alphabet)
        elif kind == "whisper" and model:
            peers[f"Whisper {Path(model).name}"] = whisper(model, alphabet, language)
        else:
            raise OtoscopeError(f"expected {PEERS}; got {name!r}")
    return peers


def pocketsphinx(alphabet: Alphabet) -> System:
    """PocketSphinx with its en-us model and trigram.

    Raises:
        OtoscopeError: if it is not installed.
    """
    try:
        from pocketsphinx import Decoder
    except ImportError as error:
        raise OtoscopeError(
            "expected the package pocketsphinx; pip install pocketsphinx"
        ) from error
    decoder = Decoder(samprate=16000, loglevel="FATAL")

    def recognize(samples: Samples) -> str:
        decoder.start_utt()
        decoder.process_raw((samples * 32767).astype("<i2").tobytes(), full_utt=True)
        decoder.end_utt()
        found = decoder.hyp()
        return alphabet.normalize(found.hypstr) if found else ""

    return recognize


def whisper(model: str, alphabet: Alphabet, language: str = ENGLISH_CODE) -> System:
    """OpenAI's Whisper by faster-whisper: 8 bits, greedy, each recording by itself.

    Args:
        model: a name that faster-whisper fetches from its hub, or a folder.
        alphabet: that texts are written in. Numbers are spelled; what has no sound is left out.
        language: that is spoken, an ISO 639 code.

    Raises:
        OtoscopeError: if it is not installed, or the model can't be had.
    """
    recognizer = open_whisper(model)

    def recognize(samples: Samples) -> str:
        segments, _ = recognizer.transcribe(
            samples, language=language, beam_size=1, condition_on_previous_text=False
        )
        return spelled(" ".join(segment.text for segment in segments), alphabet, language)

    return recognize


def open_whisper(model: str) -> Any:  # noqa: ANN401 - faster_whisper.WhisperModel
    """faster-whisper's model of a name or in a folder, in 8 bits, for one processor.

    Raises:
        OtoscopeError: if it is not installed, or the model can't be had.
    """
    try:
        from faster_whisper import WhisperModel
    except ImportError as error:
        raise OtoscopeError("expected the package faster-whisper; pip install .[peers]") from error
    try:
        return WhisperModel(model, device="cpu", compute_type="int8", cpu_threads=1)
    except (RuntimeError, ValueError, OSError) as error:
        raise OtoscopeError(
            f"expected a model of faster-whisper's hub or its folder, got {model!r}: {error}"
        ) from error


def spelled(text: str, alphabet: Alphabet, language: str = ENGLISH_CODE) -> str:
    """`text` in the alphabet's symbols: numbers as the language's words, other signs left out."""
    from num2words import num2words

    def words(number: re.Match[str]) -> str:
        try:
            return f" {num2words(number[0].replace(',', ''), lang=language)} "
        except (NotImplementedError, ValueError, ArithmeticError):  # a language it does not know
            return " "

    if language == ENGLISH_CODE:
        text = text.replace("%", " percent").replace("&", " and ")
    written = _NUMBER.sub(words, text)
    return alphabet.normalize("".join(one if _has_form(one, alphabet) else " " for one in written))


def _has_form(character: str, alphabet: Alphabet) -> bool:
    """Whether the alphabet can write it; punctuation counts as a gap."""
    return normalize_or_empty(character, alphabet) != "" or character == "'"
