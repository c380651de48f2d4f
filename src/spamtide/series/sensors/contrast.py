"""Every sender's mail at every sensor against the same sender's at the others, before and after each day.

What a sender's days and the sensors' sizes leave is the interaction of the two. It is held against the chance
of its counts, against the weeks of its own cell, and against how the sender's other cells wander.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from spamtide.model import Counts, Floats

PAIRS = ((28, 4), (28, 10), (42, 28))
"""Days before and after a day that are held against each other: soon after it, and for thin mail."""
QUIET = 1.645
"""Standard errors within which nine of ten contrasts lie where nothing but chance moves them."""
TRIMMED = 0.623
"""Mean of the lowest nine tenths of squared standard normal variables."""
WEEK = 7
LOWEST = 3.0
"""Standard errors by which the lowest of a cell's few days lies below its weeks by chance alone."""
BINS = 4
"""Pairs of weeks that tell how uneven a cell is."""
SOON, STRIDE = 4, 3
"""Days after up to which a window is only needed at the end; and days between those that are looked at."""
FEWEST_BEFORE, FEWEST_AFTER = 10, 2
"""Days before and after a change without which it is not looked for."""
FALLEN, PART = 0.6, 0.75
"""Share of what the others lead one to expect that the sender which fell most is down to, and all that count
with it."""
LEAST_T, FEWEST_T = 4.0, 2.0
"""Standard errors by which the one must have fallen, and the others."""
NEAR = 28
"""Days within which a date is sought, and that a level is compared over."""
MOST = 3
"""Days of a sensor that are looked at."""
NOBODY = 0.05
"""Size of the others, against a sensor's own, up to which they say nothing."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A sensor that takes less, or again, of some senders; days as positions."""

    sensor: int
    day: int
    low: int
    high: int
    names: tuple[str, ...]
    sides: tuple[slice, slice]
    chance: float
    evidence: str
    back: bool


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """One kind of senders that add up to all mail, against the sensors' sizes; arrays are (K, S, T)."""

    names: tuple[str, ...]
    seen: Floats
    expected: Floats
    """What the sender's mail at the other sensors leads one to expect, up to a factor for each cell."""
    others: Floats
    """Its messages at them."""
    first: NDArray[np.int64]
    """(S, T) first day of the stretch in which the sensor let us see the same."""
    stop: NDArray[np.int64]
    """(S, T) the day after its last."""
    size: Floats
    """What the sensor sees of the sender at its level; 0 where nothing is known."""
    uneven: Floats
    """(K, S) variance over that of chance."""
    soon: Floats
    """(K, S) the same of as few days as the shortest look takes, against four weeks before them."""
    broken: tuple[Fault, ...] = ()
    """What is known: a cell in which a fault lies between the days says nothing of others."""

    def unevenness(self, sensor: int, days: int) -> Floats:
        """(K,) variance over that of chance of a sensor's mail in so many days."""
        return np.asarray((self.soon if days < SOON else self.uneven)[:, sensor])


def cells_of(
    names: tuple[str, ...], counts: Counts, size: Floats, stretches: Sequence[tuple[int, int, int]]
) -> Cells:
    """Each sender's mail at each sensor beside what the other sensors say of it.

    Args:
        names: the senders, K of them, which add up to all mail.
        counts: their messages, shape (K, S, T).
        size: all mail that each sensor is expected to see at its level, shape (S, T); 0 for not known.
        stretches: sensor, first and last day of each stretch in which a sensor let us see the same.
    """
    up = size > 0
    seen = (counts * up).astype(np.float64)
    others = seen.sum(axis=1, keepdims=True) - seen
    of_each = _sizes(seen, size, stretches)
    rest = of_each.sum(axis=1, keepdims=True) - of_each
    known = up & (rest > NOBODY * of_each)
    expected = others * np.where(known, of_each / np.where(known, rest, 1.0), 0.0)
    first = np.zeros(size.shape, dtype=np.int64)
    stop = np.zeros(size.shape, dtype=np.int64)
    for sensor, begin, last in stretches:
        first[sensor, begin : last + 1], stop[sensor, begin : last + 1] = begin, last + 1
    seen, others = seen * known, others * known
    uneven, soon = _unevenness(seen, expected, others), _of_few_days(seen, expected, others)
    return Cells(names, seen, expected, others, first, stop, of_each * known, uneven, soon)


def _sizes(seen: Floats, size: Floats, stretches: Sequence[tuple[int, int, int]]) -> Floats:
    """What each sensor sees of each sender at its level, (K, S, T): one that joins may bring another mix."""
    level = seen.sum(axis=1) / np.maximum(size.sum(axis=0), 1e-9)
    found = np.zeros(seen.shape)
    for sensor, begin, last in stretches:
        span = slice(begin, last + 1)
        up = size[sensor, span] > 0
        due = (level[:, span] * up).sum(axis=1)
        mean = float(size[sensor, span][up].mean()) if up.any() else 0.0
        # As if a message more had come, at the size of all its mail: of thin ones that is known best.
        effect = (seen[:, sensor, span].sum(axis=1) + 1.0) / (due * mean + 1.0)
        found[:, sensor, span] = effect[:, None] * size[sensor, span]
    return found


def _unevenness(seen: Floats, expected: Floats, others: Floats) -> Floats:
    """Variance of neighbouring weeks' contrasts over that of chance, by cell, its wildest tenth left out."""
    weeks = seen.shape[2] // WEEK
    least = np.ones(seen.shape[:2])
    if weeks <= BINS:
        return least
    o, x, r = (
        one[..., -weeks * WEEK :].reshape(*one.shape[:2], weeks, WEEK).sum(axis=3)
        for one in (seen, expected, others)
    )
    z = contrast(o[..., :-1], o[..., 1:], (x[..., :-1], x[..., 1:]), (r[..., :-1], r[..., 1:]))
    return _trimmed(z)


def _of_few_days(seen: Floats, expected: Floats, others: Floats) -> Floats:
    """The same of FEWEST_AFTER days against the four weeks before them, by cell, without the last ones."""
    before, after = PAIRS[0][0], FEWEST_AFTER
    last = seen.shape[2] - after
    days = np.arange(last - after, before - 1, -after)
    if len(days) <= BINS:
        return np.ones(seen.shape[:2])
    sums = [
        np.concatenate([np.zeros((*one.shape[:2], 1)), np.cumsum(one, axis=2)], axis=2)
        for one in (seen, expected, others)
    ]
    o, x, r = (
        (one[..., days] - one[..., days - before], one[..., days + after] - one[..., days]) for one in sums
    )
    z = contrast(o[0], o[1], x, r)
    return np.asarray(np.maximum(_trimmed(z), (np.minimum(z.min(axis=2), 0.0) / LOWEST) ** 2))


def _trimmed(z: Floats) -> Floats:
    """Mean square of contrasts by cell, shape (K, S, n), as if their wildest tenth were like the others."""
    square = np.sort(np.where(z != 0, z**2, np.nan), axis=2)
    some = (~np.isnan(square)).sum(axis=2)
    kept = np.where(np.arange(square.shape[2]) < np.ceil(0.9 * some)[..., None], square, np.nan)
    told = np.nansum(kept, axis=2) / np.maximum((~np.isnan(kept)).sum(axis=2), 1) / TRIMMED
    told = np.where(some >= BINS, np.maximum(told, 1.0), 1.0)
    # A cell of few weeks is as uneven as the sender's others.
    return np.maximum(told, np.median(told, axis=1, keepdims=True))


def contrast(
    was: Floats, now: Floats, expected: tuple[Floats, Floats], others: tuple[Floats, Floats]
) -> Floats:
    """Signed root of the likelihood ratio of two counts against two expected ones, by chance alone.

    Conditional on their sum the later one is binomial (Przyborowski, Wilenski 1940); what the others' own
    counts leave open is put in. All arrays have one shape.

    Args:
        was: messages before.
        now: messages after.
        expected: messages expected before and after, from the other sensors' mail.
        others: messages at the other sensors before and after, which that rests on.

    Returns:
        Standard errors, positive for a rise; 0 where nothing was expected.
    """
    total = was + now
    below = expected[0] + expected[1]
    ok = (total > 0) & (expected[0] > 0) & (expected[1] > 0)
    share = np.where(ok, expected[1] / np.where(ok, below, 1.0), 0.5)
    a, b = np.maximum(total * (1 - share), 1e-9), np.maximum(total * share, 1e-9)
    gain = was * np.log(np.maximum(was, 1e-9) / a) + now * np.log(np.maximum(now, 1e-9) / b)
    own = 1 / a + 1 / b
    doubt = 1 / np.maximum(others[0], 0.5) + 1 / np.maximum(others[1], 0.5)
    return np.where(ok, np.sign(now - b) * np.sqrt(np.maximum(2 * gain, 0) * own / (own + doubt)), 0.0)


def scan(cells: Cells) -> tuple[Floats, Floats]:
    """What speaks for a fall, and for a rise, of some senders at a sensor on a day; shapes (S, T).

    The sum of squared standard errors of those that moved, less what choosing them costs.
    """
    many, sensors, days = cells.seen.shape
    falls, rises = np.zeros((2, sensors, days))
    sums = [
        np.concatenate([np.zeros((many, sensors, 1)), np.cumsum(one, axis=2)], axis=2)
        for one in (cells.seen, cells.expected, cells.others)
    ]
    cost = 2 * log(max(many, 2)) + 1
    for pair in PAIRS:
        # Longer windows find what is older, whichever third day they are set on.
        late = np.arange(max(days - pair[0] - pair[1], 0), days)
        places = late if pair[1] <= SOON else np.union1d(np.arange(0, days, STRIDE), late)
        z, share = np.zeros((many, sensors, len(places))), np.ones((many, sensors, len(places)))
        for sensor in range(sensors):
            z[:, sensor], share[:, sensor] = _windows(cells, sums, sensor, pair, places)
            few = np.where(cells.stop[sensor, places] - places < SOON, 1.0, 0.0)
            z[:, sensor] /= np.sqrt(cells.soon[:, [sensor]] * few + cells.uneven[:, [sensor]] * (1.0 - few))
        falls[:, places] = np.maximum(falls[:, places], _worth(-z, share, cost))
        rises[:, places] = np.maximum(rises[:, places], _worth(z, 1 / np.maximum(share, 1e-9), cost))
    return falls, rises


def _worth(z: Floats, share: Floats, cost: float) -> Floats:
    """What speaks for a day, where the sender that moved most did so far enough; shape (S, T)."""
    part = (z >= FEWEST_T) & (share <= PART)
    worth = np.where(part, np.maximum(z**2 - cost, 0.0), 0.0).sum(axis=0)
    return np.where(((z >= LEAST_T) & (share <= FALLEN)).any(axis=0), worth, 0.0)


def _windows(
    cells: Cells, sums: Sequence[Floats], sensor: int, pair: tuple[int, int], days: NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """The contrast of every sender at a sensor about some days, and what is left of it; shapes (K, days)."""
    low = np.maximum(days - pair[0], cells.first[sensor, days])
    high = np.minimum(days + pair[1], cells.stop[sensor, days])
    o, x, r = (one[:, sensor] for one in sums)
    was, now = o[:, days] - o[:, low], o[:, high] - o[:, days]
    expected = x[:, days] - x[:, low], x[:, high] - x[:, days]
    others = r[:, days] - r[:, low], r[:, high] - r[:, days]
    asked = (days - low >= FEWEST_BEFORE) & (high - days >= FEWEST_AFTER)
    z = contrast(was, now, expected, others) * asked
    due = was * expected[1] / np.maximum(expected[0], 1e-9)
    return z, np.where(asked & (due > 0), (now + 0.5) / (due + 0.5), 1.0)


def wander(cells: Cells, sender: int, sensor: int) -> float:
    """Times chance by which a sender's mail at the other sensors moves anyhow, over weeks, against theirs.

    The middle one of them: faults are of few sensors, and lists of recipients that turn are all sensors'.
    What is asked about, and what is known to be a fault, is left out.
    """
    known = (cells.size[sender] > 0).copy()
    known[sensor] = False
    for fault in cells.broken:
        if cells.names[sender] in fault.names:
            known[fault.sensor, fault.low :] = False
    seen, size = cells.seen[sender] * known, cells.size[sender] * known
    others = (seen.sum(axis=0) - seen) * known
    rest = size.sum(axis=0) - size
    expected = others * np.where(rest > 0, size / np.where(rest > 0, rest, 1.0), 0.0)
    sums = [
        np.concatenate([np.zeros((len(one), 1)), np.cumsum(one, axis=1)], axis=1)
        for one in (seen, expected, others)
    ]
    before, after = PAIRS[-1]
    days = np.arange(FEWEST_BEFORE, seen.shape[1] - FEWEST_BEFORE, STRIDE)
    usual = []
    for row in np.flatnonzero(known.any(axis=1)):
        low = np.maximum(days - before, cells.first[row, days])
        high = np.minimum(days + after, cells.stop[row, days])
        o, x, r = ((one[row, days] - one[row, low], one[row, high] - one[row, days]) for one in sums)
        z = np.abs(contrast(*o, x, r)) / np.sqrt(cells.uneven[sender, row])
        z = z[(z > 0) & (np.minimum(days - low, high - days) >= FEWEST_BEFORE)]
        if len(z) >= FEWEST_BEFORE:
            usual.append(float(np.quantile(z, 0.9)) / QUIET)
    return max(sorted(usual)[(len(usual) - 1) // 2], 1.0) if usual else 1.0


def peaks_of(worth: Floats) -> list[tuple[int, int]]:
    """Sensors and days to be looked at, those that most speaks for first; at most MOST of a sensor."""
    found = []
    for sensor, left in enumerate(worth):
        for _ in range(MOST):
            day = int(left.argmax())
            if left[day] <= 0:
                break
            found.append((float(left[day]), sensor, day))
            left[max(day - NEAR, 0) : day + NEAR] = 0.0
    return [(sensor, day) for _, sensor, day in sorted(found, reverse=True)]
