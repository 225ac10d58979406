"""Commands about texts: `lm`, `pronunciations` and `label`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from otoscope.errors import OtoscopeError
from otoscope.pronunciations import FILE_NAME
from otoscope.vocabulary import Alphabet
from training.commands.registry import LM, NO_LM, SEARCH, argument, command, open_model, path

if TYPE_CHECKING:
    from training.text.language_model import MadeFor


@command(
    "lm",
    path("--text", nargs="*", default=[], help="plain, .gz or .xz files, each a source"),
    path("--manifests", nargs="*", default=[], help="transcripts, one more source"),
    path("--words", nargs="*", default=[], help="lists of a word a line, perhaps with its count"),
    path("--dev", nargs="*", default=[], help="to weight sources by, and to measure it on"),
    path("--leave-out", nargs="*", default=[], help="further manifests that it may not know"),
    path("--arpa", help="pack this model of another tool, rather than estimate one"),
    path("--model", help="whose alphabet and language it is for: file, folder, name, or its .toml"),
    argument("--order", type=int, default=4, help="words of the longest n-grams"),
    argument("--min-count", type=int, default=3, help="rarer words of --text are unknown"),
    argument("--most-words", type=int, default=150_000, help="known words"),
    argument("--most-mb", type=float, default=30.0, help="size of the file, 10^6 bytes"),
    path("--out", help="language model to write (default: lm.npz beside the model)"),
)
def language_model(options: argparse.Namespace) -> int:
    """Estimate a word n-gram model from texts: weighted, mixed and pruned."""
    from training.text.language_model import LmOptions, build, pack_arpa

    made_for, beside = _made_for(options.model)
    out = options.out or beside
    if out is None:
        raise OtoscopeError("--out: expected a file to write, since no --model was given; got none")
    if options.arpa and (options.text or options.manifests or options.words):
        raise OtoscopeError("--arpa: expected no --text, --manifests or --words beside it")
    if options.arpa:
        report = pack_arpa(options.arpa, made_for, options.dev, out)
    else:
        report = build(
            options.text,
            options.manifests,
            made_for,
            options.dev,
            out,
            word_lists=options.words,
            leave_out=options.leave_out,
            options=LmOptions(
                options.order, options.min_count, options.most_words, int(options.most_mb * 1e6)
            ),
        )
    print(f"{out}: {report.vocabulary} words, {report.size_bytes / 1e6:.1f} MB")
    print(*report.sources, *report.dev, sep="\n")
    return 0


def _made_for(model: Path | None) -> "tuple[MadeFor, Path | None]":
    """What a language model is for, and where it belongs: English and nowhere by default."""
    from otoscope import ENGLISH, Recognizer
    from otoscope.model_folders import find_model
    from training.config_file import read_config
    from training.text.language_model import MadeFor

    if model is None:
        return MadeFor(ENGLISH, "en"), None
    if model.suffix == ".toml":
        config = read_config(model)
        return MadeFor(config.alphabet, config.language), None
    file = find_model(model)
    spec = Recognizer(file).spec
    return MadeFor(spec.alphabet, spec.language), file.with_name("lm.npz")


@command(
    "pronunciations",
    path("--lm", required=True, help="language model"),
    path("--model", help="whose phonemes they are: file, folder or name (default: beside the LM)"),
    path("--out", help=f"(default: {FILE_NAME} beside the language model)"),
)
def pronunciations(options: argparse.Namespace) -> int:
    """Write how a language model's words sound: by CMUdict, or by eSpeak NG if not English."""
    from otoscope import Recognizer
    from otoscope.decoding.ngram import NgramModel
    from otoscope.model_folders import find_model
    from training.data.pronunciation import write_pronunciations

    ngrams = NgramModel.load(options.lm)
    model = find_model(options.model or options.lm.parent)
    phonemes = Recognizer(model).spec.phonemes
    if phonemes is None:
        raise OtoscopeError(f"{model}: expected a model with a phoneme head, got one without")
    words = ngrams.vocabulary
    out = options.out or options.lm.with_name(FILE_NAME)
    known = write_pronunciations(words, ngrams.language, phonemes, out)
    print(f"{out}: {known} of {len(words)} words")
    return 0


@command(
    "label",
    path("manifest", help="its texts are empty, or not looked at"),
    path("--model", help="teacher: a model of this project, by its file, folder or name"),
    LM,
    NO_LM,
    argument("--whisper", help="teacher: a model of faster-whisper's by name, or its folder"),
    argument("--language", default="", help="that is spoken, for Whisper (default: the model's)"),
    argument("--least", type=float, default=0.8, help="confidence of each teacher to be kept"),
    argument("--most-difference", type=float, default=0.1, help="of two teachers' texts, as CER"),
    path("--out", required=True, help="manifest to write"),
    *SEARCH,
)
def label(options: argparse.Namespace) -> int:
    """Let teachers write the texts of recordings without any: our model, Whisper, or both."""
    from training.text.pseudo_labels import Limits, Teacher, label, own_teacher, whisper_teacher

    teachers: list[Teacher] = []
    alphabet: Alphabet | None = None
    language = options.language
    if options.model:
        recognizer, decoder = open_model(options)
        teachers.append(own_teacher(recognizer, decoder))
        alphabet, language = recognizer.spec.alphabet, language or recognizer.spec.language
    if options.whisper:
        if not language:
            raise OtoscopeError("--language: expected what Whisper is to write, got none")
        teachers.append(whisper_teacher(options.whisper, language, alphabet))
    if not teachers:
        raise OtoscopeError("expected a teacher: --model, --whisper or both; got neither")
    limits = Limits(options.least, options.most_difference)
    print(f"{options.out}: {label(teachers, options.manifest, limits, options.out)}")
    return 0
