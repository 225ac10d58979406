"""The commands of `python -m training`: arguments, and a function from options to exit code each.

A function's docstring is its command's help. Each imports what it needs itself: only training
needs torch.
"""

import argparse
import os
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from otoscope.pronunciations import FILE_NAME

if TYPE_CHECKING:
    from otoscope import Recognizer
    from otoscope.decoding.decoder import Decoder

Argument = tuple[tuple[str, ...], dict[str, Any]]
Command = Callable[[argparse.Namespace], int]

COMMANDS: dict[str, tuple[Command, tuple[Argument, ...]]] = {}
"""What `command` registered, by name."""


def command(name: str, *arguments: Argument) -> Callable[[Command], Command]:
    """Register a function under the name of a command."""

    def register(function: Command) -> Command:
        COMMANDS[name] = (function, arguments)
        return function

    return register


def argument(*names: str, **options: Any) -> Argument:  # noqa: ANN401
    """What argparse's `add_argument` takes."""
    return names, options


path = partial(argument, type=Path)

_CORPUS = (
    path("--corpus", required=True, help="folder that the config's manifests lie below"),
    path("--cache", default=Path(".cache/features"), help="folder of computed features"),
)
_CONFIG = (path("config", help="TOML file, see training/configs/"), *_CORPUS)
_MODEL = path("--model", default=Path("models/english/model.int8.onnx"), help="exported model")
_LM = path("--lm", help="language model: adds beam search with and without it")
_ENGLISH_LM = Path("models/english/lm.npz")
_MANIFESTS = path("manifests", nargs="+", help="with texts")
_SEARCH = tuple(
    argument(name, type=kind, help=f"{words} (default: as decoding.json beside the model says)")
    for name, kind, words in (
        ("--beam-width", int, "texts kept"),
        ("--lm-weight", float, "of the language model"),
        ("--word-bonus", float, "for each word"),
        ("--unknown-penalty", float, "for each word outside the vocabulary"),
        ("--acoustic-scale", float, "of the log posteriors"),
        ("--prior-scale", float, "of the symbols' log priors"),
    )
)


@command("prepare", *_CONFIG)
def prepare(options: argparse.Namespace) -> int:
    """Check the manifests and compute the features, without training."""
    from training.config_file import read_config
    from training.data.prepare import prepare

    print(prepare(read_config(options.config), options.corpus, options.cache).report)
    return 0


@command(
    "fit",
    *_CONFIG,
    path("--run", help="folder of checkpoints and pictures (default: runs/NAME)"),
    path("--start", help="weights that a new run begins with: best.pt, model.onnx or Whisper's"),
    argument("--threads", type=int, default=os.cpu_count(), help="of torch"),
)
def fit(options: argparse.Namespace) -> int:
    """Train, or continue a run."""
    import torch

    from training.config_file import read_config
    from training.data.prepare import prepare
    from training.run.trainer import Trainer

    torch.set_num_threads(options.threads)
    config = read_config(options.config)
    prepared = prepare(config, options.corpus, options.cache)
    print(prepared.report, flush=True)
    folder = options.run or Path("runs") / config.name
    if Trainer(config, prepared, folder, options.start, cache=options.cache).fit():
        print(f"done: {folder / 'best.pt'}; curves in {folder / 'curves.png'}")
        return 0
    print(f"stopped; the same command continues from {folder / 'last.pt'}")
    return 130


@command(
    "evaluate",
    _MANIFESTS,
    _MODEL,
    path("--json", help="also write the figures to this file"),
    path("--table", help="also write the Markdown table to this file"),
    _LM,
    *_SEARCH,
    argument(
        "--peers",
        nargs="*",
        default=[],
        help="on the same files as well: pocketsphinx, whisper:NAME (or folder)",
    ),
    argument("--show", type=int, default=0, help="print so many utterances of each"),
)
def evaluate(options: argparse.Namespace) -> int:
    """WER and CER of an exported model on manifests (needs no torch)."""
    from otoscope.sidecars import write_sidecar
    from training.evaluation.decoders import our_systems
    from training.evaluation.evaluate import evaluate, markdown_table
    from training.evaluation.peers import open_peers

    recognizer, decoder = _open(options)
    peers = open_peers(options.peers, recognizer.spec.alphabet)
    systems = {**our_systems(recognizer, decoder), **peers}
    scores = evaluate(systems, options.manifests, recognizer.spec, show=options.show)
    table = markdown_table(scores)
    print(table)
    if options.json is not None:
        sets = [asdict(score) for score in scores]
        write_sidecar(options.json, {"model_sha256": recognizer.sha256, "sets": sets})
    if options.table is not None:
        options.table.write_text(table + "\n", encoding="utf-8")
    return 0


@command("calibrate", _MANIFESTS, _MODEL, _LM, *_SEARCH)
def calibrate(options: argparse.Namespace) -> int:
    """Fit what confidences mean on dev manifests (needs no torch)."""
    from otoscope.sidecars import write_sidecar
    from training.evaluation.calibrate import calibrate

    calibration, reliability, figure = calibrate(*_open(options), options.manifests)
    folder = options.model.parent
    write_sidecar(folder / "calibration.json", calibration)
    report = {
        "model_sha256": calibration.model_sha256,
        "sets": [asdict(one) for one in reliability],
    }
    write_sidecar(folder / "reliability.json", report)
    figure.savefig(folder / "reliability.png", dpi=110)
    print(*reliability, sep="\n")
    return 0


@command(
    "label",
    path("manifest", help="its texts are empty"),
    _MODEL,
    path("--lm", default=_ENGLISH_LM, help="language model"),
    argument("--least", type=float, default=0.8, help="mean confidence to be kept"),
    path("--out", required=True, help="manifest to write"),
    *_SEARCH,
)
def label(options: argparse.Namespace) -> int:
    """Transcribe recordings without texts, to learn from the surest."""
    from training.text.pseudo_labels import label

    done = label(*_open(options), options.manifest, least=options.least, out=options.out)
    print(f"{options.out}: {done}")
    return 0


@command(
    "lm",
    path("--text", nargs="*", default=[], help="plain, .gz or .xz files, each a source"),
    path("--manifests", nargs="*", default=[], help="transcripts, one more source"),
    path("--dev", nargs="*", default=[], help="to weight sources by, and to measure it on"),
    path("--leave-out", nargs="*", default=[], help="further manifests that it may not know"),
    path("--arpa", help="pack this model of another tool, rather than estimate one"),
    path("--model", help="whose alphabet texts are written in (default: English)"),
    argument("--order", type=int, default=4, help="words of the longest n-grams"),
    argument("--min-count", type=int, default=3, help="rarer words are unknown"),
    argument("--most-words", type=int, default=150_000, help="known words"),
    argument("--most-mb", type=float, default=30.0, help="size of the file, 10^6 bytes"),
    path("--out", default=_ENGLISH_LM, help="language model to write"),
)
def language_model(options: argparse.Namespace) -> int:
    """Estimate a word n-gram model from texts: weighted, mixed and pruned."""
    from otoscope import ENGLISH, Recognizer
    from training.text.language_model import LmOptions, build, pack_arpa

    alphabet = Recognizer(options.model).spec.alphabet if options.model else ENGLISH
    if options.arpa:
        report = pack_arpa(options.arpa, alphabet, options.dev, options.out)
    else:
        report = build(
            options.text,
            options.manifests,
            alphabet,
            options.dev,
            options.out,
            leave_out=options.leave_out,
            options=LmOptions(
                options.order, options.min_count, options.most_words, int(options.most_mb * 1e6)
            ),
        )
    print(f"{options.out}: {report.vocabulary} words, {report.size_bytes / 1e6:.1f} MB")
    print(*report.sources, *report.dev, sep="\n")
    return 0


@command(
    "pronunciations",
    path("--lm", default=_ENGLISH_LM, help="language model"),
    path("--out", help=f"(default: {FILE_NAME} beside the language model)"),
)
def pronunciations(options: argparse.Namespace) -> int:
    """Write the pronunciations of a language model's words (CMUdict)."""
    from otoscope.decoding.ngram import NgramModel
    from otoscope.vocabulary import ARPABET
    from training.data.pronunciation import write_pronunciations

    words = NgramModel.load(options.lm).vocabulary
    out = options.out or options.lm.with_name(FILE_NAME)
    known = write_pronunciations(words, ARPABET, out)
    print(f"{out}: {known} of {len(words)} words")
    return 0


@command(
    "scenes",
    _MANIFESTS,
    path("--noise", help="manifest of noise recordings"),
    argument("--count", type=int, default=1000, help="recordings to make"),
    argument("--silent", type=float, default=0.3, help="share without speech"),
    path("--out", required=True, help="manifest to write, .jsonl"),
)
def scenes(options: argparse.Namespace) -> int:
    """Make longer recordings of utterances with silence, noise, hum and music around them."""
    from training.data.scenes import make_scenes

    hours = make_scenes(
        options.manifests,
        options.noise,
        options.out,
        count=options.count,
        silent_share=options.silent,
    )
    print(f"{options.out}: {options.count} recordings, {hours:.2f} h")
    return 0


@command(
    "picture",
    path("audio", help="a recording"),
    _MODEL,
    path("--out", help="PNG or SVG (default: AUDIO's name with .png)"),
)
def picture(options: argparse.Namespace) -> int:
    """Draw log-mel and posteriorgram of a recording (needs no torch)."""
    from otoscope import Recognizer, greedy, load, longform
    from otoscope.plots.posteriorgram import draw_posteriorgram

    recognizer = Recognizer(options.model)
    spec = recognizer.spec.features
    waveform = load(options.audio, spec.sample_rate_hz, min_samples=spec.window_samples)
    recognition = longform.recognize(recognizer, [waveform.samples], keep_features=True)
    out = options.out or Path(options.audio.name).with_suffix(".png")
    draw_posteriorgram(recognition.require_features(), recognition.posteriors).savefig(out)
    print(f"{out}: {greedy(recognition.posteriors).text}")
    return 0


def _open(options: argparse.Namespace) -> "tuple[Recognizer, Decoder]":
    """A model and the decoder that is served, with the search's options that were given."""
    from otoscope import Recognizer
    from training.evaluation.decoders import model_decoder

    names = [flag.removeprefix("--").replace("-", "_") for (flag,), _ in _SEARCH]
    given = {name: getattr(options, name) for name in names}
    search = {name: value for name, value in given.items() if value is not None}
    recognizer = Recognizer(options.model)
    return recognizer, model_decoder(recognizer, options.model, options.lm, search)
