"""Commands by name, as the modules of this package register them, and what several share."""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from otoscope import Recognizer
    from otoscope.decoding.decoder import Decoder

Argument = tuple[tuple[str, ...], dict[str, Any]]
Command = Callable[[argparse.Namespace], int]

COMMANDS: dict[str, tuple[Command, tuple[Argument, ...]]] = {}
"""What `command` registered, by name."""


def command(name: str, *arguments: Argument) -> Callable[[Command], Command]:
    """Register a function under the name of a command."""

    def register(function: Command) -> Command:
        COMMANDS[name] = (function, arguments)
        return function

    return register


def argument(*names: str, **options: Any) -> Argument:  # noqa: ANN401
    """One argument, as `argparse` takes it."""
    return names, options


path = partial(argument, type=Path)

MODEL = path(
    "--model",
    default=Path("models/english/model.int8.onnx"),
    help="exported model: its file, folder, or name in models/",
)
LM = path("--lm", help="language model (default: lm.npz beside the model, if it is there)")
NO_LM = argument("--no-lm", action="store_true", help="without a language model")
MANIFESTS = path("manifests", nargs="+", help="with texts")
SEARCH = tuple(
    argument(name, type=kind, help=f"{words} (default: as decoding.json beside the model says)")
    for name, kind, words in (
        ("--beam-width", int, "texts kept"),
        ("--lm-weight", float, "of the language model"),
        ("--word-bonus", float, "for each word"),
        ("--unknown-penalty", float, "for each word outside the vocabulary"),
        ("--acoustic-scale", float, "of the log posteriors"),
        ("--prior-scale", float, "of the symbols' log priors"),
    )
)


def open_model(options: argparse.Namespace) -> "tuple[Recognizer, Decoder]":
    """A model and the decoder that is served, with the search's options that were given."""
    from otoscope import Recognizer
    from otoscope.model_folders import find_model
    from training.evaluation.decoders import model_decoder

    names = [flag.removeprefix("--").replace("-", "_") for (flag,), _ in SEARCH]
    given = {name: getattr(options, name, None) for name in names}
    search = {name: value for name, value in given.items() if value is not None}
    options.model = find_model(options.model)
    beside = options.model.with_name("lm.npz")
    options.lm = None if options.no_lm else options.lm or (beside if beside.is_file() else None)
    recognizer = Recognizer(options.model)
    decoder = model_decoder(recognizer, options.model, options.lm, search)
    return recognizer, decoder
