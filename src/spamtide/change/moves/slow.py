"""Date what takes weeks: its first day and its last under several shapes, each by its evidence.

A partition knows levels only: of a fall over six weeks it shows one step, in the middle of it. And which day
of such a fall was its first depends on the way that it took: what begins slowly began long before anybody
could see it. So a move may take a line, an even factor a day, or an S, over any time from three weeks on;
each is held against the days with the two levels that suit it best, and all of them against a quick move.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spamtide.change.moves.alike import alike
from spamtide.change.moves.date import NEGLIGIBLE
from spamtide.change.moves.segment import Segments, Track
from spamtide.change.moves.spread import Spread
from spamtide.model import Floats

Units = NDArray[np.int64]

REACH = 150
"""Units on either side of a move that its levels, and its ends, are looked for in."""
LEAST = 5
"""Units of the levels on either side."""
STRETCHES = 45
"""Stretches of units that the days are put together in, at most; near a shallow move there are more."""
CLOSE = ((14, 2), (42, 4))
"""Units from a shallow move, and of a stretch within: there a fall of days differs from one of weeks."""
FEWEST, GLANCE, PLACES, CLOSER = 2, 10, 20, 12
"""Places of either end that there must be, and that are tried, at most: at first, where the move may be a
slow one, and once more where its ends then lie."""
BEYOND = 0.001
"""Chance beyond either end of the places that are looked at once more, closer to each other."""
NEAR = 3
"""Times as many in which a quick move is tried to begin."""
QUICK = (0, 2, 5, 9, 14, 19)
"""Units that a quick move takes."""
POINT = 1.5
"""Power of 1 + length that the prior of a move falls by, for its point."""
DEEP, INTERVAL, ANY_LENGTH = 0.4, 0.5, 0.75
"""Share of the higher level below which a move of days and one of weeks can be told apart; the power, for
intervals, of a move to less than that, and of all others. Of a shallow move the days tell little: by a power
of a half quick ones would seem to have taken weeks, and by one of 1, any length being as likely as another on
a log scale, slow ones are held too seldom."""
SHAPES = 3
"""A line, an even factor a day, and an S."""
STEPS = 2
"""Steps of Fisher's scoring in which two levels are fitted, from the means beside the move: enough."""
CORRELATION = 0.8
"""Most serial correlation that is believed."""
USUAL = 6.0
"""Stretches as even as the dispersion has it that a series' own unevenness is held against."""
WILD = 3.0
"""Standard deviations that a stretch is off at most, when it is asked how uneven they are."""
UNLIKELY = 0.01
"""Chance below which a move is no slow one."""
FLOOR = 0.02
"""Least share that an even factor a day leads to."""
FAINT = 0.005
"""Least level, as a share of the highest rate."""
WHOLE = 0.99
SLIGHT = 1e-6


@dataclass(frozen=True, slots=True)
class Slow:
    """What is known of a move if it was a slow one."""

    chances: tuple[float, float]
    """That it was, against a quick one, under the prior of its point and that of its intervals."""
    begun: Spread
    settled: Spread


@dataclass(frozen=True, slots=True)
class _Days:
    """Stretches of days around a move."""

    edges: Floats
    """First unit and one past the last of each, shape (2, stretches)."""
    weight: Floats
    rate: Floats
    """Messages a unit."""
    inside: Floats
    """Share of each that is of the move's own two segments."""
    beyond: Floats
    """Level of the rest, by the segmentation."""
    price: float
    """Log likelihood that a quick move loses for the steps of that rest, which a slow one may explain."""


def slow_move(
    track: Track, segments: Segments, move: tuple[int, int], span: tuple[int, int], least: int
) -> Slow | None:
    """A move as one that took `least` units or more; None where it hardly was, or too few days are there.

    Args:
        track: the series.
        segments: its partition.
        move: segment numbers [i, j] of the move's first step and of its last.
        span: units [first, last) in which nothing moved the other way.
        least: units from which on a move is slow.
    """
    i, j = move
    span = max(span[0], segments.starts[i] - REACH), min(span[1], segments.starts[j] + REACH)
    core = max(segments.span(i - 1)[0], span[0]), min(segments.span(j)[1], span[1])
    at = segments.starts[i], segments.starts[j]
    factor = max(segments.levels[j], SLIGHT) / max(segments.levels[i - 1], SLIGHT)
    shallow = min(factor, 1 / factor) >= DEEP
    days = _stretches(track, segments, span, core, _bounds(span, at, CLOSE if shallow else ()))
    memory = alike(track, segments)
    uneven = (1 + memory) / (1 - memory)
    low, high = span[0] + LEAST, span[1] - LEAST
    within = (low, min(at[1], high)), (max(at[0], low) + 1, high)
    found = None
    for number in (GLANCE, PLACES, CLOSER):
        begins, ends = (_places(*one, number) for one in within)
        near = _places(max(core[0] + 1, at[0] - least), min(core[1] - 1, at[1] + least), NEAR * number)
        if min(len(begins), len(ends)) < FEWEST or not len(near):
            return found
        found = _weighed(days, track.size, (begins, ends, near), factor, least, uneven)
        if found is None or found.chances[1] < UNLIKELY:
            return None
        if number == PLACES:
            within = _held(found.begun, begins), _held(found.settled, ends)
    return found


def _weighed(
    days: _Days, size: float, places: tuple[Units, Units, Units], factor: float, least: int, uneven: float
) -> Slow | None:
    """Slow moves from some places to others against quick ones near some."""
    begins, ends, near = places
    begin, end = (one.ravel() for one in np.meshgrid(begins, ends, indexing="ij"))
    slow = end - begin >= least
    begin, end = begin[slow], end[slow]
    if not len(begin):
        return None
    quick = [length for length in QUICK if length < least]
    number = len(near) * len(quick)
    asked = [(near, near + length, 0) for length in quick]
    asked += [(begin, end, shape) for shape in range(SHAPES)]
    done = np.concatenate([_done(days.edges, *one, factor) for one in asked])
    parts, fixed = np.stack((1 - done, done)), np.zeros_like(done)
    parts[:, :number] *= days.inside
    fixed[:number] = days.beyond
    log = _likelihoods(days, parts, fixed, size, uneven)
    log[:number] -= days.price
    powers = POINT, _power(factor)
    chances, begun, settled = [], [], []
    for power in powers:
        longer = [*quick[1:], least]
        prior = [
            math.log(_gap(near) * sum((1 + n) ** -power for n in range(low, high)))
            for low, high in zip(quick, longer, strict=True)
        ]
        whole = log.copy()
        whole[:number] += np.repeat(prior, len(near))
        cell = math.log(_gap(begins) * _gap(ends) / SHAPES)
        whole[number:] += np.tile(cell - power * np.log(1 + end - begin), SHAPES)
        likely = np.exp(whole - whole.max())
        mass = likely[number:].reshape(SHAPES, -1).sum(axis=0)
        chances.append(min(float(mass.sum() / likely.sum()), 1.0))
        if chances[-1] < SLIGHT:
            return None
        begun.append(_spread(begins, begin, mass))
        settled.append(_spread(ends, end, mass))
    return Slow((chances[0], chances[1]), Spread(int(begins[0]), *begun), Spread(int(ends[0]), *settled))


def _power(factor: float) -> float:
    """Power of 1 + length that the prior falls by, for intervals of a move by a factor."""
    left = min(factor, 1 / factor)
    return INTERVAL if NEGLIGIBLE < left < DEEP else ANY_LENGTH


def _places(low: int, high: int, number: int) -> Units:
    """Places from low to high, evenly, not many more than `number`."""
    return np.arange(low, high + 1, max(-(-(high - low + 1) // number), 1))


def _held(spread: Spread, places: Units) -> tuple[int, int]:
    """First unit and last between which a date lies, with the places next to them."""
    total, gap = np.cumsum(spread.under(slower=True)), int(_gap(places))
    low, high = (int(one) for one in np.searchsorted(total, (BEYOND, 1 - BEYOND)))
    return max(spread.first + low - gap, int(places[0])), min(spread.first + high + gap, int(places[-1]))


def _gap(places: Units) -> float:
    """Units from one place to the next."""
    return float(places[1] - places[0]) if len(places) > 1 else 1.0


def _bounds(span: tuple[int, int], at: tuple[int, int], close: tuple[tuple[int, int], ...]) -> Units:
    """First units of the stretches of a span, finer close to a move."""
    left, right = span
    coarse = -(-(right - left) // STRETCHES)
    starts = np.arange(left, right, coarse)
    for reach, length in reversed(close):
        if length < coarse:
            low, high = max(at[0] - reach, left), min(at[1] + reach, right)
            fine = np.arange(low, high, length)
            starts = np.concatenate((starts[starts < low], fine, [high], starts[starts > high]))
    return starts[starts < right]


def _stretches(
    track: Track, segments: Segments, span: tuple[int, int], core: tuple[int, int], starts: Units
) -> _Days:
    """The days of a span, put together; stretches without any day are left out."""
    left, right = span
    weight = track.weight[left:right]
    mass = np.add.reduceat(weight, starts - left)
    total = np.add.reduceat(weight * track.told[left:right], starts - left)
    seen = mass > 0
    edges = np.stack((starts, np.append(starts[1:], right)))[:, seen].astype(np.float64)

    def share(low: int, high: int) -> Floats:
        within = np.minimum(edges[1], high) - np.maximum(edges[0], low)
        return np.asarray(np.maximum(within, 0.0) / (edges[1] - edges[0]))

    beyond, steps = np.zeros(edges.shape[1]), 0
    for number, level in enumerate(segments.levels):
        low, high = segments.span(number)
        if (high <= core[0] or low >= core[1]) and low < right and high > left:
            beyond += level * share(low, high)
            steps += 1
    price = steps * math.log(max(int(track.observed[left:right].sum()), 2))
    return _Days(edges, mass[seen], total[seen] / mass[seen], share(*core), beyond, price)


def _done(edges: Floats, begin: Units, end: Units, shape: int, factor: float) -> Floats:
    """Share of a move that is done in each stretch, the mean over its days; shape (moves, stretches)."""
    # The first day is off the level before already: a day counts with the middle of it, half a day on.
    length = (end - begin + 1)[:, None]
    sums = []
    for edge in edges:
        x = (edge - begin[:, None] + 0.5) / length
        inside = np.clip(x, 0.0, 1.0)
        if shape == 0:
            integral = inside**2 / 2
        elif shape == 1:
            log = math.log(min(max(factor, FLOOR), 1 / FLOOR))
            integral = ((np.exp(log * inside) - 1) / log - inside) / (math.exp(log) - 1)
        else:
            integral = inside**3 - inside**4 / 2
        sums.append((integral + np.maximum(x - 1, 0.0)) * length)
    return np.asarray(np.clip((sums[1] - sums[0]) / (edges[1] - edges[0]), 0.0, 1.0))


def _likelihoods(days: _Days, parts: Floats, fixed: Floats, size: float, uneven: float) -> Floats:
    """Log likelihood of moves, averaged over their two levels (Laplace), as far as days are independent.

    Args:
        days: the days.
        parts: share of the level before, and of the one after, in each stretch; shape (2, moves, stretches).
        fixed: what else is there, shape (moves, stretches).
        size: NB size.
        uneven: times as many days as tell what independent ones would, at least.
    """
    weight, rate = days.weight, days.rate
    beside = weight * (parts > WHOLE)
    levels = (beside @ rate) / np.maximum(beside.sum(axis=2), SLIGHT)
    floor = max(float(rate.max()) * FAINT, SLIGHT)
    own, free = np.zeros_like(levels), np.zeros(0)
    mean = known = np.zeros_like(fixed)
    for step in range(STEPS + 1):
        mean = np.maximum(levels[0][:, None] * parts[0] + levels[1][:, None] * parts[1] + fixed, floor)
        known = weight * size / (mean * (size + mean))
        shares = parts * known
        own = np.einsum("lkt,lkt->lk", shares, parts)
        both = np.einsum("kt,kt->k", shares[0], parts[1])
        free = np.maximum(own[0] * own[1] - both**2, SLIGHT)
        if step < STEPS:
            pull = np.einsum("lkt,kt->lk", shares, rate - mean)
            change = (own[::-1] * pull - both * pull[::-1]) / free
            low, high = np.maximum(levels / 2, floor / 2), np.maximum(levels * 2, floor)
            levels = np.clip(levels + change, low, high)
    fit = np.log(mean) @ (weight * rate) - np.log(size + mean) @ (weight * (rate + size))
    best = int(fit.argmax())
    residual = np.clip((rate - mean[best]) * np.sqrt(known[best]), -WILD, WILD)
    return np.asarray(fit / max(_uneven(residual), uneven) - np.log(free) / 2)


def _uneven(residual: Floats) -> float:
    """By how much less stretches tell than independent ones that are as even as the dispersion has it."""
    whole = float(residual @ residual)
    r = float(residual[1:] @ residual[:-1]) / whole if whole > 0 else 0.0
    r = min(max(r + (1 + 3 * r) / len(residual), 0.0), CORRELATION)
    return (whole + USUAL) / (max(len(residual) - 4, 1) + USUAL) * (1 + r) / (1 - r)


def _spread(places: Units, at: Units, mass: Floats) -> Floats:
    """Mass at places some units apart as the chance of every unit."""
    of_place = np.bincount(np.searchsorted(places, at), mass, len(places))
    found = np.interp(np.arange(places[0], places[-1] + 1), places, of_place)
    return np.asarray(found / found.sum())
