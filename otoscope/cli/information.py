"""What `otoscope info` shows."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from otoscope.audio.probe import AudioFacts, probe
from otoscope.cli.files import one_line, read
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
            sys.stderr.write(f"otoscope: {name}: {one_line(error, name)}\n")
    if form == "json":
        document: dict[str, Any] = {} if model is None else {"model": model}
        if names:
            document["files"] = [{"file": name, **asdict(facts)} for name, facts in files.items()]
        sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    else:
        blocks = [] if model is None else [list(_model_lines(model))]
        blocks += [list(_file_lines(name, facts)) for name, facts in files.items()]
        sys.stdout.write("\n".join("".join(block) for block in blocks))
    return len(set(names)) - len(files)


def _model_lines(model: Mapping[str, Any]) -> Iterator[str]:
    spec = model["spec"]
    provenance, features = spec["provenance"], spec["features"]
    yield _line("model", model["name"])
    if "file" in model:
        yield _line("file", model["file"])
    yield _line("sha256", model["sha256"])
    yield _line("architecture", provenance["architecture"])
    yield _line("parameters", f"{model['parameters']:,}")
    learned = f"{model['training_hours']:.1f} h of speech"
    yield _line("learned from", f"{learned}: {', '.join(provenance['corpora'])}")
    yield _line("features", f"{features['kind']} at {features['sample_rate_hz']} Hz")
    yield _line("alphabet", " ".join([*map(_visible, spec["alphabet"]["symbols"]), BLANK_NAME]))
    phonemes = spec["phonemes"]
    yield _line("phonemes", " ".join(phonemes["symbols"]) if phonemes else "none")
    yield _line("frame stride", f"{spec['frame_stride']}: {1000 * model['frame_s']:g} ms a frame")
    if "calibrated" in model:
        words = model["language_model_words"]
        yield _line("language model", "none" if words is None else f"trigram of {words:,} words")
        yield _line("calibration", ", ".join(model["calibrated"]) or "none")


def _file_lines(name: str, facts: AudioFacts) -> Iterator[str]:
    yield _line("file", name)
    yield _line("format", f"{facts.container}, {facts.coding}")
    yield _line("rate", f"{facts.sample_rate_hz} Hz")
    yield _line("channels", str(facts.channels))
    broken = "" if facts.whole else ", and then it breaks off"
    yield _line("duration", f"{facts.duration_s:.3f} s{broken}")


def _line(name: str, value: str) -> str:
    return f"{name:{_NAME_WIDTH}}{value}\n"


def _visible(symbol: str) -> str:
    return "<space>" if symbol == " " else symbol
