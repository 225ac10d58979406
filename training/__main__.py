"""`python -m training COMMAND`: what can be asked for; `training.commands` does it."""

import argparse
import os
import sys
from pathlib import Path

from otoscope.errors import OtoscopeError
from otoscope.pronunciations import FILE_NAME
from training import commands

ENGLISH_MODEL = Path("models/english/model.onnx")
ENGLISH_LM = Path("models/english/lm.npz")

_EPILOG = """\
examples:
  python -m training prepare training/configs/english-characters.toml --corpus ~/speech
  python -m training fit training/configs/english-characters.toml --corpus ~/speech
  python -m training average runs/mine/best.pt models/english/model.onnx \\
      --corpus ~/speech --out runs/averaged/best.pt
  python -m training evaluate --model models/english/model.onnx ~/speech/*/dev.jsonl
  python -m training calibrate --lm models/english/lm.npz ~/speech/*/dev.jsonl
  python -m training lm --text novels.txt.xz --dev ~/speech/*/dev.jsonl --out lm.npz
  python -m training speak --text novels.txt.xz --out ~/speech/synthetic/train.jsonl
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
    added = parser.add_subparsers(title="commands", required=True)
    for add in (_add_training, _add_measuring, _add_making):
        add(added)
    return parser


def _add_training(added: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """What turns manifests into weights."""
    prepare = added.add_parser(
        "prepare", help="check the manifests and compute the features, without training"
    )
    _add_inputs(prepare)
    prepare.set_defaults(run_command=commands.prepare)
    fit = added.add_parser("fit", help="train, or go on with a run")
    _add_inputs(fit)
    fit.add_argument(
        "--run", type=Path, help="folder of checkpoints and pictures (default: runs/NAME)"
    )
    fit.add_argument(
        "--start",
        type=Path,
        help="begin a new run with the weights of another: its best.pt, or its model.onnx",
    )
    fit.add_argument(
        "--teacher",
        type=Path,
        help="exported model whose posteriors are learned, where the config has a teacher_weight",
    )
    fit.add_argument(
        "--threads", type=int, default=os.cpu_count(), help="of torch (default: one a processor)"
    )
    fit.set_defaults(run_command=commands.fit)
    average = added.add_parser(
        "average", help="mix the weights of a run with those it started from, as dev sets like best"
    )
    average.add_argument("checkpoint", type=Path, help="best.pt of a run")
    average.add_argument(
        "others", type=Path, nargs="+", help="checkpoints or model.onnx files of the same form"
    )
    average.add_argument(
        "--evenly",
        action="store_true",
        help="give all the same share, rather than choose by dev sets",
    )
    average.add_argument("--out", type=Path, required=True, help="checkpoint to write, to export")
    _add_corpus(average)
    average.set_defaults(run_command=commands.average)


def _add_measuring(added: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """What measures an exported model."""
    evaluate = added.add_parser(
        "evaluate", help="WER and CER of an exported model on manifests (needs no torch)"
    )
    evaluate.add_argument("manifests", type=Path, nargs="+", help="with texts")
    evaluate.add_argument(
        "--model", type=Path, default=ENGLISH_MODEL, help=f"(default: {ENGLISH_MODEL})"
    )
    evaluate.add_argument("--json", type=Path, help="also write the figures to this file")
    evaluate.add_argument("--table", type=Path, help="also write the Markdown table to this file")
    evaluate.add_argument(
        "--lm", type=Path, help="language model: adds beam search with and without"
    )
    _add_search(evaluate)
    evaluate.add_argument("--pocketsphinx", action="store_true", help="on the same files as well")
    evaluate.add_argument("--show", type=int, default=0, help="print so many utterances of each")
    evaluate.set_defaults(run_command=commands.evaluate)
    calibrate = added.add_parser(
        "calibrate", help="fit what confidences mean on dev manifests (needs no torch)"
    )
    calibrate.add_argument("manifests", type=Path, nargs="+", help="with texts")
    calibrate.add_argument(
        "--model", type=Path, default=ENGLISH_MODEL, help=f"(default: {ENGLISH_MODEL})"
    )
    calibrate.add_argument("--lm", type=Path, help="language model: adds beam search")
    _add_search(calibrate)
    calibrate.set_defaults(run_command=commands.calibrate)


def _add_making(added: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """What makes texts, language models and pictures."""
    label = added.add_parser(
        "label", help="write down recordings without texts, to learn from the surest"
    )
    label.add_argument("manifest", type=Path, help="its texts are empty")
    label.add_argument(
        "--model", type=Path, default=ENGLISH_MODEL, help=f"(default: {ENGLISH_MODEL})"
    )
    label.add_argument("--lm", type=Path, default=ENGLISH_LM, help=f"(default: {ENGLISH_LM})")
    label.add_argument(
        "--least", type=float, default=0.8, help="mean confidence to be kept (default: 0.8)"
    )
    label.add_argument("--out", type=Path, required=True, help="manifest to write")
    _add_search(label)
    label.set_defaults(run_command=commands.label)
    lm = added.add_parser("lm", help="estimate a word trigram from text (needs irstlm)")
    lm.add_argument("--text", type=Path, nargs="*", default=[], help="plain, .gz or .xz files")
    lm.add_argument("--manifests", type=Path, nargs="*", default=[], help="transcripts to add")
    lm.add_argument(
        "--dev", type=Path, nargs="*", default=[], help="to measure it on; left out of it"
    )
    lm.add_argument("--min-count", type=int, default=3, help="rarer words are unknown (default: 3)")
    lm.add_argument(
        "--repeat", type=int, default=4, help="count each transcript so often (default: 4)"
    )
    lm.add_argument("--prune", type=float, default=1e-8, help="threshold (default: 1e-8)")
    lm.add_argument("--out", type=Path, default=ENGLISH_LM, help=f"(default: {ENGLISH_LM})")
    lm.set_defaults(run_command=commands.language_model)
    pronunciations = added.add_parser(
        "pronunciations", help="write down how a language model's words sound (CMUdict)"
    )
    pronunciations.add_argument(
        "--lm", type=Path, default=ENGLISH_LM, help=f"(default: {ENGLISH_LM})"
    )
    pronunciations.add_argument(
        "--out", type=Path, help=f"(default: {FILE_NAME} beside the language model)"
    )
    pronunciations.set_defaults(run_command=commands.pronunciations)
    speak = added.add_parser(
        "speak", help="have synthetic voices speak sentences to learn from (needs flite)"
    )
    speak.add_argument(
        "--text", type=Path, nargs="+", required=True, help="plain, .gz or .xz files"
    )
    speak.add_argument(
        "--dev", type=Path, nargs="*", default=[], help="their sentences are left out"
    )
    speak.add_argument("--utterances", type=int, default=5000, help="(default: 5000)")
    speak.add_argument("--out", type=Path, required=True, help="manifest to write, .jsonl")
    speak.set_defaults(run_command=commands.speak)
    picture = added.add_parser(
        "picture", help="draw log-mel and posteriorgram of a recording (needs no torch)"
    )
    picture.add_argument("audio", type=Path, help="a recording")
    picture.add_argument(
        "--model", type=Path, default=ENGLISH_MODEL, help=f"(default: {ENGLISH_MODEL})"
    )
    picture.add_argument("--out", type=Path, help="PNG or SVG (default: AUDIO's name with .png)")
    picture.set_defaults(run_command=commands.picture)


def _add_inputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", type=Path, help="TOML file, see training/configs/")
    _add_corpus(parser)


def _add_corpus(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--corpus", type=Path, required=True, help="folder that the config's manifests lie below"
    )
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path(".cache/features"),
        help="folder of computed features (default: .cache/features)",
    )


def _add_search(parser: argparse.ArgumentParser) -> None:
    for name, kind, words in (
        ("beam-width", int, "texts kept"),
        ("lm-weight", float, "of the language model"),
        ("word-bonus", float, "for each word"),
        ("unknown-penalty", float, "for each word outside the vocabulary"),
        ("acoustic-scale", float, "of the log posteriors"),
        ("prior-scale", float, "of the symbols' log priors"),
    ):
        parser.add_argument(
            f"--{name}",
            type=kind,
            help=f"{words} (default: as decoding.json beside the model says)",
        )


if __name__ == "__main__":
    sys.exit(main())
