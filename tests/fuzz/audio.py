"""Decode damaged files by the thousand, as the service does: `make fuzz`.

Each file is decoded by `otoscope.audio` in a child, so that one which brings it down is noticed and
kept. A file fails that ends the child, raises what nobody expects, or takes too long. What only a
decoding process dies of is counted, for that is what they are for.

    python tests/fuzz/audio.py --decodes 100000 --out /tmp/failures
"""

import argparse
import multiprocessing
import os
import random
import re
import sys
import time
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from mutations import mutate
from seeds import seeds

from otoscope.audio import AudioStream, DecodeProcesses
from otoscope.errors import OtoscopeError

SLOW_S = 30.0
MAX_DURATION_S = 600.0
BROKEN = re.compile(r"its decoder (broke down \(\w+\)|kept still|took more|sent)")


def files(seed: int, first: int, last: int):
    """The damaged files from number `first` to `last`, each with the name of what it was."""
    whole = seeds()
    names = sorted(whole)
    for number in range(first, last):
        chance = random.Random(seed * 10**9 + number)
        name = chance.choice(names)
        yield number, name, mutate(whole[name], whole[chance.choice(names)], chance)


def outcome_of(data: bytes, processes: DecodeProcesses) -> str:
    """How a file ends: read, refused, or the name of a failure."""
    started_s = time.monotonic()
    try:
        for _ in AudioStream(data, 16000, max_duration_s=MAX_DURATION_S, processes=processes):
            pass
        outcome = "read"
    except OtoscopeError as error:
        broken = BROKEN.search(str(error))
        outcome = f"decoding process {broken[1]}" if broken else f"refused: {type(error).__name__}"
    except Exception as error:  # noqa: BLE001 - these are what is looked for
        outcome = f"FAILED: {type(error).__name__}: {error}"
    return "FAILED: slow" if time.monotonic() - started_s > SLOW_S else outcome


def decode_all(answers: Connection, seed: int, first: int, last: int, out: Path) -> None:
    """What a child does."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # of the libraries' own complaints
    processes = DecodeProcesses(most=1)
    for number, name, data in files(seed, first, last):
        (out / "current").write_bytes(data)
        outcome = outcome_of(data, processes)
        if outcome.startswith(("FAILED", "decoding process")):
            (out / f"{number}.{name}").write_bytes(data)
        answers.send((number, outcome))
    processes.close()


def fuzz(seed: int, decodes: int, out: Path) -> Counter[str]:
    """Decode so many files; how often each outcome came."""
    found: Counter[str] = Counter()
    number = 0
    while number < decodes:
        ours, theirs = multiprocessing.Pipe(duplex=False)
        child = multiprocessing.get_context("fork").Process(
            target=decode_all, args=(theirs, seed, number, decodes, out)
        )
        child.start()
        theirs.close()
        try:
            while number < decodes:
                if not ours.poll(2 * SLOW_S):
                    child.kill()
                at, outcome = ours.recv()
                found[outcome] += 1
                number = at + 1
                if number % 1000 == 0:
                    sys.stderr.write(f"{number} files, {sum_of(found, 'FAILED')} failed\n")
        except EOFError:
            child.join()
            found[f"FAILED: the child ended with {child.exitcode}"] += 1
            (out / "current").rename(out / f"{number}.killer")
            number += 1
        child.join()
    return found


def sum_of(found: Counter[str], start: str) -> int:
    return sum(count for outcome, count in found.items() if outcome.startswith(start))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decodes", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/fuzz"), help="for files that fail")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    started_s = time.monotonic()
    found = fuzz(arguments.seed, arguments.decodes, arguments.out)
    took_s = time.monotonic() - started_s
    lines = [f"{found.total()} files in {took_s:.0f} s, seed {arguments.seed}"]
    lines += [f"{count:8d}  {outcome}" for outcome, count in found.most_common()]
    sys.stdout.write("\n".join([*lines, ""]))
    return 1 if sum_of(found, "FAILED") else 0


if __name__ == "__main__":
    sys.exit(main())
