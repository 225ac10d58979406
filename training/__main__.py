"""`python -m training prepare|fit|evaluate|picture`."""

import argparse
import os
import sys
from pathlib import Path

from otoscope.errors import OtoscopeError

_EPILOG = """\
examples:
  python -m training prepare training/configs/english.toml --corpus ~/speech
  python -m training fit training/configs/english.toml --corpus ~/speech --run runs/english
  python -m training evaluate --model models/english/model.onnx ~/speech/*/dev.jsonl
  python -m training picture examples/sample.flac --out sample.png

Manifests are JSON lines ({"audio_filepath": ..., "text": ..., "duration": ...}) or CSV/TSV with
these names as header; audio paths are relative to the manifest. `fit` resumes the run in --run if
there is one: stop it with Ctrl-C or SIGTERM, or kill it, and call it again.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; domain errors become one line and exit code 2."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run_command(options))
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
    commands = parser.add_subparsers(title="commands", required=True)
    prepare = commands.add_parser(
        "prepare", help="check the manifests and compute the features, without training"
    )
    _add_inputs(prepare)
    prepare.set_defaults(run_command=_prepare)
    fit = commands.add_parser("fit", help="train, or go on with a run")
    _add_inputs(fit)
    fit.add_argument(
        "--run", type=Path, help="folder of checkpoints and pictures (default: runs/NAME)"
    )
    fit.add_argument(
        "--threads", type=int, default=os.cpu_count(), help="of torch (default: one a processor)"
    )
    fit.set_defaults(run_command=_fit)
    evaluate = commands.add_parser(
        "evaluate", help="WER and CER of an exported model on manifests (needs no torch)"
    )
    evaluate.add_argument("manifests", type=Path, nargs="+")
    evaluate.add_argument("--model", type=Path, default=Path("models/english/model.onnx"))
    evaluate.add_argument("--json", type=Path, help="also write the figures to this file")
    evaluate.add_argument("--threads", type=int, default=2, help="of onnxruntime (default: 2)")
    evaluate.add_argument("--show", type=int, default=0, help="print so many utterances of each")
    evaluate.set_defaults(run_command=_evaluate)
    picture = commands.add_parser(
        "picture", help="draw log-mel and posteriorgram of a recording (needs no torch)"
    )
    picture.add_argument("audio", type=Path)
    picture.add_argument("--model", type=Path, default=Path("models/english/model.onnx"))
    picture.add_argument("--out", type=Path, help="PNG or SVG (default: AUDIO's name with .png)")
    picture.set_defaults(run_command=_picture)
    return parser


def _add_inputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", type=Path, help="TOML file, see training/configs/")
    parser.add_argument(
        "--corpus", type=Path, required=True, help="folder that the config's manifests lie below"
    )
    parser.add_argument(
        "--cache", type=Path, default=Path(".cache/features"), help="folder of computed features"
    )


def _prepare(options: argparse.Namespace) -> int:
    from training.config import read_config
    from training.prepare import prepare

    prepared = prepare(read_config(options.config), options.corpus, options.cache)
    print(prepared.report)
    print(f"{prepared.audio_hours:.2f} hours of audio to learn from")
    return 0


def _fit(options: argparse.Namespace) -> int:
    import torch

    from training.config import read_config
    from training.loop import Trainer
    from training.prepare import prepare

    torch.set_num_threads(options.threads)
    config = read_config(options.config)
    prepared = prepare(config, options.corpus, options.cache)
    print(prepared.report)
    print(f"{prepared.audio_hours:.2f} hours of audio to learn from", flush=True)
    folder = options.run or Path("runs") / config.name
    if Trainer(config, prepared, folder).fit():
        print(f"done: {folder / 'best.pt'}; curves in {folder / 'curves.png'}")
        return 0
    print(f"stopped; the same command goes on from {folder / 'last.pt'}")
    return 130


def _evaluate(options: argparse.Namespace) -> int:
    from training.evaluation import evaluate_model

    return evaluate_model(
        options.model, options.manifests, options.json, threads=options.threads, show=options.show
    )


def _picture(options: argparse.Namespace) -> int:
    from otoscope import Recognizer
    from training.pictures import picture_recording

    out = options.out or Path(options.audio.name).with_suffix(".png")
    text = picture_recording(Recognizer(options.model), options.audio, out)
    print(f"{out}: {text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
