"""How far the levels of a series wander when nothing happens, and how far a move lies beyond that.

A botnet's level is no constant: it goes up and down by a tenth or a quarter over weeks. Beside a constant
level and the noise of days alone, such a wave is a change, and the more mail there is, the surer. So the log
level is an autoregression about its mean,

    log level(t) = mean + x(t),   x(t) = phi x(t - 1) + e(t),   var x = sigma^2,

on top of the noise of days. How strong it is, is taken from the series itself, over stretches between the
moves that are to be judged, so that a true step does not pass for wandering; and since one series says little
about waves of weeks, from all series of the observatory together (empirical Bayes: the mixing distribution
over a grid of phi, sigma and noise is the one under which all series are likeliest, Laird 1978, JASA 73).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from spamtide.change.moves.segment import Bools, Segments, Track
from spamtide.compiled import native
from spamtide.model import Each, Floats, in_turn

MEMORIES = (0.6, 0.8, 0.9, 0.95, 0.98, 0.995)
"""phi by the day: waves of two days to seven months; the last stands for drift without return. Without it a
level that comes and goes over seasons, as collections of years do, looks like one that steps."""
SPREADS = (0.04, 0.07, 0.1, 0.14, 0.2, 0.28, 0.4, 0.6)
"""sigma on the log scale; a level that holds still comes first, as a point of its own."""
NOISES = (0.4, 0.65, 1.0, 1.5)
"""Factors on the estimated variance of days, 1 / r, which was measured with some of the waves in it."""
STILL = 0.25
"""Share of levels that hold still, before any series is seen."""
PRIOR = 3.0
"""Series whose worth the grid's equal weights count beside those of the observatory."""
ROUNDS = 6
"""Moves of one series that are taken for real, one after the other, at most."""
PASSES = 30
"""Steps of expectation and maximisation: enough, where the rest changes no weight that matters."""
CLIPPED = 3.0
"""Standard deviations beyond which a single day counts as just that far off: floods and silent days."""
LIKELY = 0.02
"""Weight of a grid point, against the largest, below which it is left out of a judgement."""
MOST_POINTS = 24
APART = 2
"""Units between places where a step would be another one: nearer ones share nearly all their evidence."""
SHORT = 14
"""Units between the ends of a dip or a swell, below which none is cheaper than another."""
REAL = 16.0
"""Gain from which a move is taken for real when the wandering of its series is measured."""
SLIGHTEST = 1e-9
"""Information on a step below which none is fitted."""
LEAST_MAIL = 0.5
"""Messages that a stretch without any is taken to have brought."""
SILENT = 0.05
"""Share of the lower level beside it under which a stretch is silent."""
_ROWS = 32
"""Rows that are filtered side by side: what is at work stays in the processor's own memory."""
_BESIDE = 2
"""Lots of rows that are filtered at the same time, in the compiled form."""
_UNITS = 8
"""Units whose variances are multiplied before a logarithm is taken: their product is always a number."""


def _grid() -> Floats:
    """Grid points (phi by the day, sigma, noise), shape (points, 3)."""
    kinds = [(0.0, 0.0), *((memory, spread) for memory in MEMORIES for spread in SPREADS)]
    return np.array([(*kind, noise) for kind in kinds for noise in NOISES], dtype=np.float64)


def _prior() -> Floats:
    """Weight of each grid point before any series is seen."""
    still = GRID[:, 1] == 0.0
    return np.asarray(np.where(still, STILL / still.sum(), (1 - STILL) / (~still).sum()))


GRID = _grid()
EVEN = _prior()


@dataclass(frozen=True, slots=True)
class Levels:
    """A track's days as log levels with noise."""

    log: Floats
    """Log rate, linearised about the segments' levels; NaN where missing. Shape (units,)."""
    poisson: Floats
    """Its variance by counting alone."""
    uneven: float
    """Its variance by uneven days, 1 / r."""
    step: int
    """Days in a unit."""


class Doubt(NamedTuple):
    """A move that may be real, or a wave."""

    series: int
    """Number of its series."""
    begin: int
    """First unit off the level before."""
    end: int
    """First unit at the level after; those between are left out."""


Claim = tuple[Doubt, ...]


@dataclass(frozen=True, slots=True)
class Wander:
    """What a series' wandering may be: grid points with their weights."""

    points: Floats
    """(phi by the unit, sigma, noise), shape (points, 3); the likeliest first."""
    weights: Floats


@dataclass(frozen=True, slots=True)
class Wandering:
    """What the series of an observatory say of one another."""

    series: list[Wander]
    gains: list[float]
    """For each move, twice the log-likelihood ratio of a step in a level that wanders against a level that
    wanders and has no step there."""
    bursts: list[float]
    """The same for each burst."""


def levels_of(track: Track, segments: Segments) -> Levels:
    """A track as log levels.

    Args:
        track: the series.
        segments: how it was cut.
    """
    log = np.full(len(track.count), np.nan)
    poisson = np.ones(len(track.count))
    for number in range(len(segments.starts)):
        begin, end = segments.span(number)
        mine = np.arange(begin, end)[track.offset[begin:end] > 0]
        if not len(mine):
            continue
        offset, count = track.offset[mine], track.count[mine]
        level = max(float(count.sum()), LEAST_MAIL) / float(offset.sum())
        mean = level * offset
        noise = 1 / mean + 1 / track.size
        off = np.clip((count - mean) / (mean * np.sqrt(noise)), -CLIPPED, CLIPPED)
        log[mine] = np.log(level) + off * np.sqrt(noise)
        poisson[mine] = 1 / mean
        if track.step == 1:
            poisson[mine] = np.minimum(1 / mean, _silence(level, _beside(segments, number)) / offset)
    return Levels(log, poisson, 1 / track.size, track.step)


def _beside(segments: Segments, number: int) -> float:
    """The lower level next to a segment."""
    levels = segments.levels
    return min((levels[n] for n in (number - 1, number + 1) if 0 <= n < len(levels)), default=0.0)


def _silence(level: float, usual: float) -> float:
    """Variance of a silent unit's log level that tells as much of the step as its messages do; else infinite.

    Where next to nothing comes, a log level is known badly, and yet it is sure that it is not the usual one:
    the step's square over this variance is the deviance of a Poisson count, which at the level is lost.
    Not asked of weeks: thin collections of years come in lots, and a few weeks without any are how they are.
    """
    if level >= SILENT * usual:
        return np.inf
    step = np.log(usual / level)
    return float(step**2 / (2 * (usual - level - level * step)))


def wander(
    series: Sequence[Levels],
    doubts: Sequence[Doubt],
    bursts: Sequence[tuple[Levels, Claim]] = (),
    each: Each = in_turn,
) -> Wandering:
    """How each series of an observatory wanders, and what speaks for its moves beside that.

    Args:
        series: all of them, of any lengths.
        doubts: their moves.
        bursts: their bursts, each by its two ends, with the levels of a series that still has it.
        each: how likelihoods are reckoned, one after the other or side by side.
    """
    if not series:
        return Wandering([], [], [])
    claims = [(doubt,) for doubt in doubts] + [
        (one, other) for one, other in itertools.pairwise(doubts) if one.series == other.series
    ]
    real: dict[Doubt, float] = {}
    known: dict[_Row, tuple[Floats, Floats]] = {}
    gains: dict[Claim, float] = {}
    for _ in range(ROUNDS):
        breaks = [tuple(d for d in doubts if d in real and d.series == n) for n in range(len(series))]
        rows = [_Row(n, breaks[n], ()) for n in range(len(series))]
        asked = {
            claim: _Row(claim[0].series, tuple(b for b in breaks[claim[0].series] if b not in claim), claim)
            for claim in claims
            if len(claim) == 1 or not any(doubt in real for doubt in claim)
        }
        new = [row for row in dict.fromkeys((*rows, *asked.values())) if row not in known]
        known |= _likelihoods([(series[row.series], row) for row in new], each)
        own, mixing = _mix(np.stack([known[row][0] for row in rows]))
        rated = _ratios([(series[row.series], row) for row in asked.values()], known, mixing)
        gains = dict(zip(asked, rated, strict=True))
        best = _surest(gains, real)
        if not best:
            break
        real |= best
    found = [_kept(row, one.step) for row, one in zip(own, series, strict=True)]
    flooded = [(one, _Row(claim[0].series, breaks[claim[0].series], claim)) for one, claim in bursts]
    burst = _likelihoods(flooded, each)
    return Wandering(
        found,
        [_gain(doubt, gains, real) for doubt in doubts],
        _ratios(flooded, burst, mixing),
    )


def _ratios(
    rows: Sequence[tuple[Levels, _Row]], likelihoods: Mapping[_Row, tuple[Floats, Floats]], mixing: Floats
) -> list[float]:
    """What speaks for each claim, less the price of a second end: the sooner it comes, the lower."""
    if not rows:
        return []
    places = np.array([max(np.isfinite(levels.log).sum() / APART, 1.0) for levels, _ in rows])
    choice = 2 * np.log([_lengths(row.claim, number) for (_, row), number in zip(rows, places, strict=True)])
    none, stepped = (
        _log_means(np.stack([likelihoods[row][which] for _, row in rows]), mixing) for which in (0, 1)
    )
    return [float(one) for one in 2 * (stepped - none) - choice]


def _lengths(claim: Claim, places: float) -> float:
    """Lengths that what has two ends is chosen from, were all as likely as its own; 1 where it has one end.

    Chances fall by 1 / length, and their sum over all lengths by the logarithm of their number.
    """
    if len(claim) == 1:
        return 1.0
    length = (claim[1].begin - claim[0].end) / APART
    return min(max(length, SHORT / APART) * max(math.log(places), 1.0), places)


def _surest(gains: Mapping[Claim, float], real: Mapping[Doubt, float]) -> dict[Doubt, float]:
    """Of each series the moves of the surest claim that is not taken for real yet, if it is sure enough."""
    best: dict[int, Claim] = {}
    for claim, gain in gains.items():
        number = claim[0].series
        new = gain >= REAL and not any(doubt in real for doubt in claim)
        if new and (number not in best or gain > gains[best[number]]):
            best[number] = claim
    return {doubt: np.inf if len(claim) == 1 else gains[claim] for claim in best.values() for doubt in claim}


def _gain(doubt: Doubt, gains: Mapping[Claim, float], real: Mapping[Doubt, float]) -> float:
    """What speaks for a move: by itself, or, of two that came in together, what speaks for both."""
    if doubt in real:
        return min(gains[(doubt,)], real[doubt])
    return max(gain for claim, gain in gains.items() if doubt in claim)


def _log_means(table: Floats, weights: Floats) -> Floats:
    """Log of the weighted mean of exponentials, row by row."""
    top = table.max(axis=1)
    return np.asarray(top + np.log(np.exp(table - top[:, None]) @ weights))


def _mix(table: Floats) -> tuple[Floats, Floats]:
    """Weights of the grid points for each series, and for a series of which nothing is known yet."""
    likelihood = np.exp(table - table.max(axis=1, keepdims=True))
    mixing = EVEN
    for _ in range(PASSES):
        belief = likelihood * mixing
        belief /= belief.sum(axis=1, keepdims=True)
        mixing = (belief.sum(axis=0) + PRIOR * EVEN) / (len(table) + PRIOR)
    belief = likelihood * mixing
    return belief / belief.sum(axis=1, keepdims=True), mixing


def _kept(weights: Floats, step: int) -> Wander:
    """The grid points that matter."""
    order = np.argsort(-weights, kind="stable")[:MOST_POINTS]
    order = order[weights[order] >= LIKELY * weights[order[0]]]
    points = GRID[order].copy()
    points[:, 0] **= step
    return Wander(points, weights[order] / weights[order].sum())


class _Row(NamedTuple):
    """A series under one hypothesis."""

    series: int
    breaks: tuple[Doubt, ...]
    """Moves that are taken for real: no wandering is read across them."""
    claim: Claim
    """What is asked about: a move, or two, between which the level was another."""


def _likelihoods(rows: Sequence[tuple[Levels, _Row]], each: Each) -> dict[_Row, tuple[Floats, Floats]]:
    """Log likelihood at every grid point without the doubted step, and with it."""
    groups: dict[tuple[int, int], list[tuple[Levels, _Row]]] = {}
    for one, row in rows:
        groups.setdefault((len(one.log), one.step), []).append((one, row))
    found: dict[_Row, tuple[Floats, Floats]] = {}
    for (_, step), members in groups.items():
        none, stepped = _filter([one for one, _ in members], [row for _, row in members], step, each)
        found |= {row: (none[n], stepped[n]) for n, (_, row) in enumerate(members)}
    return found


def _filter(series: Sequence[Levels], rows: Sequence[_Row], step: int, each: Each) -> tuple[Floats, Floats]:
    """Kalman filters of rows of one length, at all grid points at once.

    Each stretch between breaks has a mean of its own, which is fitted, as the step is: the filter runs over
    the data, over a column of ones and over a column that is one from the step on (Rosenberg 1973).
    """
    memory, spread, noise = GRID[:, 0] ** step, GRID[:, 1], GRID[:, 2]
    whole = spread**2
    log = np.array([one.log for one in series])
    poisson = np.array([one.poisson for one in series])
    uneven = np.array([[one.uneven] for one in series]) * noise
    fresh, after = np.zeros(log.shape, dtype=bool), np.zeros(log.shape)
    for number, row in enumerate(rows):
        for one in row.breaks:
            log[number, one.begin : one.end] = np.nan
            fresh[number, one.end] = True
        for one in row.claim:
            log[number, one.begin : one.end] = np.nan
            after[number, one.end :] = 1 - after[number, one.end - 1]
    parts = [slice(start, start + _ROWS) for start in range(0, len(rows), _ROWS)]

    def run(part: slice) -> tuple[Floats, Floats]:
        return _run(log[part], poisson[part], uneven[part], fresh[part], after[part], memory, whole)

    if native is None:
        found = each(run, parts)
    else:  # the compiled form leaves the interpreter free, and is done sooner than a large process is copied
        with ThreadPoolExecutor(_BESIDE, "wander") as threads:
            found = list(threads.map(run, parts))
    return np.concatenate([none for none, _ in found]), np.concatenate([stepped for _, stepped in found])


def _run(
    log: Floats,
    poisson: Floats,
    uneven: Floats,
    fresh: Bools,
    after: Floats,
    memory: Floats,
    whole: Floats,
) -> tuple[Floats, Floats]:
    """The filters of some rows.

    Args:
        log: log levels, shape (rows, units), NaN where missing.
        poisson: their variance by counting.
        uneven: their variance by uneven days, shape (rows, grid points).
        fresh: units from which a mean is fitted anew.
        after: the column of the step.
        memory: phi by the unit, shape (grid points,).
        whole: variance of the wandering.
    """
    shape = uneven.shape
    seen = np.isfinite(log)
    columns = np.stack((np.where(seen, log, 0.0), np.ones_like(log), after))
    none, stepped = np.zeros(shape), np.zeros(shape)
    kept = memory**2
    grid = _Grid(uneven, memory, kept, whole * (1 - kept))
    at_work = _AtWork(
        np.broadcast_to(whole, shape).copy(), np.ones(shape), np.zeros((3, *shape)), np.zeros((6, *shape))
    )
    days = _Days(columns, seen.astype(np.float64), poisson)
    anew = np.flatnonzero(fresh.any(axis=0))
    stops = sorted({*anew.tolist(), *range(_UNITS, log.shape[1], _UNITS), log.shape[1]})
    for first, stop in itertools.pairwise((0, *stops)):
        new = fresh[:, first]
        if new.any():
            less, least = _fitted(at_work.sums[:, new])
            none[new] += less
            stepped[new] += least
            at_work.state[:, new] = 0.0
            at_work.sums[:, new] = 0.0
            at_work.error[new] = whole
        if native is None:
            _follow(days, grid, at_work, first, stop)
        else:
            native.follow(days, grid, at_work, first, stop)
        none -= np.log(at_work.product, out=at_work.product)
        stepped -= at_work.product
        at_work.product.fill(1.0)
    less, least = _fitted(at_work.sums)
    return (none + less) / 2, (stepped + least) / 2


class _Days(NamedTuple):
    """What was seen of some rows."""

    columns: Floats
    """Log levels (0 where missing), ones and the step, shape (3, rows, units)."""
    known: Floats
    """1 where a unit was seen, else 0."""
    poisson: Floats


class _Grid(NamedTuple):
    """What holds at each grid point."""

    uneven: Floats
    """Shape (rows, grid points)."""
    memory: Floats
    kept: Floats
    """Part of the variance of a unit's wandering that is left in the next one."""
    added: Floats


class _AtWork(NamedTuple):
    """Filters on their way, written in place: most of the work would be making arrays."""

    error: Floats
    """Variance of what is not known of the wandering, shape (rows, grid points)."""
    product: Floats
    """Of the variances of what was foreseen: logarithms cost more than all else."""
    state: Floats
    """What is foreseen of the three columns, shape (3, rows, grid points)."""
    sums: Floats
    """Products of the columns' misses by their weight: each with each, shape (6, rows, grid points)."""


def _follow(days: _Days, grid: _Grid, at_work: _AtWork, first: int, stop: int) -> None:
    """Units [first, stop) of the filters of some rows."""
    error, product, state, sums = at_work
    off, weighed = np.empty_like(state), np.empty_like(state)
    total, gain, weight = (np.empty_like(error) for _ in range(3))
    products = np.empty_like(sums)
    for unit in range(first, stop):
        here = days.known[:, unit, None]
        if here.any():
            np.add(error, days.poisson[:, unit, None], out=total)
            total += grid.uneven
            np.subtract(days.columns[:, :, unit, None], state, out=off)
            np.divide(here, total, out=weight)
            np.multiply(np.divide(error, total, out=gain), here, out=gain)
            np.multiply(product, total, out=product, where=here > 0)
            np.multiply(off, weight, out=weighed)
            np.multiply(off, weighed[0], out=products[:3])
            np.multiply(off[1:], weighed[1], out=products[3:5])
            np.multiply(weighed[2], off[2], out=products[5])
            sums += products
            off *= gain
            state += off
            np.subtract(1, gain, out=gain)
            error *= gain
        state *= grid.memory
        error *= grid.kept
        error += grid.added


def _fitted(sums: Floats) -> tuple[Floats, Floats]:
    """Minus the residual sum of squares of a stretch with its mean fitted, and with its step fitted too."""
    square, by_mean, by_step, mean, both, step = sums
    safe = np.where(mean > 0, mean, 1.0)
    left = square - by_mean**2 / safe
    own = step - both**2 / safe
    cross = by_step - by_mean * both / safe
    told = own > SLIGHTEST
    more = np.where(told, cross**2 / np.where(told, own, 1.0), 0.0)
    return -left, -(left - more)
