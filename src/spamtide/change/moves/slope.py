"""Growth and decay over weeks: steps that are one slope. When it began and ended, `slow` says.

A partition knows levels only, so it shows what grows over ten weeks as a staircase, whose first step would be
told as all of it. Steps in one direction are one slope where a straight line from one level to the other
explains the days better than the steps do, each with the price of its parameters (BIC).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spamtide.change.moves.alike import alike
from spamtide.change.moves.segment import Direction, Segments, Track
from spamtide.compiled import native
from spamtide.model import Floats

LONG = 21
"""Units from which on a slope is slow: what is shorter may be a ramp."""
EARLIER, LATER = 14, 7
"""Units before and after its first step in which a slope may begin, when it is asked whether it is one."""
LEAST = 5
"""Units of the levels on either side."""
MOST_PLACES = 40
"""Places of either end that are tried."""
SLIGHT = 1e-6


@dataclass(frozen=True, slots=True)
class Slope:
    """All straight lines that a staircase may be."""

    begins: Floats
    ends: Floats
    cost: Floats
    """Minus twice the log likelihood, shape (begins, ends); infinite where the end is no later."""


def joined(
    track: Track,
    segments: Segments,
    move: tuple[Direction, int, int],
    others: list[tuple[int, int]],
    known: dict[tuple[int, int], bool],
) -> tuple[int, int] | None:
    """The longest staircase around a move that is one slope, as segment numbers; None where there is none.

    Args:
        track: the series.
        segments: its partition.
        move: direction, and segment numbers [i, j] of its first and last step.
        others: moves of the other direction, which it does not reach beyond.
        known: staircases of these segments that were held against a line; is added to.
    """
    direction, i, j = move
    sign = 1 if direction == "rise" else -1
    levels = segments.levels
    low = max((after for _, after in others if after < i), default=0)
    high = min((before for before, _ in others if before > j), default=len(levels))
    first, last = i, j
    while first - 1 > low and sign * (levels[first - 1] - levels[first - 2]) > 0:
        first -= 1
    while last + 1 < high and sign * (levels[last + 1] - levels[last]) > 0:
        last += 1
    for begin, end in _stretches(first, last, (i, j)):
        if (begin, end) not in known:
            known[begin, end] = is_slope(track, segments, begin, end)
        if known[begin, end]:
            return begin, end
    return None


def _stretches(first: int, last: int, move: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Every stretch from first to last that holds a move and more, the longest first."""
    found = [(a, b) for a in range(first, move[0] + 1) for b in range(move[1], last + 1)]
    yield from sorted((one for one in found if one != move), key=lambda one: one[0] - one[1])


def is_slope(track: Track, segments: Segments, i: int, j: int, least: int = 1) -> bool:
    """Whether the steps from i to j, at least so many units apart, are better taken as one straight line."""
    if j == i or segments.starts[j] - segments.starts[i] < least:
        return False
    line = fit(track, segments, i, j, track.size)
    if line is None:
        return False
    steps = 0.0
    for number in range(i - 1, j + 1):
        part = slice(*segments.span(number))
        level = np.full(part.stop - part.start, segments.levels[number])
        steps += float(_cost(track, part, level, track.size))
    units = int(track.observed[segments.span(i - 1)[0] : segments.span(j)[1]].sum())
    spared = 2 * (j - i + 1) + 1 - 4
    better = steps - float(line.cost.min())
    memory = alike(track, segments)
    return (1 - memory) / (1 + memory) * better + spared * math.log(max(units, 2)) > 0


def fit(track: Track, segments: Segments, i: int, j: int, size: float) -> Slope | None:
    """Hold straight lines between two levels against the days; None where a level has too few days.

    Args:
        track: the series.
        segments: its partition.
        i: segment number of the first step.
        j: that of the last.
        size: NB size of the days.
    """
    left, right = segments.span(i - 1)[0], segments.span(j)[1]
    begin, end = segments.starts[i], segments.starts[j]
    begins = _some(max(left + LEAST, begin - EARLIER), min(begin + LATER, end - 1))
    ends = _some(max(begin + 1, end - EARLIER), right - LEAST)
    if not len(begins) or not len(ends):
        return None
    weight, seen = track.weight, track.weight * track.told
    mass = np.concatenate(([0.0], np.cumsum(weight)))
    total = np.concatenate(([0.0], np.cumsum(seen)))
    whole = _constant(float(mass[right] - mass[left]), size)
    cost = np.full((len(begins), len(ends)), np.inf)
    if native is not None:
        places = begins.astype(np.int64), ends.astype(np.int64)
        native.lines((weight, seen, mass, total), places, left, right, size, SLIGHT, cost)
        cost -= 2 * whole
        return Slope(begins, ends, cost) if np.isfinite(cost).any() else None
    for at, first in enumerate(begins.astype(int)):
        later = ends > first
        last = ends[later].astype(int)
        before, after = _mean(total, mass, left, first), _mean(total, mass, last, right)
        # Days of the level before, of the line until the last of its ends, and of the level after.
        stop = int(last[-1]) if len(last) else first
        share = np.minimum((np.arange(first, stop) - first + 1) / (last[:, None] - first + 1), 1.0)
        days = slice(first, stop)
        found = _at(total[first] - total[left], mass[first] - mass[left], before, size)
        found = found + _at(total[right] - total[stop], mass[right] - mass[stop], after, size)
        line = np.maximum(before + (after - before)[:, None] * share, SLIGHT)
        found += np.log(line) @ seen[days]
        line += size
        found -= np.log(line, out=line) @ (seen[days] + weight[days] * size)
        cost[at, later] = -2 * (found + whole)
    return Slope(begins, ends, cost) if np.isfinite(cost).any() else None


def _some(low: int, high: int) -> Floats:
    """Places from low to high, not too many of them."""
    if high < low:
        return np.zeros(0)
    step = -(-(high - low + 1) // MOST_PLACES)
    return np.arange(low, high + 1, step).astype(np.float64)


def _mean(total: Floats, mass: Floats, begin: int | NDArray[np.int64], end: int) -> Floats:
    """Weighted mean rate of some units, for each beginning."""
    return np.asarray((total[end] - total[begin]) / np.maximum(mass[end] - mass[begin], SLIGHT))


def _at(total: Floats, mass: Floats, level: Floats, size: float) -> Floats:
    """NB log likelihood of days at one level, from their messages and weights, but for `_constant`."""
    mean = np.maximum(level, SLIGHT)
    return np.asarray(total * np.log(mean) - (total + mass * size) * np.log(size + mean))


def _constant(mass: float, size: float) -> float:
    """The part of it that is the same at every level."""
    return mass * size * math.log(size)


def _cost(track: Track, part: slice, level: Floats, size: float) -> Floats:
    """Minus twice the NB log likelihood of days at some levels (the last axis), without constant terms."""
    weight, rate = track.weight[part], track.told[part]
    return _days(weight, rate, np.maximum(level, SLIGHT), size)


def _days(weight: Floats, rate: Floats, mean: Floats, size: float) -> Floats:
    """Minus twice the NB log likelihood of days with some weights and rates, without constant terms."""
    value = weight * (rate * (np.log(mean) - np.log(size + mean)) - size * np.log1p(mean / size))
    return np.asarray(-2 * value.sum(axis=-1))
