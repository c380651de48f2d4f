"""Which messages the lake already holds, in 16 bytes each.

A key is the first half of the SHA-256 at one sensor: 128 bits, at which an accidental clash is out of
reach, and a made one costs its maker 2^64 messages and gains him that one of two is not stored.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

KEY_BYTES = 16
Halves = tuple[NDArray[np.uint64], NDArray[np.uint64]]
"""Upper and lower 64 bits of sorted keys."""
MERGE_AT = 500_000
"""New keys are kept in a set and merged into the sorted array in lots of this size."""


class KnownKeys:
    """A growing set of (sensor, sha256) keys; about 16 bytes a key."""

    def __init__(self) -> None:
        self._sorted: dict[str, Halves] = {}
        self._fresh: dict[str, set[bytes]] = {}

    def load(self, sha256: pa.Array, sensors: pa.Array) -> None:
        """Add many keys at once from two aligned string columns."""
        for sensor in sensors.unique().to_pylist():
            digests = sha256.filter(pc.equal(sensors, sensor)).to_pylist()
            self._merge(sensor, b"".join(bytes.fromhex(digest[: 2 * KEY_BYTES]) for digest in digests))

    def add(self, sensor: str, sha256: str) -> bool:
        """Add one key; False when it was known already."""
        key = bytes.fromhex(sha256[: 2 * KEY_BYTES])
        fresh = self._fresh.setdefault(sensor, set())
        if key in fresh or self._stored(sensor, key):
            return False
        fresh.add(key)
        if len(fresh) >= MERGE_AT:
            self._merge(sensor, b"".join(fresh))
            fresh.clear()
        return True

    def holds(self, sensor: str, sha256: str) -> bool:
        """Whether a key is known."""
        key = bytes.fromhex(sha256[: 2 * KEY_BYTES])
        return key in self._fresh.get(sensor, ()) or self._stored(sensor, key)

    def __len__(self) -> int:
        """Number of keys."""
        return sum(len(high) for high, _ in self._sorted.values()) + sum(map(len, self._fresh.values()))

    def _stored(self, sensor: str, key: bytes) -> bool:
        """Look a key up in the sorted arrays."""
        halves = self._sorted.get(sensor)
        if halves is None:
            return False
        high, low = np.frombuffer(key, dtype=">u8").astype(np.uint64)
        start, stop = np.searchsorted(halves[0], high, "left"), np.searchsorted(halves[0], high, "right")
        return bool((halves[1][start:stop] == low).any())

    def _merge(self, sensor: str, keys: bytes) -> None:
        """Merge keys, laid end to end, into the sensor's sorted arrays."""
        more = np.frombuffer(keys, dtype=">u8").astype(np.uint64).reshape(-1, 2)
        had = self._sorted.get(sensor)
        high, low = (
            (more[:, 0], more[:, 1]) if had is None else map(np.concatenate, zip(had, more.T, strict=True))
        )
        order = np.lexsort((low, high))
        high, low = high[order], low[order]
        first = np.ones(len(high), dtype=bool)
        first[1:] = (high[1:] != high[:-1]) | (low[1:] != low[:-1])
        self._sorted[sensor] = (high[first], low[first])
