"""Commands that tell how good a model is, and make the best of it; none needs torch."""

import argparse
from dataclasses import asdict
from pathlib import Path

from training.commands.registry import (
    LM,
    MANIFESTS,
    MODEL,
    NO_LM,
    SEARCH,
    argument,
    command,
    open_model,
    path,
)


@command(
    "evaluate",
    MANIFESTS,
    MODEL,
    path("--json", help="also write the figures to this file"),
    path("--table", help="also write the Markdown table to this file"),
    argument("--beside", action="store_true", help="write both beside the model"),
    LM,
    NO_LM,
    *SEARCH,
    argument(
        "--peers",
        nargs="*",
        default=[],
        help="on the same files as well: pocketsphinx (English), whisper:NAME (or folder)",
    ),
    argument("--show", type=int, default=0, help="print so many utterances of each"),
)
def evaluate(options: argparse.Namespace) -> int:
    """WER and CER of an exported model on manifests (needs no torch)."""
    from otoscope.sidecars import write_sidecar
    from training.evaluation.decoders import our_systems
    from training.evaluation.evaluate import evaluate, markdown_table
    from training.evaluation.peers import open_peers

    recognizer, decoder = open_model(options)
    if options.beside:
        options.json = options.json or options.model.with_name("evaluation.json")
        options.table = options.table or options.model.with_name("accuracy.md")
    peers = open_peers(options.peers, recognizer.spec)
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


@command("calibrate", MANIFESTS, MODEL, LM, NO_LM, *SEARCH)
def calibrate(options: argparse.Namespace) -> int:
    """Fit what confidences mean on dev manifests (needs no torch)."""
    _calibrate(options)
    return 0


def _calibrate(options: argparse.Namespace) -> None:
    from otoscope.sidecars import write_sidecar
    from training.evaluation.calibrate import calibrate

    calibration, reliability, figure = calibrate(*open_model(options), options.manifests)
    folder = options.model.parent
    write_sidecar(folder / "calibration.json", calibration)
    report = {
        "model_sha256": calibration.model_sha256,
        "sets": [asdict(one) for one in reliability],
    }
    write_sidecar(folder / "reliability.json", report)
    figure.savefig(folder / "reliability.png", dpi=110)
    print(*reliability, sep="\n")


@command(
    "tune",
    MANIFESTS,
    MODEL,
    LM,
    argument("--rounds", type=int, default=2, help="over all options, steps halved after each"),
)
def tune(options: argparse.Namespace) -> int:
    """Find the options of the beam search that suit a model on dev manifests (needs no torch).

    Confidences follow from the search, so they are calibrated again.
    """
    from contextlib import closing

    from otoscope.decoding.options import ModelDecoding
    from otoscope.errors import ModelFileError
    from otoscope.sidecars import write_sidecar
    from training.evaluation.tune import Search, tune

    options.no_lm = False
    recognizer, decoder = open_model(options)
    if decoder.language_model is None or decoder.calibration is None:
        raise ModelFileError(
            f"{options.model}: expected a language model (python -m training lm) and "
            "calibration.json (python -m training calibrate), whose priors the search needs"
        )
    path = options.model.with_name("decoding.json")
    with closing(Search(options.model, options.lm, options.manifests)) as search:
        for found in tune(search, decoder.beam, options.rounds):
            print(found, flush=True)
            write_sidecar(path, ModelDecoding(recognizer.exact_sha256, found.options))
    print(path)
    _calibrate(options)
    return 0


@command(
    "picture",
    path("audio", help="a recording"),
    MODEL,
    path("--out", help="PNG or SVG (default: AUDIO's name with .png)"),
)
def picture(options: argparse.Namespace) -> int:
    """Draw log-mel and posteriorgram of a recording (needs no torch)."""
    from otoscope import Recognizer, greedy, load, longform
    from otoscope.model_folders import find_model
    from otoscope.plots.posteriorgram import draw_posteriorgram

    recognizer = Recognizer(find_model(options.model))
    spec = recognizer.spec.features
    waveform = load(options.audio, spec.sample_rate_hz, min_samples=spec.window_samples)
    recognition = longform.recognize(recognizer, [waveform.samples], keep_features=True)
    out = options.out or Path(options.audio.name).with_suffix(".png")
    draw_posteriorgram(recognition.require_features(), recognition.posteriors).savefig(out)
    print(f"{out}: {greedy(recognition.posteriors).text}")
    return 0
