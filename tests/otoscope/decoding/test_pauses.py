"""Long pauses are blank for certain; short ones, and what is near a sound, stay as they are."""

import numpy as np
import pytest
from spelled import FRAME_S, posteriors

from otoscope.decoding.pauses import MARGIN_S, PAUSE_S, with_certain_pauses

PAUSE, MARGIN = round(PAUSE_S / FRAME_S), round(MARGIN_S / FRAME_S)


def certain(path: str) -> str:
    """ "x" where the blank has become certain, "|" where a space has."""
    given = posteriors(path, 0.6)
    found = with_certain_pauses(given)
    changed = (found.log_probs != given.log_probs).any(axis=1)
    best = found.probs.argmax(axis=1)
    assert (found.probs.max(axis=1)[changed] == 1).all()
    np.testing.assert_allclose(found.probs.sum(axis=1), 1, atol=1e-5)
    assert (found.alphabet, found.clock) == (given.alphabet, given.clock)
    signs = {given.alphabet.blank_index: "x", given.alphabet.symbols.index(" "): "|"}
    return "".join(signs[one] if new else "." for one, new in zip(best, changed, strict=True))


def parted(frames: int) -> str:
    """A pause of so many certain frames between sounds: a space in the middle."""
    half = (frames - 1) // 2
    return half * "x" + "|" + (frames - 1 - half) * "x"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            "a" + PAUSE * "_" + "b",
            "." + MARGIN * "." + parted(PAUSE - 2 * MARGIN) + MARGIN * "." + ".",
        ),
        ("a" + (PAUSE - 1) * "_" + "b", (PAUSE + 1) * "."),
        ("a" + 20 * "_" + " " + 20 * "_" + "b", "." + MARGIN * "." + 25 * "x" + MARGIN * "." + "."),
        (40 * "_" + "ab", (40 - MARGIN) * "x" + MARGIN * "." + ".."),
        ("ab" + 40 * "_", ".." + MARGIN * "." + (40 - MARGIN) * "x"),
        (40 * "_", 40 * "x"),
        (3 * "_", 3 * "."),
        ("", ""),
    ],
)
def test_long_pauses_alone_are_certain(path: str, expected: str) -> None:
    assert certain(path) == expected


def test_without_a_pause_nothing_is_copied() -> None:
    given = posteriors("it_was")
    assert with_certain_pauses(given) is given
