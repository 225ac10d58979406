"""What `otoscope info` shows."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from otoscope.audio.probe import AudioFacts, probe
from otoscope.bulk.rendering import readable
from otoscope.cli.files import one_line
from otoscope.cli.inputs import read
from otoscope.errors import OtoscopeError
from otoscope.vocabulary import BLANK_NAME

_NAME_WIDTH = 16


def show(model: Mapping[str, Any] | None, names: Sequence[str], form: str) -> int:
    """Write what is known; returns how many files can't be read, each with a line on stderr.

    Args:
        model: the facts of a `Backend`; None to show files only.
        names: of audio files.
        form: text or json.
    """
    files: dict[str, AudioFacts] = {}
    for name in names:
        try:
            files[name] = probe(read(name))
        except (OtoscopeError, OSError) as error:
            sys.stderr.write(f"otoscope: {readable(name)}: {one_line(error, name)}\n")
    if form == "json":
        document: dict[str, Any] = {} if model is None else {"model": model}
        if names:
            document["files"] = [
                {"file": readable(name), **asdict(facts)} for name, facts in files.items()
            ]
        text = json.dumps(document, ensure_ascii=False) + "\n"
    else:
        blocks = [] if model is None else [_of_model(model)]
        blocks += [_of_file(name, facts) for name, facts in files.items()]
        lines = [[f"{name:{_NAME_WIDTH}}{of}\n" for name, of in block.items()] for block in blocks]
        text = "\n".join(map("".join, lines))
    sys.stdout.buffer.write(text.encode())
    return len(set(names)) - len(files)


def _of_model(model: Mapping[str, Any]) -> dict[str, str]:
    spec = model["spec"]
    provenance, features, phonemes = spec["provenance"], spec["features"], spec["phonemes"]
    learned = f"{model['training_hours']:.1f} h of speech"
    lines = {
        "model": model["name"],
        **({"file": model["file"]} if "file" in model else {}),
        "sha256": model["sha256"],
        "architecture": provenance["architecture"],
        "parameters": f"{model['parameters']:,}",
        "learned from": f"{learned}: {', '.join(provenance['corpora'])}",
        "features": f"{features['kind']} at {features['sample_rate_hz']} Hz",
        "alphabet": " ".join([*map(_visible, spec["alphabet"]["symbols"]), BLANK_NAME]),
        "phonemes": " ".join(phonemes["symbols"]) if phonemes else "none",
        "frame stride": f"{spec['frame_stride']}: {1000 * model['frame_s']:g} ms a frame",
    }
    punctuation = model["punctuation"]
    lines["punctuation"] = punctuation["name"] if punctuation else "none"
    if "calibrated" in model:
        words = model["language_model_words"]
        lines["language model"] = "none" if words is None else f"{words:,} words"
        lines["calibration"] = ", ".join(model["calibrated"]) or "none"
    return lines


def _of_file(name: str, facts: AudioFacts) -> dict[str, str]:
    broken = "" if facts.whole else ", and then it breaks off"
    return {
        "file": readable(name),
        "format": f"{facts.container}, {facts.coding}",
        "rate": f"{facts.sample_rate_hz} Hz",
        "channels": str(facts.channels),
        "duration": f"{facts.duration_s:.3f} s{broken}",
    }


def _visible(symbol: str) -> str:
    return "<space>" if symbol == " " else symbol
