"""Arguments of `otoscope bulk`."""

import argparse

from otoscope.cli import commands
from otoscope.cli.shared_arguments import (
    add_decoding,
    add_language_model,
    add_model,
    add_style,
    unicode_text,
)
from otoscope.formats import TRANSCRIPT_FORMATS


def add_bulk(parser: argparse.ArgumentParser) -> None:
    """All of them."""
    parser.add_argument(
        "sources",
        metavar="SOURCE",
        nargs="+",
        type=unicode_text,
        help="a folder, a glob, a manifest (.jsonl, .csv or .tsv with audio_filepath) or a file; "
        "paths, and URLs that fsspec knows, as s3://bucket/folder",
    )
    group = parser.add_argument_group("results")
    group.add_argument(
        "--out",
        required=True,
        type=unicode_text,
        metavar="DEST",
        help="folder or URL; what it holds of the same content, model and options is left out",
    )
    group.add_argument(
        "--also",
        action="append",
        default=[],
        choices=[each for each in TRANSCRIPT_FORMATS if each != "verbose_json"],
        help="write this format, too, one file a recording; may be given several times",
    )
    group.add_argument(
        "--posteriors",
        action="store_true",
        help="keep P(character | frame) in the table, as float16: 5 MB an hour before compression",
    )
    add_style(group)
    ray = parser.add_argument_group("Ray")
    ray.add_argument(
        "--address",
        metavar="ADDRESS",
        help="of a cluster that runs, auto for that of this machine; default: a new one of this "
        "machine's CPUs",
    )
    ray.add_argument(
        "--workers", type=int, metavar="N", help="a CPU each; default: as many as there are CPUs"
    )
    add_decoding(parser)
    model = parser.add_argument_group("model")
    add_model(model)
    add_language_model(model)
    parser.set_defaults(command=commands.bulk, parser=parser)
