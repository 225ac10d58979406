"""Commands about recordings: `scenes`."""

import argparse

from training.commands.registry import MANIFESTS, argument, command, path


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
