"""Arguments that several commands have."""

import argparse
import os
from pathlib import Path
from typing import get_args

from otoscope.transcript import Style


def add_style(group: argparse._ArgumentGroup) -> None:
    """The style of texts."""
    group.add_argument(
        "--style",
        choices=get_args(Style),
        help="written: with capitals, punctuation and numbers in text and subtitles, and as "
        "`written` in JSON; verbatim: as heard; default: written if there is a punctuation model. "
        "textgrid and csv have words as heard",
    )


def add_decoding(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Options of recordings and live audio alike."""
    decoding = parser.add_argument_group("decoding")
    decoding.add_argument(
        "--decoder",
        choices=("greedy", "beam"),
        help="default: beam if there is a language model or one of the options below is given, "
        "else greedy",
    )
    decoding.add_argument(
        "--no-language-model",
        dest="language_model",
        action="store_false",
        help="beam search without the language model",
    )
    for flag, kind, text in (
        ("--beam-width", int, "hypotheses that beam search keeps at each frame"),
        ("--lm-weight", float, "weight of the language model"),
        ("--word-bonus", float, "added to a hypothesis' score for each word"),
        ("--hotwords", unicode_text, "words to expect, with boosts: 'otoscope:8, new york'"),
    ):
        metavar = {int: "N", float: "X", unicode_text: "LIST"}[kind]
        decoding.add_argument(flag, type=kind, metavar=metavar, help=text)
    return decoding


def add_model(group: argparse._ActionsContainer, alternatives: argparse._ActionsContainer) -> None:
    """The model and its language model.

    Args:
        group: gets the language model.
        alternatives: gets the model, beside what can be given instead of it.
    """
    model_help = (
        "a model's file, its folder, or the folder's name in models/; default: "
        "models/english/model.int8.onnx, in the working directory or the checkout"
    )
    lm_help = (
        "language model; default: lm.npz beside the model. punctuation.onnx is looked for beside "
        "the model, then beside this"
    )
    alternatives.add_argument("--model", type=file_path, metavar="FILE", help=model_help)
    group.add_argument("--lm", type=file_path, metavar="FILE", help=lm_help)


def path_text(text: str) -> str:
    """Refuse an empty path, which would mean the working directory."""
    if not text:
        raise argparse.ArgumentTypeError("expected a path, got an empty one")
    return text


def file_path(text: str) -> Path:
    """A path that is not empty."""
    return Path(path_text(text))


def path_or_url(text: str) -> str:
    """What fsspec can open: text, not empty."""
    return path_text(unicode_text(text))


def unicode_text(text: str) -> str:
    """Refuse what did not come in the terminal's encoding, which Python hides in surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        got = os.fsencode(text).decode(errors="backslashreplace")
        raise argparse.ArgumentTypeError(f"expected text in UTF-8, got {got}") from None
    return text
