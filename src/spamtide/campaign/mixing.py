"""One integer hash for the whole room."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spamtide.compiled import native

U64 = NDArray[np.uint64]


def mix(values: U64) -> U64:
    """Scatter 64-bit integers: the finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).

    A bijection without a seed, the same on every machine; neighbouring values come out unrelated.
    """
    with np.errstate(over="ignore"):
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return values ^ (values >> np.uint64(31))


def mixed(minhashes: NDArray[np.uint32], first: int, columns: int, seed: int = 0) -> U64:
    """A 64-bit number of some values of each sketch, mixed in one after the other.

    Args:
        minhashes: sketches, shape (n, 64).
        first: place of the first value.
        columns: how many values.
        seed: what to begin with.

    Returns:
        Numbers, shape (n,): equal where the values are, and else not, but once in 2**64.
    """
    if native:
        number = np.empty(minhashes.shape[0], dtype=np.uint64)
        native.mixed(np.ascontiguousarray(minhashes), first, columns, seed, number)
        return number
    number = np.full(minhashes.shape[0], seed, dtype=np.uint64)
    for column in range(first, first + columns):
        number = mix(number + minhashes[:, column])
    return number
