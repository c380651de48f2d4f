"""Locality-sensitive hashing: which pairs of sketches are worth a comparison, and which of them pass.

Banding (Indyk and Motwani, STOC 1998): sketches that agree in all values of a band are candidates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spamtide.campaign.mixing import mixed
from spamtide.campaign.similarity import PERMUTATIONS, estimate
from spamtide.compiled import native

Ints = NDArray[np.int64]
U64 = NDArray[np.uint64]
Flags = NDArray[np.bool_]

ROWS = 3
"""Values of a band. At similarity 0.6 a pair is missed in 0.6 % of cases, at 0.2 met in 16 %."""
BANDS = 21
"""Bands of a sketch; the 64th value is not in a band."""
WINDOW = 6
"""Neighbours that a sketch is compared with in a bucket, on either side. Small buckets are compared
in full; a bucket of a hundred thousand costs six comparisons each, not a hundred thousand."""
_CHUNK = 1 << 17
"""Pairs compared at once: bounds memory to some 70 MB."""
_SIEVE_BITS = 18
"""Of a first look at what shares a bucket: of a day's sketches it lets one in ten others pass."""
_MET = 1 << 23
"""Meetings that are remembered before they are looked at."""


@dataclass(frozen=True, slots=True)
class Edges:
    """Pairs of sketches that are variants of one another."""

    left: Ints
    right: Ints
    similarity: NDArray[np.float64]


def find_edges(minhashes: NDArray[np.uint32], fresh: Flags, similarity: float) -> Edges:
    """All pairs, of which at least one is fresh, whose estimated Jaccard similarity reaches `similarity`.

    Args:
        minhashes: shape (n, 64), no two rows alike.
        fresh: shape (n,): sketches that have not been compared before.
        similarity: threshold, 0-1.

    Returns:
        Each pair once, left < right.
    """
    count = minhashes.shape[0]
    edges = [(np.zeros(0, dtype=np.int64), np.zeros(0))]
    met: list[Ints] = []
    keys = _keys(minhashes)
    for band, key in enumerate(keys):
        met += _met(key, keys[(band + 1) % BANDS], fresh)
        if band == BANDS - 1 or sum(part.size for part in met) > _MET:
            pairs = _distinct(np.concatenate(met))  # variants meet in many bands
            alike = _estimates(minhashes, pairs // count, pairs % count) if pairs.size else np.zeros(0)
            edges.append((pairs[alike >= similarity], alike[alike >= similarity]))
            met = []
    pairs, alike = (np.concatenate(one) for one in zip(*edges, strict=True))
    pairs, place = np.unique(pairs, return_index=True)
    left, right = (pairs // count, pairs % count) if count else (pairs, pairs)
    return Edges(left, right, alike[place])


def _met(key: U64, other: U64, fresh: Flags) -> list[Ints]:
    """Pairs in one band's buckets, each as one number: the lower times the number of all, and the higher."""
    if native:
        return [np.frombuffer(native.met(key, other, fresh, WINDOW), dtype=np.int64)]
    order = _in_buckets(key, other, fresh)
    value, new = key[order], fresh[order]
    met = []
    for step in range(1, WINDOW + 1):
        near = np.flatnonzero((value[step:] == value[:-step]) & (new[step:] | new[:-step]))
        here, there = order[near], order[near + step]
        met.append(np.minimum(here, there) * key.size + np.maximum(here, there))
    return met


def _in_buckets(key: U64, other: U64, fresh: Flags) -> Ints:
    """Sketches of each bucket that holds a fresh one and another, bucket by bucket.

    Within a bucket that is larger than the window those that share the next band too stand side by side.
    """
    # Most sketches that are known share no bucket with a fresh one: they are told by some bits of the key.
    place = key >> np.uint64(64 - _SIEVE_BITS)
    sieve = np.zeros(1 << _SIEVE_BITS, dtype=np.bool_)
    sieve[place[fresh]] = True
    order = np.flatnonzero(sieve[place])
    order = order[np.argsort(key[order])]
    value = key[order]
    begins = np.flatnonzero(np.concatenate(([True], value[1:] != value[:-1]))[: value.size])
    size = np.diff(begins, append=value.size)
    some = size > 1
    if some.any():
        some &= np.add.reduceat(fresh[order], begins, dtype=np.int64) > 0
    large = np.repeat(some & (size > WINDOW + 1), size)
    crowd = order[large]
    order[large] = crowd[np.lexsort((crowd, other[crowd], key[crowd]))]
    return order[np.repeat(some, size)]


def _distinct(numbers: Ints) -> Ints:
    """Each number once, ascending."""
    numbers = np.sort(numbers)
    return numbers[np.diff(numbers, prepend=-1) > 0]


def _keys(minhashes: NDArray[np.uint32]) -> Sequence[U64]:
    """A 64-bit key of the values in each band."""
    if native:
        keys = np.empty((BANDS, minhashes.shape[0]), dtype=np.uint64)
        native.bands(np.ascontiguousarray(minhashes), ROWS, keys)
        return list(keys)
    return [mixed(minhashes, band * ROWS, ROWS, seed=band) for band in range(BANDS)]


def _estimates(minhashes: NDArray[np.uint32], left: Ints, right: Ints) -> NDArray[np.float64]:
    """Estimated similarity of each pair, in chunks."""
    if native:
        shared = np.empty(left.size, dtype=np.uint8)
        native.shared(np.ascontiguousarray(minhashes), left, right, shared)
        return shared / PERMUTATIONS
    similarity = np.empty(left.size, dtype=np.float64)
    for start in range(0, left.size, _CHUNK):
        part = slice(start, start + _CHUNK)
        similarity[part] = estimate(minhashes[left[part]], minhashes[right[part]])
    return similarity
