"""What `python -m training COMMAND` does, one function a command: options -> exit code.

Each imports what it needs itself: only fitting needs torch.
"""

import argparse
from pathlib import Path

from otoscope.pronunciations import FILE_NAME


def prepare(options: argparse.Namespace) -> int:
    """Check manifests, compute features."""
    from training.config import read_config
    from training.data.prepare import prepare

    prepared = prepare(read_config(options.config), options.corpus, options.cache)
    print(prepared.report)
    return 0


def fit(options: argparse.Namespace) -> int:
    """Train, or go on with a run."""
    import torch

    from training.config import read_config
    from training.data.prepare import prepare
    from training.model.teacher import Teacher
    from training.run.trainer import Trainer

    torch.set_num_threads(options.threads)
    config = read_config(options.config)
    prepared = prepare(config, options.corpus, options.cache)
    print(prepared.report, flush=True)
    folder = options.run or Path("runs") / config.name
    teacher = None
    if options.teacher is not None:
        teacher = Teacher(options.teacher, config, options.threads)
    if Trainer(config, prepared, folder, options.start, teacher).fit():
        print(f"done: {folder / 'best.pt'}; curves in {folder / 'curves.png'}")
        return 0
    print(f"stopped; the same command goes on from {folder / 'last.pt'}")
    return 130


def average(options: argparse.Namespace) -> int:
    """Mix the weights of models that came from one another."""
    from training.data.prepare import prepare_dev
    from training.run.validation import evaluate
    from training.weights.averaging import average
    from training.weights.checkpoint import load_exportable, save_exportable

    first = load_exportable(options.checkpoint)
    dev = prepare_dev(first.config, options.corpus, options.cache)
    mixed = average(
        first,
        options.others,
        lambda model: evaluate(model, dev, first.config),
        evenly=options.evenly,
    )
    save_exportable(options.out, mixed)
    print(f"{options.out}: dev CER {100 * (mixed.spec.provenance.dev_cer or 0):.1f} %")
    return 0


def evaluate(options: argparse.Namespace) -> int:
    """Measure an exported model."""
    from training.evaluation.evaluate import Plan, evaluate, markdown_table, write_json

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


def calibrate(options: argparse.Namespace) -> int:
    """Fit what confidences mean."""
    from otoscope.sidecars import write_sidecar
    from training.evaluation.calibrate import calibrate

    result = calibrate(options.model, options.manifests, options.lm, _search(options))
    folder = options.model.parent
    write_sidecar(folder / "calibration.json", result.calibration)
    write_sidecar(folder / "reliability.json", result.report())
    result.figure.savefig(folder / "reliability.png", dpi=110)
    for one in result.reliability:
        unseen = "" if one.ece_unseen is None else f", {one.ece_unseen:.3f} fitted without it"
        print(
            f"{one.manifest}, {one.decoder}: {one.words} words, {100 * one.right_share:.0f} % "
            f"right; calibration error {one.ece_raw:.3f} raw, {one.ece:.3f} calibrated{unseen}"
        )
    return 0


def label(options: argparse.Namespace) -> int:
    """Write down recordings without texts."""
    from training.text.pseudo_labels import label

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


def language_model(options: argparse.Namespace) -> int:
    """Estimate a word trigram."""
    from otoscope import ENGLISH
    from training.text.language_model import Recipe, build

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


def pronunciations(options: argparse.Namespace) -> int:
    """Write down how a language model's words sound."""
    from otoscope.decoding.ngram import NgramModel
    from otoscope.vocabulary import ARPABET
    from training.data.pronunciation import write_pronunciations

    words = NgramModel.load(options.lm).vocabulary
    out = options.out or options.lm.with_name(FILE_NAME)
    known = write_pronunciations(words, ARPABET, out)
    print(f"{out}: {known} of {len(words)} words")
    return 0


def speak(options: argparse.Namespace) -> int:
    """Have synthetic voices speak sentences."""
    from otoscope import ENGLISH
    from training.text.synthesis import speak

    done = speak(options.text, options.dev, ENGLISH, options.out, utterances=options.utterances)
    print(
        f"{options.out}: {done.utterances} of {done.sentences} sentences, "
        f"{done.seconds / 3600:.2f} h"
    )
    return 0


def picture(options: argparse.Namespace) -> int:
    """Draw a recording."""
    from otoscope import Recognizer, greedy, load
    from otoscope.plots.posteriorgram import draw_posteriorgram

    recognizer = Recognizer(options.model)
    spec = recognizer.spec.features
    waveform = load(options.audio, spec.sample_rate_hz, min_samples=spec.window_samples)
    [recognition] = recognizer.recognize([waveform.samples])
    out = options.out or Path(options.audio.name).with_suffix(".png")
    draw_posteriorgram(recognition.require_features(), recognition.posteriors).savefig(out)
    print(f"{out}: {greedy(recognition.posteriors).text}")
    return 0


def _search(options: argparse.Namespace) -> dict[str, float]:
    """The fields of `BeamOptions` that were given."""
    names = ("beam_width", "lm_weight", "word_bonus", "unknown_penalty", "acoustic_scale")
    given = {name: getattr(options, name) for name in (*names, "prior_scale")}
    return {name: value for name, value in given.items() if value is not None}
