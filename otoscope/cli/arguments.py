"""The command line: arguments and their help."""

import argparse
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import get_args

from otoscope.audio import AUDIO_KINDS
from otoscope.cli import commands
from otoscope.formats import ALIGNMENT_FORMATS, MATRIX_FORMATS, TRANSCRIPT_FORMATS
from otoscope.transcript import Style

_CODES = """\
exit codes:
  0    everything is done (also if the reader of the output stops reading)
  1    some files failed, each with a line on standard error; the others are done
  2    nothing could be started: wrong arguments, no model, no server
  130  interrupted
"""

_EPILOG = f"""\
examples:
  otoscope transcribe speech.flac
  otoscope transcribe --format srt --out film.srt film.m4a
  otoscope transcribe --out-dir texts --format json *.wav
  otoscope align --text "it was a long time" --format textgrid speech.flac
  otoscope probs --out speech.png speech.flac
  otoscope info speech.flac
  otoscope transcribe --server http://127.0.0.1:8000 speech.flac

`otoscope COMMAND --help` says more about each command.

{_CODES}"""

_MOST_SOUNDS = 255
"""Tracks of a file, and channels of a track, that can be chosen."""

_INPUTS = f"audio files ({AUDIO_KINDS}, among others); - is standard input"

_TRANSCRIBE = f"""\
Transcribe recordings. They may be hours long.

With several files, text is written as "FILE: text" and json as one document per line, each with the
name of its file; the other formats then need --out-dir.

examples:
  otoscope transcribe speech.flac
  otoscope transcribe interviews/*.mp3 --out-dir texts       # texts/one.txt, texts/two.txt, ...
  otoscope transcribe lecture.m4a --out lecture.srt          # the suffix selects the format
  otoscope transcribe --style verbatim speech.flac           # no capitals, no punctuation
  otoscope transcribe --decoder greedy speech.flac           # no language model
  otoscope transcribe --hotwords "otoscope:8, new york" speech.flac
  otoscope transcribe --phrases "yes, no, stop" --format json answer.wav | jq .phrases
  otoscope transcribe --n-best 5 --format json speech.flac | jq .hypotheses
  otoscope transcribe --channels separate --format json call.wav | jq .channels[].text
  otoscope transcribe --track all --format json film.mkv | jq .tracks[].text
  ffmpeg -i film.mkv -f wav - | otoscope transcribe -

{_CODES}"""

_ALIGN = f"""\
Find a known text in a recording: the frames of each character, and times and goodness of
pronunciation of each word. Without --text and --text-file, the text of speech.wav is read from
speech.txt beside it.

examples:
  otoscope align --text "it was a long time before he came home to his father" speech.flac
  otoscope align --text-file words.txt --out speech.TextGrid speech.flac
  otoscope align --format png --out-dir pictures corpus/*.wav

{_CODES}"""

_PROBS = f"""\
Write P(symbol | frame), the model's posterior probabilities: one row per frame, one column per
symbol.

examples:
  otoscope probs speech.flac | head
  otoscope probs --out speech.npy speech.flac                # numpy.load reads it
  otoscope probs --out speech.png --from-s 1 --to-s 4 speech.flac
  otoscope probs --unit phoneme --format json speech.flac | jq .symbols

{_CODES}"""

_INFO = f"""\
Show a model, or properties of audio files: container, coding, rate, channels, duration. If files
are given, the model is shown only if --model or --server is given, too.

examples:
  otoscope info
  otoscope info --format json --model models/english/model.int8.onnx | jq .model.spec.alphabet
  otoscope info *.m4a

{_CODES}"""


def make_parser() -> argparse.ArgumentParser:
    """The parser; parsed options have `command`, a function of them, and their own `parser`."""
    keep_lines = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="otoscope",
        description="Speech recognition that shows its work, on this machine or by a service.",
        epilog=_EPILOG,
        formatter_class=keep_lines,
    )
    subparsers = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    add = partial(subparsers.add_parser, formatter_class=keep_lines)
    _add_transcribe(add("transcribe", help="transcribe recordings", description=_TRANSCRIBE))
    _add_align(add("align", help="find a known text in a recording", description=_ALIGN))
    _add_probs(add("probs", help="write P(symbol | frame)", description=_PROBS))
    _add_info(add("info", help="show a model or audio files", description=_INFO))
    return parser


def _add_transcribe(parser: argparse.ArgumentParser) -> None:
    _add_files(parser, "+")
    _add_choice(parser, several=True).add_argument(
        "--channels",
        choices=("separate",),
        help="transcribe each channel by itself, as of a call, with --format json",
    )
    _add_output(parser, [each for each in TRANSCRIPT_FORMATS if each != "verbose_json"], "text")
    parser.add_argument_group("text").add_argument(
        "--style",
        choices=get_args(Style),
        help="written: with capitals, punctuation and numbers in text and subtitles, and as "
        "`written` in JSON; verbatim: as heard; default: written if there is a punctuation model. "
        "textgrid and csv have words as heard",
    )
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
        ("--n-best", int, "number of hypotheses to write, with --format json"),
        ("--hotwords", _unicode, "words to expect, with boosts: 'otoscope:8, new york'"),
        ("--phrases", _unicode, "closed list of phrases, one of which is said: 'yes, no, stop'"),
    ):
        metavar = {int: "N", float: "X", _unicode: "LIST"}[kind]
        decoding.add_argument(flag, type=kind, metavar=metavar, help=text)
    decoding.add_argument(
        "--none-of-these",
        action="store_true",
        help="write nothing where none of --phrases is said",
    )
    _add_backend(parser)
    parser.set_defaults(command=commands.transcribe, parser=parser)


def _unicode(text: str) -> str:
    """Refuse what did not come in the terminal's encoding, which Python hides in surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        got = os.fsencode(text).decode(errors="backslashreplace")
        raise argparse.ArgumentTypeError(f"expected text in UTF-8, got {got}") from None
    return text


def _add_align(parser: argparse.ArgumentParser) -> None:
    _add_files(parser, "+")
    _add_choice(parser)
    text = parser.add_mutually_exclusive_group()
    text.add_argument("--text", type=_unicode, help="what is said, the same in all files")
    text.add_argument("--text-file", type=Path, metavar="FILE", help="file with that text")
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


def _add_files(parser: argparse.ArgumentParser, count: str) -> None:
    parser.add_argument("files", metavar="FILE", nargs=count, help=_INPUTS)


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
        "-o", "--out", type=Path, metavar="FILE", help="write here instead of standard output"
    )
    place.add_argument(
        "--out-dir", type=Path, metavar="DIR", help="write one file per recording into this folder"
    )
    parser.set_defaults(default_format=default, formats=formats)


def _add_backend(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("model or service")
    either = group.add_mutually_exclusive_group()
    either.add_argument(
        "--model",
        type=Path,
        metavar="FILE",
        help="a model's file, its folder, or the folder's name in models/; default: "
        "models/english/model.int8.onnx, in the working directory or the checkout",
    )
    either.add_argument(
        "--server", metavar="URL", help="a running service, such as http://127.0.0.1:8000"
    )
    group.add_argument(
        "--lm",
        type=Path,
        metavar="FILE",
        help="language model; default: lm.npz beside the model. punctuation.onnx is looked for "
        "beside the model, then beside this",
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
