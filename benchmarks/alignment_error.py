"""`python -m benchmarks.alignment_error`: how far words' edges are from the known ones.

The reference is synthetic: Flite (Debian's package `flite`) says when each of its phones ends, and
the pronouncing dictionary which of them begin or end a word.
"""

import argparse
import subprocess
import tempfile
from difflib import SequenceMatcher
from itertools import pairwise
from pathlib import Path

import numpy as np

from otoscope import Recognizer, align, load
from otoscope.pronunciations import Entries, read_entries
from otoscope.vocabulary import ARPABET
from training.data.pronunciation import cmudict_path

VOICES = ("rms", "slt", "awb")
SENTENCES = (
    "the baker opened his shop before the sun came up",
    "nobody told me that the river freezes in december",
    "seven small boats were waiting beside the wooden bridge",
    "please put the yellow cups back into the kitchen",
    "my brother keeps a very old map above his desk",
    "the doctor asked whether the pain had become worse",
    "we could hear music from the other side of the valley",
    "a strong wind carried dust and paper through the street",
    "her answer was short but it surprised everybody in the room",
    "the last train for london leaves twenty minutes after nine",
    "children like to climb over the broken garden wall",
    "good bread needs flour water salt and a lot of time",
)


def main() -> None:
    """Synthesise, align, and print the median and the 90th percentile."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.alignment_error")
    parser.add_argument("--model", type=Path, default=Path("models/english/model.int8.onnx"))
    options = parser.parse_args()
    recognizer, entries = Recognizer(options.model), read_entries(cmudict_path(), ARPABET)
    errors_ms: dict[str, list[float]] = {"starts": [], "ends": []}
    with tempfile.TemporaryDirectory() as folder:
        for voice in VOICES:
            for sentence in SENTENCES:
                path = Path(folder) / "speech.wav"
                known_s = _word_spans_s(sentence, _speak(sentence, voice, path), entries)
                [posteriors] = recognizer.posteriors([load(path, 16000).samples])
                found = align(posteriors, sentence).words
                for word, (start_s, end_s) in zip(found, known_s, strict=True):
                    if start_s is not None:
                        errors_ms["starts"].append(1000 * (word.start_s - start_s))
                    if end_s is not None:
                        errors_ms["ends"].append(1000 * (word.end_s - end_s))
    for edge, errors in errors_ms.items():
        values = np.array(errors)
        print(
            f"{values.size} word {edge}: median {np.median(np.abs(values)):.0f} ms, 90 % within "
            f"{np.percentile(np.abs(values), 90):.0f} ms, bias {np.median(values):+.0f} ms"
        )


def _speak(text: str, voice: str, path: Path) -> list[tuple[str, float, float]]:
    """Write a recording; its phones, and where each begins and ends in seconds."""
    command = ["flite", "-voice", voice, "-psdur", "-t", text, "-o", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    phones, start_s = [], 0.0
    for item in done.stdout.split():
        name, _, end_s = item.partition(":")
        phones.append(("AH" if name == "ax" else name.upper(), start_s, float(end_s)))
        start_s = float(end_s)
    return phones


def _word_spans_s(
    text: str, phones: list[tuple[str, float, float]], entries: Entries
) -> list[tuple[float | None, float | None]]:
    """Where each word begins and ends; None if that phone is not as the dictionary has it."""
    listed = [entries[word] for word in text.split()]
    edges = np.cumsum([0, *map(len, listed)]).tolist()
    wanted = [name for names in listed for name in names]
    spoken = [name for name, _, _ in phones]
    starts_s: dict[int, float] = {}
    ends_s: dict[int, float] = {}
    for block in SequenceMatcher(None, wanted, spoken, autojunk=False).get_matching_blocks():
        for offset in range(block.size):
            _, starts_s[block.a + offset], ends_s[block.a + offset] = phones[block.b + offset]
    return [(starts_s.get(first), ends_s.get(stop - 1)) for first, stop in pairwise(edges)]


if __name__ == "__main__":
    main()
