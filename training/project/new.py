"""`python -m training new`: from a folder of recordings to all that `fit` needs, in runs/NAME."""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from otoscope.errors import ManifestError
from otoscope.model_folders import find_model
from otoscope.vocabulary import Alphabet
from training.config import TrainingConfig
from training.config.explain import toml
from training.data.alphabets import propose_alphabet
from training.data.manifest import read_manifest, write_manifest
from training.data.prepare import prepare
from training.data.utterances import Utterance
from training.project import plan
from training.project.find import find
from training.project.plan import Goal, Stage
from training.project.sounds import Sounds, find_sounds
from training.project.split import held_out, split
from training.project.survey import Survey, draw, listen, survey
from training.run.trainer import Trainer
from training.weights.warm_start import start_config

_SAMPLES = 48
_STEPS = 3
_LONG_H = 1.5
_TOLERATED = 1.2
"""Times the hours that are asked for: estimates are no better."""


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        data: folder or manifest.
        encoder: Whisper's weights, or None.
        start: another model of this project, by its best.pt, file, folder or name; or None.
        noise: manifest of noise recordings, or None.
        symbols: of the alphabet; "" to take what the texts hold.
        dev_speakers: who are not learned from; none to choose them.
        most_hours: that training may take.
        folder: to write to.
        force: write over what is there.
    """

    name: str
    data: Path
    language: str
    folder: Path
    encoder: Path | None = None
    start: Path | None = None
    noise: Path | None = None
    symbols: str = ""
    dev_speakers: tuple[str, ...] = ()
    most_hours: float = 12.0
    force: bool = False


def new(request: Request) -> str:
    """Look at the data, split it, and write manifests, a picture and configurations.

    Returns:
        A report for people, which is in report.txt as well.

    Raises:
        ManifestError: if there is nothing to learn from, or the folder has a run already.
    """
    folder = request.folder
    there = sorted(each.name for each in folder.glob("stage-*"))
    if there and not request.force:
        raise ManifestError(
            f"{folder}: expected a new folder, got one with {', '.join(there)}: choose another "
            "name, or give --force to write its configurations again"
        )
    found = find(request.data)
    if found.dev and request.dev_speakers:
        raise ManifestError(f"{request.data}: has a dev set, expected no dev speakers beside it")
    if request.start is not None:
        request = replace(request, start=find_model(request.start))
    other = start_config(request.start) if request.start else None
    alphabet = _alphabet(request, [one.text for one in found.train], other)
    everything = [*found.train, *found.dev]
    heard = listen(everything)
    count = len(found.train)
    train = survey(found.train, heard[:count], alphabet)
    lines = [*found.words, train.report("train"), f"alphabet: {alphabet.joined!r}"]
    if not train.utterances:
        raise ManifestError("expected utterances to learn from, got none:\n" + "\n".join(lines))
    folder.mkdir(parents=True, exist_ok=True)
    if found.dev:
        dev = survey(found.dev, heard[count:], alphabet)
        lines.append(dev.report("dev"))
    else:
        train, dev, words = _divided(train, request.dev_speakers)
        lines.append(words)
    title = f"{request.name}: {train.hours:.2f} h to learn from, {dev.hours:.2f} h to choose by"
    draw(train, dev, title, folder / "data.png")
    for name, part in (("train", train), ("dev", dev)):
        _write(folder / f"{name}.jsonl", part)
    if request.noise:
        _write_noise(folder / "noise.jsonl", read_manifest(request.noise))
    sounds, words = _sounds(request, alphabet, [*train.utterances, *dev.utterances], other)
    lines.append(words)
    goal = Goal(
        request.name,
        request.language,
        alphabet,
        train.hours,
        bool(dev.utterances),
        noise=request.noise is not None,
        sounds=sounds,
    )
    stages, hours = _timed(_stages(request, goal, other), train, folder, request.most_hours)
    lines += _written(stages, hours, folder, request.most_hours)
    report = "\n".join(lines)
    (folder / "report.txt").write_text(report + "\n", encoding="utf-8")
    return report


def _alphabet(request: Request, texts: Sequence[str], other: TrainingConfig | None) -> Alphabet:
    """The one asked for; else another model's, unless the texts have letters that it lacks."""
    if request.symbols:
        return Alphabet(tuple(request.symbols))
    proposed = propose_alphabet(texts)
    if other is not None and (
        proposed is None or set(proposed.symbols) <= set(other.alphabet.symbols)
    ):
        return other.alphabet
    if proposed is None:
        raise ManifestError(f"{request.data}: expected texts with letters, got none")
    return proposed


def _sounds(
    request: Request,
    alphabet: Alphabet,
    spoken: Sequence[Utterance],
    other: TrainingConfig | None,
) -> tuple[Sounds | None, str]:
    if other is not None and other.head_phonemes is None:
        return None, "phonemes: none, as in the model that goes on"
    texts = [alphabet.normalize(one.text) for one in spoken]
    known = other.head_phonemes if other and alphabet == other.alphabet else None
    return find_sounds(request.language, texts, request.folder, known)


def _divided(whole: Survey, speakers: Sequence[str]) -> tuple[Survey, Survey, str]:
    if speakers:
        places, words = held_out(whole.utterances, speakers)
    else:
        places, words = split(whole.utterances, whole.durations_s)
    chosen = set(places)
    train, dev = (
        replace(
            whole,
            utterances=[each for n, each in enumerate(whole.utterances) if (n in chosen) == is_dev],
            durations_s=[s for n, s in enumerate(whole.durations_s) if (n in chosen) == is_dev],
        )
        for is_dev in (False, True)
    )
    return train, dev, words


def _write(path: Path, part: Survey) -> None:
    write_manifest(
        path,
        (
            {
                "audio_filepath": os.path.relpath(one.audio.resolve(), path.parent.resolve()),
                **_part(one),
                "duration": round(duration_s, 3),
                "speaker": one.speaker,
                "text": one.text,
            }
            for one, duration_s in zip(part.utterances, part.durations_s, strict=True)
        ),
    )


def _write_noise(path: Path, noise: Sequence[Utterance]) -> None:
    rows = ({"audio_filepath": str(one.audio.resolve()), "text": "", **_part(one)} for one in noise)
    write_manifest(path, rows)


def _part(one: Utterance) -> dict[str, float]:
    """Where it is in its file, unless it is all of it."""
    place = {} if one.clip.whole else {"offset": one.start_s}
    return place if one.duration_s is None else {**place, "duration": one.duration_s}


def _stages(request: Request, goal: Goal, other: TrainingConfig | None) -> list[Stage]:
    if request.start is not None and other is not None:
        return plan.from_model(goal, other, str(request.start.resolve()))
    if request.encoder is not None:
        size = plan.size_of(request.encoder)
        return plan.from_encoder(goal, size, str(request.encoder.resolve()))
    return plan.from_nothing(goal)


def _timed(
    stages: list[Stage], train: Survey, folder: Path, most_h: float
) -> tuple[list[Stage], list[float]]:
    """The stages, shortened or fewer if they would take too long, and the hours of each."""
    speeds = [_measure(stage.config, train, folder) for stage in stages]

    def hours(some: list[Stage]) -> list[float]:
        return [_hours(stage, train, *speed) for stage, speed in zip(some, speeds, strict=False)]

    for shorter in (stages, plan.without_speeds(stages), plan.without_speeds(stages[:1])):
        fitted = plan.fit_into(shorter, hours(shorter), most_h)
        if sum(hours(fitted)) <= _TOLERATED * most_h:
            break
    return fitted, hours(fitted)


def _hours(stage: Stage, train: Survey, encode_s: float, learn_s: float) -> float:
    """Of all epochs, and of the frozen layers' one at each speed."""
    speeds = len(stage.config.corpus.speeds)
    return train.hours * (encode_s * speeds + learn_s * stage.config.loop.epochs)


def _measure(config: TrainingConfig, train: Survey, folder: Path) -> tuple[float, float]:
    """What `Trainer.measure` says of a few utterances, two batches or more of them."""
    step = max(1, len(train.utterances) // _SAMPLES)
    places = list(range(0, len(train.utterances), step))[:_SAMPLES]
    with tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as temporary:
        scratch = Path(temporary)
        few = replace(
            train,
            utterances=[train.utterances[place] for place in places],
            durations_s=[train.durations_s[place] for place in places],
        )
        _write(scratch / "train.jsonl", few)
        dictionary = config.corpus.pronunciations
        corpus = replace(
            config.corpus,
            dev=(),
            noise="",
            speeds=(1.0,),
            pronunciations=str((folder / dictionary).resolve()) if dictionary else "",
        )
        batch_s = min(config.loop.batch_s, max(sum(few.durations_s) / 2, 1.0))
        small = replace(config, corpus=corpus, loop=replace(config.loop, batch_s=batch_s))
        prepared = prepare(small, scratch, scratch / "features")
        return Trainer(small, prepared, scratch / "run", cache=scratch).measure(_STEPS)


def _written(
    stages: Sequence[Stage], hours: Sequence[float], folder: Path, most_h: float
) -> list[str]:
    """Write the configurations in place of what was there; lines about them."""
    lines = []
    for old in folder.glob("stage-*.toml"):
        old.unlink()
    for number, (stage, hour) in enumerate(zip(stages, hours, strict=True), 1):
        path, loop = folder / f"stage-{number}.toml", stage.config.loop
        head = (
            f"{stage.words}\n"
            f"About {_duration(hour)} on the machine that wrote this. Each key is explained in "
            "docs/training.md; paths are from this file's folder. Change what you like."
        )
        path.write_text(toml(stage.config, head), encoding="utf-8")
        lines.append(
            f"{path}: {stage.words} {loop.epochs} epochs in batches of {loop.batch_s:g} s, "
            f"warm-up {stage.config.optimiser.warmup_steps} steps: about {_duration(hour)}"
        )
    lines.append(f"in all about {_duration(sum(hours))}; next: make train NAME={folder.name}")
    if sum(hours) > _TOLERATED * most_h:
        lines.append(
            f"that is more than the {_duration(most_h)} that it may take: one epoch of this speech "
            "at one speed is the least; take less of it, or allow more with --hours"
        )
    return lines


def _duration(hours: float) -> str:
    return f"{60 * hours:.0f} minutes" if hours < _LONG_H else f"{hours:.1f} hours"
