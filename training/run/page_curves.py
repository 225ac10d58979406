"""Curves of a run's page, reduced to a few hundred points."""

from typing import Any

import numpy as np

MOST_POINTS = 400

_LOSSES = {
    "loss": "characters",
    "phoneme_loss": "phonemes",
    "intermediate_loss": "lower head",
    "inconsistency": "disagreement of views",
}
_RATES = (("cer/", ""), ("wer/", ", words"), ("per/", ", phonemes"))
MOST_SETS = 8
"""If there are more dev sets, only the curve of all together is drawn."""


def curves(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Charts with their lines, each a list of (step, value).

    Args:
        rows: of history.jsonl.
    """
    losses = [_line(rows, key, label) for key, label in _LOSSES.items()]
    keys = sorted({key for row in rows for key in row})
    sets = [key for key in keys if key.startswith("cer/")]
    errors = [_line(rows, "dev_cer", "all", scale=100.0)] if len(sets) > 1 else []
    errors += [
        _line(rows, key, key.removeprefix(kind) + more, scale=100.0)
        for kind, more in _RATES
        for key in keys
        if key.startswith(kind) and len(sets) <= MOST_SETS
    ]
    charts: list[dict[str, Any]] = [
        {"title": "CTC loss per character, nats", "logarithmic": True, "lines": losses},
        {"title": "dev error rate, %", "lines": errors},
        {"title": "learning rate", "lines": [_line(rows, "learning_rate", "learning rate")]},
    ]
    for chart in charts:
        chart["lines"] = [line for line in chart["lines"] if line["points"]]
    return [chart for chart in charts if chart["lines"]]


def _line(rows: list[dict[str, Any]], key: str, label: str, scale: float = 1.0) -> dict[str, Any]:
    """A curve; means of neighbouring values if there are more than `MOST_POINTS`."""
    found = [(row["step"], scale * row[key]) for row in rows if key in row]
    parts = np.array_split(np.array(found).reshape(-1, 2), max(1, min(MOST_POINTS, len(found))))
    means = [part.mean(axis=0) for part in parts if part.size]
    return {"label": label, "points": [[round(step), float(f"{y:.4g}")] for step, y in means]}
