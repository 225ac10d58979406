"""`python -m training prepare|fit|evaluate|lm|picture`."""

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
  python -m training lm --text novels.txt.xz --dev ~/speech/*/dev.jsonl --out lm.npz
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
    evaluate.add_argument("--table", type=Path, help="also write the Markdown table to this file")
    evaluate.add_argument(
        "--lm", type=Path, help="language model: adds beam search with and without"
    )
    evaluate.add_argument("--beam-width", type=int, default=60, help="texts kept (default: 60)")
    evaluate.add_argument("--lm-weight", type=float, default=0.6, help="(default: 0.6)")
    evaluate.add_argument("--word-bonus", type=float, default=0.0, help="(default: 0)")
    evaluate.add_argument("--unknown-penalty", type=float, default=15.0, help="(default: 15)")
    evaluate.add_argument("--pocketsphinx", action="store_true", help="on the same files as well")
    evaluate.add_argument("--show", type=int, default=0, help="print so many utterances of each")
    evaluate.set_defaults(run_command=_evaluate)
    lm = commands.add_parser("lm", help="estimate a word trigram from text (needs irstlm)")
    lm.add_argument("--text", type=Path, nargs="*", default=[], help="plain, .gz or .xz files")
    lm.add_argument("--manifests", type=Path, nargs="*", default=[], help="transcripts to add")
    lm.add_argument("--dev", type=Path, nargs="*", default=[], help="manifests to measure it on")
    lm.add_argument("--min-count", type=int, default=3, help="rarer words are unknown (default: 3)")
    lm.add_argument("--prune", type=float, default=1e-7, help="threshold (default: 1e-7)")
    lm.add_argument("--out", type=Path, default=Path("models/english/lm.npz"))
    lm.set_defaults(run_command=_language_model)
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
    from otoscope.decoding.beam import BeamOptions
    from training.evaluation import Plan, evaluate, markdown_table, write_json

    search = BeamOptions(
        beam_width=options.beam_width,
        lm_weight=options.lm_weight,
        word_bonus=options.word_bonus,
        unknown_penalty=options.unknown_penalty,
    )
    plan = Plan(
        options.model,
        tuple(options.manifests),
        options.lm,
        search,
        peer=options.pocketsphinx,
        show=options.show,
    )
    model_sha256, scores = evaluate(plan)
    table = markdown_table(scores)
    print(table)
    if options.json is not None:
        write_json(options.json, model_sha256, scores)
    if options.table is not None:
        options.table.write_text(table + "\n", encoding="utf-8")
    return 0


def _language_model(options: argparse.Namespace) -> int:
    from otoscope import ENGLISH
    from training.language_model import Recipe, build

    recipe = Recipe(tuple(options.text), tuple(options.manifests), options.min_count, options.prune)
    report = build(recipe, ENGLISH, options.dev, options.out)
    print(f"{options.out}: {report.vocabulary} words, {report.size_bytes / 1e6:.1f} MB")
    for known in report.dev:
        print(
            f"{known.manifest}: perplexity {known.perplexity:.0f}, "
            f"{100 * known.unknown_share:.1f} % unknown words"
        )
    return 0


def _picture(options: argparse.Namespace) -> int:
    from otoscope import Recognizer
    from training.pictures import picture_recording

    out = options.out or Path(options.audio.name).with_suffix(".png")
    text = picture_recording(Recognizer(options.model), options.audio, out)
    print(f"{out}: {text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
