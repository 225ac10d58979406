"""The commands of `python -m training` about the punctuation model."""

import argparse
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from training.commands.registry import argument, command, path

if TYPE_CHECKING:
    from otoscope.written.punctuator import Punctuator
    from training.punctuation.scores import F1

_CACHE = path("--cache", default=Path(".cache/punctuation"), help="folder of texts as arrays")
_MOST = argument("--most-words", type=int, help="of each text, from its beginning (default: all)")


@command(
    "punctuation",
    path("--text", nargs="+", required=True, help="written text, a paragraph a line: .txt .gz .xz"),
    path("--dev", nargs="*", default=[], help="other texts, to measure it on"),
    path("--run", default=Path("runs/punctuation"), help="folder of checkpoints"),
    path("--start", help="begin with the weights of this punctuation.onnx or .pt"),
    argument("--steps", type=int, default=12_000, help="of 64 windows of 128 words"),
    argument("--threads", type=int, default=os.cpu_count(), help="of torch"),
    argument("--name", default="english", help="of the model"),
    _CACHE,
    _MOST,
)
def punctuation(options: argparse.Namespace) -> int:
    """Train a model of case and punctuation on written text, or continue a run."""
    import torch

    from otoscope.written.spec import PunctuationSpec
    from training.punctuation.network import PunctuationConfig
    from training.punctuation.scores import markdown_table
    from training.punctuation.text import labelled_text, merged_lexicon
    from training.punctuation.trainer import TrainingOptions, train

    torch.set_num_threads(options.threads)
    texts = [labelled_text(one, options.cache, options.most_words) for one in options.text]
    dev = [labelled_text(one, options.cache, options.most_words) for one in options.dev]
    for text in (*texts, *dev):
        print(f"{text.name}: {text.words} words, {len(text.types)} different", flush=True)
    run = TrainingOptions(steps=options.steps, start=options.start)
    spec = PunctuationSpec(
        name=options.name,
        lexicon=merged_lexicon(texts),
        words=run.steps * run.windows * PunctuationSpec().window_words,
        sources=tuple(text.name for text in texts),
        created=datetime.now(UTC).date().isoformat(),
        language="en",  # its words are read as English
    )
    scores = train(texts, dev, spec, PunctuationConfig(), run, folder=options.run)
    print(markdown_table(scores.items()))
    print(f"done: {options.run / 'punctuation.pt'}; python -m onnx_export.punctuation exports it")
    return 0


@command(
    "punctuation-scores",
    path("--text", nargs="*", default=[], help="written text that it was not trained on"),
    path("--speech", nargs="*", default=[], help="manifests whose texts have case and punctuation"),
    path("--model", default=Path("models/english/punctuation.onnx"), help="exported model"),
    path("--recognizer", default=Path("models/english"), help="that hears the speech"),
    _CACHE,
    argument("--most-words", type=int, default=200_000, help="of each text"),
)
def punctuation_scores(options: argparse.Namespace) -> int:
    """F1 of punctuation and capitals on texts, without and with drawn pauses, and on speech.

    Needs no torch.
    """
    from otoscope.written.punctuator import Punctuator
    from training.punctuation.scores import markdown_table, score_text
    from training.punctuation.text import labelled_text

    model = Punctuator(options.model)
    rows = []
    for one in options.text:
        text = labelled_text(one, options.cache, options.most_words)
        for pauses, what in ((False, "no pauses"), (True, "drawn pauses")):
            scores = score_text(model.punctuate, text, options.most_words, pauses=pauses)
            rows.append((f"{text.name}, {what}", scores))
    rows += [row for manifest in options.speech for row in _of_speech(manifest, model, options)]
    print(markdown_table(rows))
    return 0


def _of_speech(
    manifest: Path, model: "Punctuator", options: argparse.Namespace
) -> "list[tuple[str, list[F1]]]":
    from otoscope import Recognizer
    from otoscope.model_folders import find_model
    from training.data.manifest import manifest_name, read_manifest
    from training.evaluation.decoders import model_decoder, transcribers
    from training.punctuation.speech import score_speech

    file = find_model(options.recognizer)
    recognizer = Recognizer(file)
    lm = file.with_name("lm.npz")
    decoder = model_decoder(recognizer, file, lm if lm.is_file() else None, {})
    transcribe = list(transcribers(recognizer, decoder).values())[-1]
    rate_hz = recognizer.spec.features.sample_rate_hz
    scores = score_speech(read_manifest(manifest), transcribe, model, rate_hz)
    name = manifest_name(manifest)
    wer = 100 * scores.word_error_rate
    return [
        (f"{name}, as said", scores.reference),
        (f"{name}, as heard ({wer:.1f} % WER)", scores.transcripts),
    ]
