"""Commands of training: `prepare`, `fit`, and `page` for its report."""

import argparse
import os
from contextlib import nullcontext, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from training.commands.registry import argument, command, path

if TYPE_CHECKING:
    from training.config import TrainingConfig
    from training.run.group import Group

_STOPPED = 130

_CONFIGS = path(
    "config", nargs="+", help="TOML file, see docs/training.md; several are stages in order"
)
_RUN = path("--run", help="folder of checkpoints and page (default: see docs/training.md)")
_CORPUS = (
    path("--corpus", help="folder that manifests lie below (default: the configuration's)"),
    path("--cache", default=Path(".cache/features"), help="folder of computed features"),
)


@command("prepare", path("config", help="TOML file, see docs/training.md"), *_CORPUS)
def prepare(options: argparse.Namespace) -> int:
    """Check the manifests and compute the features, without training."""
    from training.config_file import read_config
    from training.data.prepare import prepare

    root = options.corpus or options.config.parent
    print(prepare(read_config(options.config), root, options.cache).report)
    return 0


@command(
    "fit",
    _CONFIGS,
    *_CORPUS,
    _RUN,
    path("--start", help="weights that a new run begins with: best.pt, model.onnx or Whisper's"),
    argument("--force", action="store_true", help="begin with weights that hardly fit, too"),
    argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="where it learns (default: a GPU if torch sees one)",
    ),
    argument(
        "--threads",
        type=int,
        help="of torch (default: the processors, divided among the processes)",
    ),
)
def fit(options: argparse.Namespace) -> int:
    """Train, or continue a run; in several processes if torchrun starts it."""
    import torch

    from otoscope.errors import OtoscopeError
    from training.config_file import read_config
    from training.run.group import Group

    several = len(options.config) > 1
    if several and (options.run or options.start):
        raise OtoscopeError("--run, --start: expected one configuration with them, got several")
    beside = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    torch.set_num_threads(options.threads or max(1, (os.cpu_count() or 1) // beside))
    configs = [(file, read_config(file)) for file in options.config]
    with (
        Group.joined(os.environ) as group,
        redirect_stdout(StringIO()) if group.rank else nullcontext(),  # only the first one prints
    ):
        finished = all(_fit(file, config, options, group) for file, config in configs)
    return 0 if finished else _STOPPED


def _fit(file: Path, config: "TrainingConfig", options: argparse.Namespace, group: "Group") -> bool:
    """One stage; False if it was stopped."""
    from training.data.prepare import prepare
    from training.run.devices import choose_device
    from training.run.page import write_page
    from training.run.trainer import Trainer

    device = choose_device(options.device, group.local_rank)
    folder = _folder(file, config, options)
    goes_on = (folder / "last.pt").is_file()  # then what the configuration begins with is over
    start = options.start or (file.parent / config.start if config.start and not goes_on else None)
    with group.first_alone():
        prepared = prepare(config, options.corpus or file.parent, options.cache)
    print(prepared.report, flush=True)
    trainer = Trainer(
        *(config, prepared, folder, start),
        cache=options.cache,
        force=options.force,
        group=group,
        device=device,
    )
    if trainer.fit():
        print(f"done: {folder / 'best.pt'}", flush=True)
        if group.rank:
            return True
        print(f"report: {write_page(folder, config, prepared)}")
        return True
    print(f"stopped; the same command continues from {folder / 'last.pt'}")
    return False


def _folder(file: Path, config: "TrainingConfig", options: argparse.Namespace) -> Path:
    """The folder of a run."""
    beside = options.corpus is None  # everything is beside the configuration, as `new` lays it out
    folder: Path = options.run or (file.with_suffix("") if beside else Path("runs") / config.name)
    return folder


@command("page", _CONFIGS, *_CORPUS, _RUN)
def page(options: argparse.Namespace) -> int:
    """Write the report of a run so far: page.html in its folder."""
    from training.config_file import read_config
    from training.data.prepare import prepare
    from training.run.page import write_page

    for file in options.config:
        config = read_config(file)
        prepared = prepare(config, options.corpus or file.parent, options.cache)
        print(write_page(_folder(file, config, options), config, prepared))
    return 0


@command(
    "average",
    path(
        "models", nargs="+", help="best.pt of a run, then others of the same network, or model.onnx"
    ),
    path("--out", required=True, help="checkpoint to write, to be exported"),
)
def average(options: argparse.Namespace) -> int:
    """Write the mean of the weights of models that were trained from one another."""
    from training.weights.averaging import average

    average(options.models, options.out)
    print(
        f"{options.out}: mean of {len(options.models)}; next: python -m onnx_export {options.out}"
    )
    return 0
