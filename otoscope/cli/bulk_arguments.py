"""Arguments of `otoscope bulk`."""

import argparse

from otoscope.cli import commands
from otoscope.cli.shared_arguments import (
    add_decoding,
    add_model,
    add_style,
    path_or_url,
)
from otoscope.formats import TRANSCRIPT_FORMATS


def add_bulk(parser: argparse.ArgumentParser) -> None:
    """Add all arguments."""
    parser.add_argument(
        "sources",
        metavar="SOURCE",
        nargs="+",
        type=path_or_url,
        help="a folder, a glob, a manifest (.jsonl, .csv or .tsv with audio_filepath) or a file; "
        "paths, and URLs that fsspec knows, as s3://bucket/folder",
    )
    group = parser.add_argument_group("results")
    group.add_argument(
        "--out",
        required=True,
        type=path_or_url,
        metavar="DEST",
        help="folder or URL; recordings that are in it, of the same model and options, are skipped",
    )
    group.add_argument(
        "--also",
        action="append",
        default=[],
        choices=[each for each in TRANSCRIPT_FORMATS if each != "verbose_json"],
        help="also write this format, one file per recording; may be given several times",
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
        help="of a running cluster, auto for that of this machine; default: a new one with this "
        "machine's CPUs",
    )
    ray.add_argument(
        "--workers", type=int, metavar="N", help="a CPU each; default: as many as there are CPUs"
    )
    add_decoding(parser)
    model = parser.add_argument_group("model")
    add_model(model, model)
    parser.set_defaults(command=commands.bulk, parser=parser)
