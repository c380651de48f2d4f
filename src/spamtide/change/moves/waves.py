"""Filters of levels that wander, at all points of a grid: how likely days are, and with a step.

`wander` says what a level does, and which steps are asked about.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spamtide.compiled import native
from spamtide.each import Each
from spamtide.model import Floats

Ints = NDArray[np.int64]

MEMORIES = (0.6, 0.8, 0.9, 0.95, 0.98, 0.995)
"""phi by the day: waves of two days to seven months; the last stands for drift without return. Without it a
level that comes and goes over seasons, as collections of years do, looks like one that steps."""
SPREADS = (0.04, 0.07, 0.1, 0.14, 0.2, 0.28, 0.4, 0.6)
"""sigma on the log scale; a level that holds still comes first, as a point of its own."""
NOISES = (0.4, 0.65, 1.0, 1.5)
"""Factors on the estimated variance of days, 1 / r, which was measured with some of the waves in it."""
SLIGHTEST = 1e-9
"""Information on a step below which none is fitted."""
_ROWS = 32
"""Rows that are filtered side by side: what is at work stays in the processor's own memory."""
_BESIDE = 2
"""Lots of rows that are filtered at the same time, in the compiled form."""
_UNITS = 8
"""Units whose variances are multiplied before a logarithm is taken: their product is always a number."""
_MARK = 4 * _UNITS
"""Units from one place to the next at which it is kept where a filter stands."""


def _grid() -> Floats:
    """Grid points (phi by the day, sigma, noise), shape (points, 3)."""
    kinds = [(0.0, 0.0), *((memory, spread) for memory in MEMORIES for spread in SPREADS)]
    return np.array([(*kind, noise) for kind in kinds for noise in NOISES], dtype=np.float64)


GRID = _grid()


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


Question = tuple[Doubt, ...]
"""What is asked about: a move, or two, between which the level was another."""


class Row(NamedTuple):
    """A series under one hypothesis."""

    series: int
    breaks: tuple[Doubt, ...]
    """Moves that are taken for real: no wandering is read across them."""
    question: Question
    """Moves without which, and with which, its days are held against the grid; () for none."""


class _Piece(NamedTuple):
    """A stretch between two breaks, over which no wandering is read: it hangs on nothing outside it."""

    levels: int
    """Whose days they are."""
    begin: int
    stop: int
    question: Question
    """Moves of a row's question that lie in it."""


@dataclass(slots=True)
class Known:
    """What pieces say, from one round of questions to the next: a break leaves most pieces as they were."""

    found: dict[_Piece, tuple[Floats, Floats]] = field(default_factory=dict)
    """Log likelihood at every grid point without the doubted step, and with it."""
    stood: dict[tuple[_Piece, int], _Stand] = field(default_factory=dict)
    """Where the filters of pieces without a question stood, by units from their beginning."""


def likelihoods(
    rows: Sequence[tuple[Levels, Row]], each: Each, known: Known | None = None
) -> dict[Row, tuple[Floats, Floats]]:
    """Log likelihood at every grid point without the doubted step, and with it.

    Args:
        rows: each with the levels that it is about, which must be the same object as long as `known` is.
        each: how they are reckoned, one after the other or side by side.
        known: what was found before, is added to.
    """
    known = known or Known()
    made = {row: _pieces(one, row) for one, row in rows}
    of_step: dict[int, dict[_Piece, Levels]] = {}
    for one, row in rows:
        mine = of_step.setdefault(one.step, {})
        for piece in made[row]:
            if piece.question:
                mine[piece._replace(question=())] = one
            mine[piece] = one
    for step, members in of_step.items():
        new = {piece: one for piece, one in members.items() if piece not in known.found}
        if new:
            _filter(list(new.values()), list(new), step, each, known)
    nothing = np.zeros(len(GRID))
    return {
        row: (
            sum((known.found[one][0] for one in pieces), nothing),
            sum((known.found[one][1] for one in pieces), nothing),
        )
        for row, pieces in made.items()
    }


def _pieces(levels: Levels, row: Row) -> tuple[_Piece, ...]:
    """The stretches of a row between its breaks; a step that lies outside of one is in its mean."""
    edges = [
        0,
        *itertools.chain.from_iterable((one.begin, one.end) for one in sorted(row.breaks, key=_first)),
    ]
    edges.append(len(levels.log))
    return tuple(
        _Piece(
            id(levels),
            begin,
            stop,
            tuple(one for one in row.question if one.begin < stop and one.end > begin),
        )
        for begin, stop in zip(edges[::2], edges[1::2], strict=True)
        if begin < stop
    )


def _first(doubt: Doubt) -> int:
    """First unit off the level before."""
    return doubt.begin


def _filter(levels: Sequence[Levels], pieces: Sequence[_Piece], step: int, each: Each, known: Known) -> None:
    """Kalman filters of pieces, at all grid points at once; what they find is added to what is known.

    Each piece has a mean of its own, which is fitted, as the step is: the filter runs over the data, over a
    column of ones and over a column that is one from the step on (Rosenberg 1973).

    Until its question begins, a piece is that without one, and goes on from where that stood.
    """
    memory, spread, noise = GRID[:, 0] ** step, GRID[:, 1], GRID[:, 2]
    marks = np.array([_mark(piece) for piece in pieces])
    lengths = np.array([piece.stop - piece.begin for piece in pieces])

    def run(some: Ints) -> tuple[Floats, Floats, dict[int, list[_Stand]]]:
        first = int(marks[some[0]])
        rows = _laid_out([(levels[n], pieces[n]) for n in some], noise)
        plain = [pieces[n]._replace(question=()) for n in some]
        begun = [known.stood[piece, first] for piece in plain] if first else []
        kept = () if first else range(_MARK, rows.log.shape[1], _MARK)
        return _run(rows, memory, spread**2, _Way(first, begun, kept))

    # Those of like length side by side: a shorter one is at work until the longest is done.
    order = np.lexsort((lengths, marks))
    for lot in (order[marks[order] == 0], order[marks[order] > 0]):
        edges = np.flatnonzero(np.diff(marks[lot])) + 1
        parts = [
            some[start : start + _ROWS]
            for some in np.split(lot, edges)
            for start in range(0, len(some), _ROWS)
        ]
        if native is None:
            found = each(run, parts)
        else:  # the compiled form leaves the interpreter free, and is done sooner than a process is copied
            with ThreadPoolExecutor(_BESIDE, "wander") as threads:
                found = list(threads.map(run, parts))
        for some, (none, stepped, stood) in zip(parts, found, strict=True):
            for row, n in enumerate(some):
                known.found[pieces[n]] = none[row], stepped[row]
                if not pieces[n].question:
                    ends = {mark: one[row] for mark, one in stood.items() if mark < lengths[n]}
                    known.stood |= {(pieces[n], mark): one for mark, one in ends.items()}


def _mark(piece: _Piece) -> int:
    """Units of a piece with a question that are as without it, and need not be filtered again."""
    if not piece.question:
        return 0
    return max(min(one.begin for one in piece.question) - piece.begin, 0) // _MARK * _MARK


def _laid_out(given: Sequence[tuple[Levels, _Piece]], noise: Floats) -> _Rows:
    """Pieces as rows that begin together; what is beyond the end of one is missing."""
    units = max(piece.stop - piece.begin for _, piece in given)
    log, poisson, after = np.full((len(given), units), np.nan), *np.zeros((2, len(given), units))
    for row, (levels, piece) in enumerate(given):
        mine = slice(0, piece.stop - piece.begin)
        log[row, mine] = levels.log[piece.begin : piece.stop]
        poisson[row, mine] = levels.poisson[piece.begin : piece.stop]
        for one in piece.question:
            begin, end = max(one.begin - piece.begin, 0), one.end - piece.begin
            log[row, begin:end] = np.nan
            after[row, end:] = 1 - after[row, end - 1]
    uneven = np.array([[levels.uneven] for levels, _ in given]) * noise
    return _Rows(log, poisson, uneven, after)


class _Rows(NamedTuple):
    """What is known of some rows."""

    log: Floats
    """Log levels, shape (rows, units), NaN where missing."""
    poisson: Floats
    """Their variance by counting."""
    uneven: Floats
    """Their variance by uneven days, shape (rows, grid points)."""
    after: Floats
    """The column of the step."""


class _Stand(NamedTuple):
    """Where the filter of a row stood before a unit, at every grid point (the last axis)."""

    error: Floats
    state: Floats
    sums: Floats
    none: Floats
    """Log likelihood of what lies before, doubled."""


class _Way(NamedTuple):
    """The part of their units that filters go over."""

    first: int
    """Unit to begin with, a multiple of _UNITS."""
    begun: Sequence[_Stand] = ()
    """Where each row stood before it, without any step before that; none at the beginning."""
    kept: Collection[int] = ()
    """Units, multiples of _UNITS, before which it is kept where the rows stand."""


WHOLE = _Way(0)
"""From the first unit on; nothing is kept."""


def _run(
    rows: _Rows, memory: Floats, whole: Floats, way: _Way = WHOLE
) -> tuple[Floats, Floats, dict[int, list[_Stand]]]:
    """The filters of some rows: without the step, with it, and where they stood where it is to be kept.

    Args:
        rows: what is known of them.
        memory: phi by the unit, shape (grid points,).
        whole: variance of the wandering.
        way: where to begin, and where to keep how it stands.
    """
    log, poisson, uneven, after = rows
    shape = uneven.shape
    seen = np.isfinite(log)
    columns = np.stack((np.where(seen, log, 0.0), np.ones_like(log), after))
    fading = memory**2
    grid = _Grid(uneven, memory, fading, whole * (1 - fading))
    at_work = _AtWork(
        np.broadcast_to(whole, shape).copy(), np.ones(shape), np.zeros((3, *shape)), np.zeros((6, *shape))
    )
    none = np.zeros(shape)
    for number, one in enumerate(way.begun):
        at_work.error[number], at_work.state[:, number], at_work.sums[:, number], none[number] = one
    stepped = none.copy()
    stood: dict[int, list[_Stand]] = {}
    days = _Days(columns, seen.astype(np.float64), poisson)
    for start in range(way.first, log.shape[1], _UNITS):
        stop = min(start + _UNITS, log.shape[1])
        if start in way.kept:
            stood[start] = [
                _Stand(*(one.copy() for one in (error, state, sums, less)))
                for error, state, sums, less in zip(
                    at_work.error,
                    at_work.state.swapaxes(0, 1),
                    at_work.sums.swapaxes(0, 1),
                    none,
                    strict=True,
                )
            ]
        if native is None:
            _follow(days, grid, at_work, start, stop)
        else:
            native.follow(days, grid, at_work, start, stop)
        none -= np.log(at_work.product, out=at_work.product)
        stepped -= at_work.product
        at_work.product.fill(1.0)
    less, least = _fitted(at_work.sums)
    return (none + less) / 2, (stepped + least) / 2, stood


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
