"""The command line: arguments and their help."""

import argparse
import os
from collections.abc import Sequence
from functools import partial

from otoscope.audio import AUDIO_KINDS
from otoscope.cli import commands, descriptions
from otoscope.cli.bulk_arguments import add_bulk
from otoscope.cli.inputs import STDIN
from otoscope.cli.shared_arguments import (
    add_decoding,
    add_model,
    add_style,
    file_path,
    path_text,
    unicode_text,
)
from otoscope.formats import ALIGNMENT_FORMATS, MATRIX_FORMATS, TRANSCRIPT_FORMATS

_MOST_SOUNDS = 255
"""Tracks of a file, and channels of a track, that can be chosen."""

_N_BEST = "number of hypotheses to write, with --format json"
_PHRASES = "closed list of phrases, one of which is said: 'yes, no, stop'"
_INPUTS = f"audio files ({AUDIO_KINDS}, among others); - is standard input"


def make_parser() -> argparse.ArgumentParser:
    """The parser; parsed options have `command`, a function of them, and their own `parser`."""
    keep_lines = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="otoscope",
        description="Speech recognition that shows its work, on this machine or by a service.",
        epilog=descriptions.EPILOG,
        formatter_class=keep_lines,
    )
    subparsers = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    add = partial(subparsers.add_parser, formatter_class=keep_lines)
    _add_transcribe(
        add("transcribe", help="transcribe recordings", description=descriptions.TRANSCRIBE)
    )
    add_bulk(add("bulk", help="transcribe archives, on Ray", description=descriptions.BULK))
    _add_listen(add("listen", help="words while they are spoken", description=descriptions.LISTEN))
    _add_align(
        add("align", help="find a known text in a recording", description=descriptions.ALIGN)
    )
    _add_probs(add("probs", help="write P(symbol | frame)", description=descriptions.PROBS))
    _add_info(add("info", help="show a model or audio files", description=descriptions.INFO))
    return parser


def _add_transcribe(parser: argparse.ArgumentParser) -> None:
    _add_files(parser, "+", "; for a folder, all in it")
    _add_choice(parser, several=True).add_argument(
        "--channels",
        choices=("separate",),
        help="transcribe each channel by itself, as of a call, with --format json",
    )
    _add_output(parser, [each for each in TRANSCRIPT_FORMATS if each != "verbose_json"], "text")
    add_style(parser.add_argument_group("text"))
    decoding = add_decoding(parser)
    decoding.add_argument("--n-best", type=int, metavar="N", help=_N_BEST)
    decoding.add_argument("--phrases", type=unicode_text, metavar="LIST", help=_PHRASES)
    decoding.add_argument(
        "--none-of-these",
        action="store_true",
        help="write nothing where none of --phrases is said",
    )
    many = parser.add_argument_group("many recordings")
    many.add_argument(
        "--resume",
        action="store_true",
        help="skip recordings whose text exists, made of the same content, model and options by "
        "otoscope-journal.jsonl beside the texts",
    )
    many.add_argument(
        "--jobs",
        type=int,
        metavar="N",
        help="recordings at a time, each in a process with its own model; default: for folders the "
        "number of CPUs, else 1",
    )
    _add_backend(parser)
    parser.set_defaults(command=commands.transcribe, parser=parser, takes_folders=True)


def _add_listen(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("sound")
    either = group.add_mutually_exclusive_group()
    either.add_argument(
        "dash",
        nargs="?",
        type=_stdin,
        default=False,
        metavar="-",
        help="samples from standard input instead of a microphone",
    )
    either.add_argument("--stdin", action="store_true", help="the same")
    either.add_argument(
        "--device",
        type=unicode_text,
        metavar="NAME",
        help="a microphone's number, or a part of its name; default: the system's",
    )
    group.add_argument(
        "--rate",
        type=_rate_hz,
        metavar="HZ",
        help=f"samples a second; default: {commands.STDIN_RATE_HZ} of standard input, of a "
        "microphone its own",
    )
    output = parser.add_argument_group("output")
    output.add_argument(
        "--json",
        action="store_true",
        help="messages as /stream has them, one a line, instead of text",
    )
    add_style(output)
    add_decoding(parser)
    _add_backend(parser)
    parser.set_defaults(command=commands.listen, parser=parser)


def _rate_hz(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"expected samples a second from 1 on, got {text!r:.80}")
    return int(text)


def _stdin(text: str) -> bool:
    if text != STDIN:
        raise argparse.ArgumentTypeError(
            f"expected - for standard input, got {text!r:.80}; `otoscope transcribe` reads files"
        )
    return True


def _add_align(parser: argparse.ArgumentParser) -> None:
    _add_files(parser, "+")
    _add_choice(parser)
    text = parser.add_mutually_exclusive_group()
    text.add_argument("--text", type=unicode_text, help="what is said, the same in all files")
    text.add_argument("--text-file", type=file_path, metavar="FILE", help="file with that text")
    _add_output(parser, ALIGNMENT_FORMATS, "json")
    _add_backend(parser)
    parser.set_defaults(command=commands.align, parser=parser)


def _add_probs(parser: argparse.ArgumentParser) -> None:
    _add_files(parser, "+")
    _add_choice(parser)
    _add_output(parser, MATRIX_FORMATS, "csv")
    part = parser.add_argument_group("selection")
    part.add_argument(
        "--unit", choices=("character", "phoneme"), default="character", help="of the columns"
    )
    part.add_argument(
        "--from-s", type=float, metavar="X", help="only frames centred at or after this second"
    )
    part.add_argument(
        "--to-s", type=float, metavar="X", help="only frames centred before this second"
    )
    _add_backend(parser)
    parser.set_defaults(command=commands.probs, parser=parser)


def _add_info(parser: argparse.ArgumentParser) -> None:
    _add_files(parser, "*")
    parser.add_argument(
        "-f", "--format", choices=("text", "json"), default="text", help="default: text"
    )
    _add_backend(parser)
    parser.set_defaults(command=commands.info, parser=parser)


def _add_files(parser: argparse.ArgumentParser, count: str, more: str = "") -> None:
    parser.add_argument("files", metavar="FILE", nargs=count, type=path_text, help=_INPUTS + more)
    parser.set_defaults(takes_folders=False)


def _add_choice(
    parser: argparse.ArgumentParser, *, several: bool = False
) -> argparse._ArgumentGroup:
    """Options that choose among a file's sounds; with `several`, all tracks may be chosen."""
    group = parser.add_argument_group("sound")
    for flag, kind, metavar, text in (
        (
            "--track",
            _track if several else _number,
            "N|all" if several else "N",
            "number of the audio track; default: the one that a player chooses"
            + ("; all: transcribe each by itself, with --format json" if several else ""),
        ),
        ("--channel", _number, "N", "number of the channel, as of a call; default: all, mixed"),
    ):
        group.add_argument(flag, type=kind, default=0, metavar=metavar, help=text)
    return group


def _track(text: str) -> int | str:
    return text if text == commands.ALL_TRACKS else _number(text)


def _number(text: str) -> int:
    """From 1 to 255; ArgumentTypeError for others."""
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_SOUNDS:
        raise argparse.ArgumentTypeError(
            f"expected a number from 1 to {_MOST_SOUNDS}, got {text!r:.80}"
        )
    return int(text)


def _add_output(parser: argparse.ArgumentParser, formats: Sequence[str], default: str) -> None:
    group = parser.add_argument_group("output")
    group.add_argument(
        "-f",
        "--format",
        choices=formats,
        help=f"default: by the suffix of --out, else {default}",
    )
    place = group.add_mutually_exclusive_group()
    place.add_argument(
        "-o", "--out", type=file_path, metavar="FILE", help="write here instead of standard output"
    )
    place.add_argument(
        "--out-dir",
        type=file_path,
        metavar="DIR",
        help="write one file per recording into this folder",
    )
    parser.set_defaults(default_format=default, formats=formats)


def _add_backend(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("model or service")
    either = group.add_mutually_exclusive_group()
    add_model(group, either)
    either.add_argument(
        "--server", metavar="URL", help="a running service, such as http://127.0.0.1:8000"
    )
    group.add_argument(
        "--api-key",
        metavar="KEY",
        default=os.environ.get("OTOSCOPE_API_KEY"),
        help="of the service; the variable OTOSCOPE_API_KEY hides it from other users",
    )
    group.add_argument(
        "--retries",
        type=int,
        default=4,
        metavar="N",
        help="retries if the service is busy or can't be reached (default: 4)",
    )
