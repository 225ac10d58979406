"""`python -m training prepare|fit|evaluate|calibrate|label|lm|pronunciations|picture`."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from otoscope.errors import OtoscopeError
from otoscope.pronunciations import FILE_NAME

if TYPE_CHECKING:
    from otoscope.decoding.beam import BeamOptions

_EPILOG = """\
examples:
  python -m training prepare training/configs/english.toml --corpus ~/speech
  python -m training fit training/configs/english.toml --corpus ~/speech --run runs/english
  python -m training evaluate --model models/english/model.onnx ~/speech/*/dev.jsonl
  python -m training calibrate --lm models/english/lm.npz ~/speech/*/dev.jsonl
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
    for add in (_add_training, _add_judging, _add_making):
        add(commands)
    return parser


def _add_training(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """What turns manifests into weights."""
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
        "--start",
        type=Path,
        help="begin a new run with the weights of another: its best.pt, or its model.onnx",
    )
    fit.add_argument(
        "--threads", type=int, default=os.cpu_count(), help="of torch (default: one a processor)"
    )
    fit.set_defaults(run_command=_fit)


def _add_judging(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """What measures an exported model."""
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
    _add_search(evaluate)
    evaluate.add_argument("--pocketsphinx", action="store_true", help="on the same files as well")
    evaluate.add_argument("--show", type=int, default=0, help="print so many utterances of each")
    evaluate.set_defaults(run_command=_evaluate)
    calibrate = commands.add_parser(
        "calibrate", help="fit what confidences mean on dev manifests (needs no torch)"
    )
    calibrate.add_argument("manifests", type=Path, nargs="+")
    calibrate.add_argument("--model", type=Path, default=Path("models/english/model.onnx"))
    calibrate.add_argument("--lm", type=Path, help="language model: adds beam search")
    _add_search(calibrate)
    calibrate.set_defaults(run_command=_calibrate)


def _add_making(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """What makes texts, language models and pictures."""
    label = commands.add_parser(
        "label", help="write down recordings without texts, to learn from the surest"
    )
    label.add_argument("manifest", type=Path, help="its texts are empty")
    label.add_argument("--model", type=Path, default=Path("models/english/model.onnx"))
    label.add_argument("--lm", type=Path, default=Path("models/english/lm.npz"))
    label.add_argument(
        "--least", type=float, default=0.8, help="mean confidence to be kept (default: 0.8)"
    )
    label.add_argument("--out", type=Path, required=True, help="manifest to write")
    _add_search(label)
    label.set_defaults(run_command=_label)
    lm = commands.add_parser("lm", help="estimate a word trigram from text (needs irstlm)")
    lm.add_argument("--text", type=Path, nargs="*", default=[], help="plain, .gz or .xz files")
    lm.add_argument("--manifests", type=Path, nargs="*", default=[], help="transcripts to add")
    lm.add_argument("--dev", type=Path, nargs="*", default=[], help="manifests to measure it on")
    lm.add_argument("--min-count", type=int, default=3, help="rarer words are unknown (default: 3)")
    lm.add_argument(
        "--repeat", type=int, default=4, help="count each transcript so often (default: 4)"
    )
    lm.add_argument("--prune", type=float, default=1e-8, help="threshold (default: 1e-8)")
    lm.add_argument("--out", type=Path, default=Path("models/english/lm.npz"))
    lm.set_defaults(run_command=_language_model)
    pronunciations = commands.add_parser(
        "pronunciations", help="write down how a language model's words sound (CMUdict)"
    )
    pronunciations.add_argument("--lm", type=Path, default=Path("models/english/lm.npz"))
    pronunciations.add_argument(
        "--out", type=Path, help=f"(default: {FILE_NAME} beside the language model)"
    )
    pronunciations.set_defaults(run_command=_pronunciations)
    picture = commands.add_parser(
        "picture", help="draw log-mel and posteriorgram of a recording (needs no torch)"
    )
    picture.add_argument("audio", type=Path)
    picture.add_argument("--model", type=Path, default=Path("models/english/model.onnx"))
    picture.add_argument("--out", type=Path, help="PNG or SVG (default: AUDIO's name with .png)")
    picture.set_defaults(run_command=_picture)


def _add_inputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", type=Path, help="TOML file, see training/configs/")
    parser.add_argument(
        "--corpus", type=Path, required=True, help="folder that the config's manifests lie below"
    )
    parser.add_argument(
        "--cache", type=Path, default=Path(".cache/features"), help="folder of computed features"
    )


def _add_search(parser: argparse.ArgumentParser) -> None:
    for name, kind, default, words in (
        ("beam-width", int, 200, "texts kept"),
        ("lm-weight", float, 0.7, "of the language model"),
        ("word-bonus", float, 0.0, "for each word"),
        ("unknown-penalty", float, 25.0, "for each word outside the vocabulary"),
        ("acoustic-scale", float, 0.8, "of the log posteriors"),
        ("prior-scale", float, 0.5, "of the symbols' log priors"),
    ):
        parser.add_argument(
            f"--{name}", type=kind, default=default, help=f"{words} (default: {default})"
        )


def _search(options: argparse.Namespace) -> "BeamOptions":
    from otoscope.decoding.beam import BeamOptions

    return BeamOptions(
        beam_width=options.beam_width,
        lm_weight=options.lm_weight,
        word_bonus=options.word_bonus,
        unknown_penalty=options.unknown_penalty,
        acoustic_scale=options.acoustic_scale,
        prior_scale=options.prior_scale,
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
    if Trainer(config, prepared, folder, options.start).fit():
        print(f"done: {folder / 'best.pt'}; curves in {folder / 'curves.png'}")
        return 0
    print(f"stopped; the same command goes on from {folder / 'last.pt'}")
    return 130


def _evaluate(options: argparse.Namespace) -> int:
    from training.evaluation import Plan, evaluate, markdown_table, write_json

    plan = Plan(
        options.model,
        tuple(options.manifests),
        options.lm,
        _search(options),
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


def _calibrate(options: argparse.Namespace) -> int:
    from otoscope.calibration import write_calibration
    from training.calibration import calibrate

    result = calibrate(options.model, options.manifests, options.lm, _search(options))
    folder = options.model.parent
    write_calibration(folder / "calibration.json", result.calibration)
    report = json.dumps(result.report(), indent=1) + "\n"
    (folder / "reliability.json").write_text(report, encoding="utf-8")
    result.figure.savefig(folder / "reliability.png", dpi=110)
    for one in result.reliability:
        unseen = "" if one.ece_unseen is None else f", {one.ece_unseen:.3f} fitted without it"
        print(
            f"{one.manifest}, {one.decoder}: {one.words} words, {100 * one.right_share:.0f} % "
            f"right; calibration error {one.ece_raw:.3f} raw, {one.ece:.3f} calibrated{unseen}"
        )
    return 0


def _label(options: argparse.Namespace) -> int:
    from training.labelling import label

    done = label(
        options.model,
        options.manifest,
        options.lm,
        _search(options),
        least=options.least,
        out=options.out,
    )
    print(
        f"{options.out}: {done.kept} of {done.heard} utterances, {done.kept_s / 3600:.2f} of "
        f"{done.heard_s / 3600:.2f} h, {100 * done.expected_right:.0f} % of their words right "
        "as far as the model knows"
    )
    return 0


def _language_model(options: argparse.Namespace) -> int:
    from otoscope import ENGLISH
    from training.language_model import Recipe, build

    recipe = Recipe(
        tuple(options.text),
        tuple(options.manifests),
        repeat=options.repeat,
        min_count=options.min_count,
        prune=options.prune,
    )
    report = build(recipe, ENGLISH, options.dev, options.out)
    print(f"{options.out}: {report.vocabulary} words, {report.size_bytes / 1e6:.1f} MB")
    for known in report.dev:
        print(
            f"{known.manifest}: perplexity {known.perplexity:.0f}, "
            f"{100 * known.unknown_share:.1f} % unknown words"
        )
    return 0


def _pronunciations(options: argparse.Namespace) -> int:
    from otoscope.decoding.ngram import NgramModel
    from otoscope.phonemes import ARPABET
    from training.pronunciation import write_pronunciations

    words = NgramModel.load(options.lm).vocabulary
    out = options.out or options.lm.with_name(FILE_NAME)
    known = write_pronunciations(words, ARPABET, out)
    print(f"{out}: {known} of {len(words)} words")
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
