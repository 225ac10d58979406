"""Commands about recordings: `new` and `scenes`."""

import argparse
from pathlib import Path

from training.commands.registry import MANIFESTS, argument, command, path


@command(
    "new",
    argument("name", help="of the model, which is also that of its folder"),
    path("--data", required=True, help="folder of recordings and texts, or a manifest"),
    argument("--language", required=True, help="that is spoken, an ISO 639 code: de"),
    path("--encoder", help="Whisper's weights to begin with: .pt, .safetensors, or model.bin"),
    path(
        "--start",
        help="another model to go on from: best.pt, or its file, folder, or name in models/",
    ),
    path("--noise", help="manifest of noise recordings to mix in"),
    argument("--alphabet", default="", help="symbols (default: the letters of the texts)"),
    argument(
        "--dev-speakers", default="", help="to choose by, with commas (default: chosen by chance)"
    ),
    argument("--hours", type=float, default=12.0, help="that training may take at most"),
    path("--folder", help="to write to (default: runs/NAME)"),
    argument("--force", action="store_true", help="write over configurations that are there"),
)
def new(options: argparse.Namespace) -> int:
    """Look at recordings and texts, and lay out a model: splits, configurations, schedule."""
    import re

    from otoscope.errors import OtoscopeError
    from otoscope.spec import check_language
    from training.project.new import Request, new

    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", options.name):
        raise OtoscopeError(f"name: expected letters, digits, - and _, got {options.name!r}")
    check_language(options.language)
    if not options.language:
        raise OtoscopeError("--language: expected an ISO 639 code such as de, got none")
    if options.encoder and options.start:
        raise OtoscopeError("--encoder, --start: expected one of them, got both")
    report = new(
        Request(
            name=options.name,
            data=options.data,
            language=options.language,
            folder=options.folder or Path("runs") / options.name,
            encoder=options.encoder,
            start=options.start,
            noise=options.noise,
            symbols=options.alphabet,
            dev_speakers=tuple(filter(None, options.dev_speakers.split(","))),
            most_hours=options.hours,
            force=options.force,
        )
    )
    print(report)
    return 0


@command(
    "scenes",
    MANIFESTS,
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
