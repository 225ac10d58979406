"""page.html in a run's folder: a report in one file that needs no network.

Its size is bounded: curves of at most 400 points, 4 dev utterances of at most 10 s and
40 symbols at 16 epochs, 14 recordings of at most 12 s, 40 characters in the confusions. Together
less than `MOST_BYTES`.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from otoscope.atomic_files import replacing
from training.config import TrainingConfig
from training.data.prepare import DevSet, Prepared
from training.run import page_curves, page_examples, page_utterances, records, validation
from training.run.metrics_log import read_rows
from training.weights.checkpoint import Exportable, load_exportable

MOST_BYTES = 5_000_000
_MOST_REPORT = 20_000
_PARTS = Path(__file__).parent


def write_page(folder: Path, config: TrainingConfig, prepared: Prepared) -> Path:
    """Write the page of a run that has a best.pt.

    Args:
        folder: of the run.
        config: of the run.
        prepared: its data, with features, not with outputs of a frozen encoder.

    Returns:
        The path of the page.

    Raises:
        ModelFileError: if there is no best.pt, or it is no checkpoint.
        otoscope.errors.AudioError, FileNotFoundError: if a recording can no longer be read.
    """
    best = load_exportable(folder / "best.pt")
    recognized = _dev_texts(folder, config, prepared.dev, best)
    rows = read_rows(folder / "history.jsonl")
    data = {
        "name": config.name,
        "facts": _facts(best, recognized, rows),
        "curves": page_curves.curves(rows),
        "examples": page_examples.described(folder, prepared.dev, config),
        **page_utterances.described(recognized, prepared.dev, config),
        "report": prepared.report[:_MOST_REPORT],
    }
    path = folder / "page.html"
    with replacing(path) as partial:
        partial.write_text(render(data), encoding="utf-8")
    return path


def _dev_texts(
    folder: Path, config: TrainingConfig, dev: list[DevSet], best: Exportable
) -> records.DevTexts:
    """Texts by best.pt: as saved, or recognized again if they are missing or of other texts."""
    recognized = records.load_dev_texts(folder, dev)
    epoch = int(best.spec.provenance.epochs)
    if recognized is None:
        _, texts = validation.evaluate(best.model, dev, config)
        recognized = records.save_dev_texts(folder, dev, texts, epoch)
    if not (folder / "steps").is_dir():
        records.save_step(folder, best.model, dev, config, epoch)
    return recognized


def _facts(
    best: Exportable, recognized: records.DevTexts, rows: list[dict[str, Any]]
) -> list[tuple[str, str]]:
    """Names and values at the top of the page."""
    provenance = best.spec.provenance
    pairs = [pair for one in recognized.sets.values() for pair in one]
    facts = [
        ("language", best.spec.language or "not said"),
        ("model", provenance.architecture),
        ("parameters", f"{provenance.parameters:,}"),
    ]
    if pairs:
        for name, rate in page_utterances.rates(pairs).items():
            facts.append((name, f"{100 * rate:.1f} %"))
    return [
        *facts,
        ("best epoch", f"{recognized.epoch:g} of {_last(rows, 'epoch')}"),
        ("steps", f"{_last(rows, 'step'):,}"),
        ("audio", f"{provenance.audio_hours:g} h"),
        ("made", provenance.created),
    ]


def _last(rows: list[dict[str, Any]], key: str) -> int:
    return max((int(row[key]) for row in rows if key in row), default=0)


def render(data: Mapping[str, object]) -> str:
    """The page with `data`, which is written as JSON."""
    texts = {kind: _read(f"page.{kind}") for kind in ("css", "js")}
    # Within a script element, "</script>" would end it, wherever it stands.
    texts["data"] = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    return re.sub(r"\{\{(\w+)\}\}", lambda found: texts[found[1]], _read("page.html"))


def _read(name: str) -> str:
    return (_PARTS / name).read_text(encoding="utf-8")
