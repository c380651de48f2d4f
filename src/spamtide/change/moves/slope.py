"""Growth and decay over weeks: steps that are one slope, and when it began and ended.

A partition knows levels only, so it shows what grows over ten weeks as a staircase, whose first step would be
told as all of it. Steps in one direction are one slope where a straight line from one level to the other
explains the days better than the steps do, each with the price of its parameters (BIC).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spamtide.change.moves.date import Ramp, Spread
from spamtide.change.moves.segment import Direction, Segments, Track
from spamtide.compiled import native
from spamtide.model import Floats

LONG = 21
"""Units from which on a staircase may be a slope: what is shorter is a ramp."""
EARLIER, LATER = 14, 7
"""Units before and after its first step in which a slope may begin, when it is asked whether it is one."""
LEAST = 5
"""Units of the levels on either side."""
MOST_PLACES = 40
"""Places of either end that are tried."""
CAUTION = 0.6
"""Factor on the NB size when a slope is dated: its days wander besides."""
CORRELATION = 0.8
"""Most serial correlation of days that is believed."""
STEPS = 3
"""Steps of Fisher's scoring in which a line's two levels are fitted: from the means beside it, enough."""
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


def is_slope(track: Track, segments: Segments, i: int, j: int) -> bool:
    """Whether the steps from i to j are better taken as one straight line."""
    if j == i or (segments.starts[j] - segments.starts[i]) < LONG:
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
    return float(line.cost.min()) < steps + spared * math.log(max(units, 2))


def fit(
    track: Track, segments: Segments, i: int, j: int, size: float, earlier: int = EARLIER
) -> Slope | None:
    """Hold straight lines between two levels against the days; None where a level has too few days.

    Args:
        track: the series.
        segments: its partition.
        i: segment number of the first step.
        j: that of the last.
        size: NB size of the days.
        earlier: units before the first step from which on a line may begin.
    """
    left, right = segments.span(i - 1)[0], segments.span(j)[1]
    begin, end = segments.starts[i], segments.starts[j]
    begins = _some(max(left + LEAST, begin - earlier), min(begin + LATER, end - 1))
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


def date_slope(track: Track, segments: Segments, i: int, j: int) -> Ramp | None:
    """When a slope began and ended; None where the steps from i to j are none."""
    if not is_slope(track, segments, i, j):
        return None
    # The first step of a slow move lies well inside it: much of a first level is on the line already.
    length = segments.starts[j] - segments.starts[i]
    line = fit(track, segments, i, j, CAUTION * track.size, max(EARLIER, length))
    if line is None:
        return None
    span = segments.span(i - 1)[0], segments.span(j)[1]
    line = replace(line, cost=_freed(track, span, line, CAUTION * track.size))
    posterior = np.exp(-(line.cost - line.cost.min()) / 2 / _correlated(track, segments, line, (i, j)))
    begun, settled = (
        Spread(int(places[0]), _spread(places, posterior.sum(axis=axis)))
        for places, axis in ((line.begins, 1), (line.ends, 0))
    )
    return Ramp(begun.estimate(), settled.estimate(), begun, settled)


def _freed(track: Track, span: tuple[int, int], line: Slope, size: float) -> Floats:
    """The cost of every line with the two levels that suit it best, not those of the days beside it alone.

    Held to the mean of the days after it, a line is over where its slope, which many days tell, meets that
    mean, to the day. But the mean of a few weeks is off by what the slope gains in several days.
    """
    units, weight, rate = _gathered(track, span, (int(line.begins[0]), int(line.ends[-1])))
    cost = np.full_like(line.cost, np.inf)
    for at, first in enumerate(line.begins):
        later = np.isfinite(line.cost[at])
        last = line.ends[later][:, None]
        share = np.clip((units - first + 1) / (last - first + 1), 0.0, 1.0)
        parts = np.stack((1 - share, share))
        beside = weight * np.stack(((share == 0), (share == 1)))
        levels = (beside @ rate) / np.maximum(beside.sum(axis=2), SLIGHT)
        for _ in range(STEPS):
            mean = _line(levels, parts)
            known = weight * size / (mean * (size + mean))
            pull = np.einsum("lkt,kt->lk", parts, known * (rate - mean))
            own = np.einsum("lkt,kt->lk", parts**2, known)
            both = (parts[0] * parts[1] * known).sum(axis=1)
            step = (own[::-1] * pull - both * pull[::-1]) / np.maximum(own[0] * own[1] - both**2, SLIGHT)
            levels = np.clip(levels + step, levels / 2, levels * 2)
        cost[at, later] = _days(weight, rate, _line(levels, parts), size)
    return cost


def _gathered(track: Track, span: tuple[int, int], within: tuple[int, int]) -> tuple[Floats, Floats, Floats]:
    """Units, weights and rates; what lies before all lines, or after, as one unit, for it is at one level."""
    places = np.clip(np.arange(*span), within[0] - 1, within[1])
    weight = track.weight[slice(*span)]
    mass, total = (
        np.bincount(places - places[0], one).astype(np.float64)
        for one in (weight, weight * track.told[slice(*span)])
    )
    seen = mass > 0
    gathered = (np.flatnonzero(seen) + places[0]).astype(np.float64)
    return gathered, mass[seen], np.asarray(total[seen] / mass[seen])


def _line(levels: Floats, parts: Floats) -> Floats:
    """Level of each day of lines between two levels."""
    return np.asarray(np.maximum((levels[:, :, None] * parts).sum(axis=0), SLIGHT))


def _correlated(track: Track, segments: Segments, line: Slope, move: tuple[int, int]) -> float:
    """(1 + r) / (1 - r) for the correlation r from unit to unit that the likeliest line leaves."""
    left, right = segments.span(move[0] - 1)[0], segments.span(move[1])[1]
    at, to = np.unravel_index(int(line.cost.argmin()), line.cost.shape)
    first, last = line.begins[at], line.ends[to]
    rate, units = track.told[left:right], np.arange(left, right)
    before, after = (float(rate[part].mean()) for part in (units < first, units >= last))
    level = before + (after - before) * np.clip((units - first + 1) / (last - first + 1), 0.0, 1.0)
    spread = np.sqrt(np.maximum(level, SLIGHT) * (1 + level / track.size))
    residual = np.where(track.observed[left:right], (rate - level) / spread, 0.0)
    whole = float(residual @ residual)
    r = float(residual[1:] @ residual[:-1]) / whole if whole > 0 else 0.0
    r = min(max(r, 0.0), CORRELATION)
    return (1 + r) / (1 - r)


def _spread(places: Floats, mass: Floats) -> Floats:
    """Mass at places some units apart as mass of every unit."""
    every = np.arange(int(places[0]), int(places[-1]) + 1)
    found = np.interp(every, places, mass)
    return np.asarray(found / found.sum(), dtype=np.float64)
