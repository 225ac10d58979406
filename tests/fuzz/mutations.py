"""What befalls a file: damage, lies in headers, parts that are missing, doubled or another's."""

import random
import struct

EXTREMES = (0, 1, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1)


def mutate(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """`data` after one to six mishaps; `other` lends some of its bytes."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        if changed:
            chance.choice(MISHAPS)(changed, other, chance)
    return bytes(changed)


def _at(changed: bytearray, chance: random.Random) -> int:
    """A place, more often one in the header than behind it."""
    end = len(changed) if chance.random() < 0.4 else min(len(changed), 512)
    return chance.randrange(end)


def flip(changed: bytearray, _: bytes, chance: random.Random) -> None:
    """Other bits."""
    for _ in range(chance.randint(1, 8)):
        changed[_at(changed, chance)] ^= 1 << chance.randrange(8)


def set_number(changed: bytearray, _: bytes, chance: random.Random) -> None:
    """A number at its limit, in either order of bytes and of any size."""
    size = chance.choice("BHIQ")
    value = chance.choice(EXTREMES) % 256 ** struct.calcsize(size)
    at = _at(changed, chance)
    number = struct.pack(chance.choice("<>") + size, value)
    changed[at : at + len(number)] = number


def cut(changed: bytearray, _: bytes, chance: random.Random) -> None:
    """No end."""
    del changed[_at(changed, chance) + 1 :]


def remove(changed: bytearray, _: bytes, chance: random.Random) -> None:
    """A gap."""
    at = _at(changed, chance)
    del changed[at : at + chance.randint(1, 64)]


def double(changed: bytearray, _: bytes, chance: random.Random) -> None:
    """A part twice."""
    at = _at(changed, chance)
    changed[at:at] = changed[at : at + chance.randint(1, 4096)]


def borrow(changed: bytearray, other: bytes, chance: random.Random) -> None:
    """A part of another file."""
    start = chance.randrange(len(other))
    part = other[start : start + chance.randint(1, 4096)]
    at = _at(changed, chance)
    if chance.random() < 0.5:
        changed[at : at + len(part)] = part
    else:
        changed[at:at] = part


def append(changed: bytearray, other: bytes, _: random.Random) -> None:
    """Another file behind it."""
    changed += other


def noise(changed: bytearray, _: bytes, chance: random.Random) -> None:
    """Noise in place of a part."""
    at = _at(changed, chance)
    size = chance.randint(1, 256)
    changed[at : at + size] = chance.randbytes(size)


MISHAPS = (
    *(flip, flip, set_number, set_number, set_number),
    *(cut, remove, double, borrow, append, noise),
)
