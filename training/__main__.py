"""`python -m training COMMAND`: the command line; `training.commands` runs the commands."""

import argparse
import sys

from otoscope.errors import OtoscopeError
from training.commands import COMMANDS

_EPILOG = """\
examples:
  python -m training new german --data ~/speech --language de --encoder ~/whisper-base
  python -m training fit training/configs/english-characters.toml --corpus ~/speech
  python -m training evaluate --model runs/mine/model.onnx ~/speech/*/dev.jsonl
  python -m training calibrate --model german ~/speech/*/dev.jsonl
  python -m training lm --text novels.txt.xz talks.txt --dev ~/speech/*/dev.jsonl --model german
  python -m training label unlabelled.jsonl --model german --whisper small --out labelled.jsonl
  python -m training punctuation --text novels.txt.xz talks.txt --dev other-novels.txt
  python -m training scenes ~/speech/*/train.jsonl --out ~/speech/scenes/train.jsonl
  python -m training picture examples/sample.flac --out sample.png

Manifests are JSON lines ({"audio_filepath": ..., "text": ..., "duration": ...}) or CSV/TSV with
these names as header; audio paths are relative to the manifest. `fit` resumes the run in --run if
there is one: stop it with Ctrl-C or SIGTERM, or kill it, and call it again.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; domain errors become one line and exit code 2."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.function(options))
    except (OtoscopeError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description="Train an RNN-CTC acoustic model on your own recordings, and score one.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subparsers = parser.add_subparsers(title="commands", required=True)
    for name, (function, arguments) in COMMANDS.items():
        summary = (function.__doc__ or "").removesuffix(".")
        command = subparsers.add_parser(name, help=summary, formatter_class=_DefaultsFormatter)
        command.set_defaults(function=function)
        for names, options in arguments:
            command.add_argument(*names, **options)
    return parser


class _DefaultsFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Shows the defaults that say something."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return super()._get_help_string(action) if action.default else action.help


if __name__ == "__main__":
    sys.exit(main())
