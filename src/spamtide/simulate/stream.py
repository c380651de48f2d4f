"""All randomness of a simulation: a tree of streams, each keyed by what it is for.

A stream's key is the seed and a path of names ('mail', 'rustock', 'maple', '2010-09-20'). Adding a sensor, a
botnet or a day therefore starts new streams and leaves every other one as it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

T = TypeVar("T")

BLOCK = 256
"""Raw numbers fetched from numpy at a time; a call for each would cost ten times as much."""
UNIT = 2.0**-53


class Dice:
    """Cheap choices for text, made from the raw output of one numpy bit generator.

    numpy promises that a bit generator's raw stream never changes between versions, so the words of a
    message do not either.
    """

    __slots__ = ("_bits", "_raw")

    def __init__(self, sequence: np.random.SeedSequence) -> None:
        self._bits = np.random.PCG64(sequence)
        self._raw: list[int] = []

    def number(self, bound: int) -> int:
        """Give a whole number from 0 to `bound` - 1; the bias of the remainder is below 2**-50."""
        if not self._raw:
            self._raw = self._bits.random_raw(BLOCK).tolist()
        return self._raw.pop() % bound

    def text(self, alphabet: str, count: int) -> str:
        """Give `count` characters, ten to a raw number: 64 bits are enough for ten of at most 62 kinds."""
        size = len(alphabet)
        characters = []
        for start in range(0, count, 10):
            rest = self.number(1 << 64)
            for _ in range(min(10, count - start)):
                rest, place = divmod(rest, size)
                characters.append(alphabet[place])
        return "".join(characters)

    def between(self, low: int, high: int) -> int:
        """Give a whole number from `low` to `high`, both included."""
        return low + self.number(high - low + 1)

    def fraction(self) -> float:
        """Give a number from 0 up to, not including, 1."""
        return (self.number(1 << 64) >> 11) * UNIT

    def chance(self, probability: float) -> bool:
        """Say yes with this probability."""
        return self.fraction() < probability

    def pick(self, items: Sequence[T]) -> T:
        """Give one of the items, each as likely as the others."""
        return items[self.number(len(items))]

    def sample(self, items: Sequence[T], count: int) -> list[T]:
        """Give `count` different items in random order; all of them when there are no more."""
        rest = list(items)
        return [rest.pop(self.number(len(rest))) for _ in range(min(count, len(rest)))]


@dataclass(frozen=True, slots=True)
class Streams:
    """The root of the tree, for one world and seed."""

    world: str
    seed: int

    def sequence(self, *names: object) -> np.random.SeedSequence:
        """Derive the seed of the stream with this path of names."""
        path = "/".join(("spamtide", self.world, str(self.seed), *map(str, names)))
        return np.random.SeedSequence(int.from_bytes(hashlib.sha256(path.encode()).digest()[:16], "big"))

    def dice(self, *names: object) -> Dice:
        """Start a stream for words and choices."""
        return Dice(self.sequence(*names))

    def generator(self, *names: object) -> np.random.Generator:
        """Start a stream for distributions (counts, noise)."""
        return np.random.Generator(np.random.PCG64(self.sequence(*names)))
