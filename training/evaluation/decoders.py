"""Our recognizer, from samples to text, decoded in each way."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from otoscope import Recognizer, Transcript, longform
from otoscope.audio import Samples
from otoscope.decoding.decoder import Decoder, open_decoder
from otoscope.decoding.options import DecodingOptions

System = Callable[[Samples], str]
"""A recognizer: (samples,) float32 at its model's rate -> text."""

_GREEDY = {"greedy": DecodingOptions(decoder="greedy")}
_WITH_LANGUAGE_MODEL = {
    **_GREEDY,
    "beam": DecodingOptions(decoder="beam", language_model=False),
    "beam + LM": DecodingOptions(decoder="beam"),
}


def model_decoder(
    recognizer: Recognizer, model: Path, lm: Path | None, search: Mapping[str, Any]
) -> Decoder:
    """The decoder that is served.

    Args:
        recognizer: the model.
        model: its file, beside which calibration.json and decoding.json are looked for.
        lm: its language model; without one, none is used.
        search: fields of `BeamOptions` in place of the model's.
    """
    decoder = open_decoder(recognizer.spec, recognizer.exact_sha256, model, lm)
    if lm is None:
        decoder = replace(decoder, language_model=None)
    return replace(decoder, beam=replace(decoder.beam, **search))


def transcribers(
    recognizer: Recognizer, decoder: Decoder
) -> dict[str, Callable[[Samples], Transcript]]:
    """Ours by name: greedy; and with a language model, beam search without and with it.

    Each takes (samples,) float32 of any length at the model's rate, as the service does.
    """

    def transcribe(options: DecodingOptions, samples: Samples) -> Transcript:
        posteriors = longform.recognize(recognizer, [samples]).posteriors
        return decoder.decode(posteriors, options).transcript

    ways = _GREEDY if decoder.language_model is None else _WITH_LANGUAGE_MODEL
    return {name: partial(transcribe, options) for name, options in ways.items()}


def our_systems(recognizer: Recognizer, decoder: Decoder) -> dict[str, System]:
    """The texts of `transcribers`, by the same names."""

    def text(transcribe: Callable[[Samples], Transcript], samples: Samples) -> str:
        return transcribe(samples).text

    return {
        name: partial(text, transcribe)
        for name, transcribe in transcribers(recognizer, decoder).items()
    }
